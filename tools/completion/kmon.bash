# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completes the options that --help lists, their arguments, and behind them a command; of
# kmon-wait, process ids.

_kmon_pids() { mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && printf '%s ' [0-9]*)" -- "$1"); }

# Sets option to that of a word which may take the next one: of -qw the last letter, of -wfile
# none.
_kmon_option()
{
	local word=$1 j

	option=$word
	[[ $word == -[!-]* ]] || return
	for ((j = 1; j < ${#word}; j++)); do
		option=-${word:j:1}
		[ "${takes[$option]--}" = - ] || break
	done
	((j + 1 >= ${#word})) || option=none
}

_kmon()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local option kind word events before i
	# The argument of each option; '-' is none.
	local -A takes=()

	while read -r option kind; do
		takes[$option]=${kind:--}
	done < <("$1" --help 2>/dev/null |
		sed -nE 's/^ +(-.), (--[a-z-]+)(=([A-Z]+))?( .*)?$/\1 \4\n\2 \4/p
			s/^ {6}(--[a-z-]+)(=([A-Z]+))?( .*)?$/\1 \3/p')

	# The first word that is no option nor its argument starts the command.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--)
			i=$((i + 1))
			break
			;;
		-*)
			_kmon_option "$word"
			[ "${takes[$option]--}" != - ] || continue
			# bash splits --option=value into three words.
			[ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
			i=$((i + 1))
			;;
		*) [ "${1##*/}" = kmon-wait ] || break ;;
		esac
	done
	if ((i < COMP_CWORD)) || [ "${COMP_WORDS[i - 1]}" = -- ]; then
		if [ "${1##*/}" = kmon-wait ]; then
			_kmon_pids "$cur"
		elif declare -F _command_offset >/dev/null; then
			_command_offset "$i"
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur" | sort -u)
		fi
		return
	fi

	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	_kmon_option "$prev"
	case ${takes[${option:-none}]--} in
	PID) _kmon_pids "$cur" ;;
	FILE) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	USER) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	SIGNAL) mapfile -t COMPREPLY < <(compgen -A signal -- "$cur") ;;
	PATH) mapfile -t COMPREPLY < <(cd /sys/fs/cgroup 2>/dev/null && compgen -d -- "$cur") ;;
	NAME)
		mapfile -t COMPREPLY < <(compgen -W "$(cat /proc/[0-9]*/comm 2>/dev/null |
			grep -x '[A-Za-z0-9_.+:-]*' | sort -u)" -- "$cur")
		;;
	LIST)
		# Complete its last element.
		events=$("$1" --help | tr -s ' \n' ' ' |
			sed -n 's/.* separated by commas, of \([a-z, -]*\) (.*/\1/p' | tr -d ,)
		before=
		[[ $cur != *,* ]] || before=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$before" -W "$events" -- "${cur##*,}")
		;;
	-)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "${!takes[*]}" -- "$cur")
		elif [ "${1##*/}" = kmon-wait ]; then
			_kmon_pids "$cur"
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur" | sort -u)
		fi
		;;
	esac
}
complete -F _kmon kmon-plot kmon-run kmon-tail kmon-tree kmon-wait
