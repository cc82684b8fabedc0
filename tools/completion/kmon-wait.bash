# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completes the options and process ids of kmon-wait.

_kmon_wait()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options='-1 --any --fail-on-loss -j --json -N --name -q --quiet
		-T --timeout -t --root -v --verbose -? --help --usage -V --version'

	# bash splits --option=value into three words.
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $prev in
	-N | --name)
		mapfile -t COMPREPLY < <(compgen -W "$(cat /proc/[0-9]*/comm 2>/dev/null |
			grep -x '[A-Za-z0-9_.+:-]*' | sort -u)" -- "$cur")
		;;
	-T | --timeout) ;;
	*)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && printf '%s ' [0-9]*)" -- "$cur")
		fi
		;;
	esac
}
complete -F _kmon_wait kmon-wait
