# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completes the options of kmon-run, and after them a command and its arguments.

_kmon_run()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options='-T --timeout -s --signal -k --kill-after -j --json -q --quiet
		-? --help --usage -V --version'
	local i word

	# The first word that is no option nor its argument starts the command.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--)
			i=$((i + 1))
			break
			;;
		-[Tsk] | --timeout | --signal | --kill-after)
			# bash splits --option=value into three words.
			[ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
			i=$((i + 1))
			;;
		-*) ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)) || [ "${COMP_WORDS[i - 1]}" = -- ]; then
		if declare -F _command_offset >/dev/null; then
			_command_offset "$i"
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		fi
		return
	fi

	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $prev in
	-s | --signal)
		mapfile -t COMPREPLY < <(compgen -A signal -- "$cur")
		;;
	-[Tk] | --timeout | --kill-after) ;;
	*)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		fi
		;;
	esac
}
complete -F _kmon_run kmon-run
