# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completes the options of kmon-tail, and after them a command and its arguments.

_kmon_tail()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local events='fork thread exec exit thread-exit'
	local options='-p --pid -t --tree -a --all -e --events -j --json -o --output
		-l --line-buffered -S --stats -n --count -D --duration --ring
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
		-[pteonD] | --pid | --tree | --events | --output | --count | --duration | --ring)
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
	-[pt] | --pid | --tree)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && printf '%s ' [0-9]*)" -- "$cur")
		;;
	-e | --events)
		# A list: complete its last element.
		local before=
		[[ $cur != *,* ]] || before=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$before" -W "$events" -- "${cur##*,}")
		;;
	-o | --output)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	-[nD] | --count | --duration | --ring) ;;
	*)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		fi
		;;
	esac
}
complete -F _kmon_tail kmon-tail
