# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completes the options of kmon-tail, and after them a command and its arguments.

_kmon_tail()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local events='fork exec exit thread thread-exit abort thread-abort coredump
		exec-failed cred comm sid ptrace'
	local options='-a --all -A --exec-args -c --cgroup -D --duration -e --events
		-f --from --fail-on-loss -F --format -g --grep -H --threads -i --tree
		-j --json -l --line-buffered --metrics --mmap -n --count -o --output
		-p --pid -P --parent -q --quiet -r --relative --read --ring -S --stats
		--snapshot -t --root --unit --container -u --user --uring -w --record -x --failed
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
		-[cDefFgnopPtuw] | --cgroup | --duration | --events | --from | --format | --grep | \
			--metrics | --count | --output | --pid | --parent | --ring | --root | \
			--user | --unit | --container | --record)
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
	-[pPt] | --pid | --parent | --root)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && printf '%s ' [0-9]*)" -- "$cur")
		;;
	-e | --events)
		# A list: complete its last element.
		local before=
		[[ $cur != *,* ]] || before=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$before" -W "$events" -- "${cur##*,}")
		;;
	-c | --cgroup)
		mapfile -t COMPREPLY < <(cd /sys/fs/cgroup 2>/dev/null && compgen -d -- "$cur")
		;;
	-u | --user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		;;
	-[fow] | --from | --output | --record | --metrics)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	-[DFgn] | --duration | --format | --grep | --count | --ring) ;;
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
