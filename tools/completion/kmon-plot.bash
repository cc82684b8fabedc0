# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completes the options of kmon-plot, and after them a command and its arguments.

_kmon_plot()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options='-a --all -p --pid -t --root -c --cgroup --unit --container -u --user -f --from -o --output
		-w --record -q --quiet -D --duration --read --mmap --uring --ring
		--fail-on-loss -? --help --usage -V --version'
	local i word

	# The first word that is no option nor its argument starts the command.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--)
			i=$((i + 1))
			break
			;;
		-[ptcufowD] | --pid | --root | --cgroup | --user | --unit | --container | --from | --output | --record | \
			--duration | --ring)
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
	-[pt] | --pid | --root)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && printf '%s ' [0-9]*)" -- "$cur")
		;;
	-c | --cgroup)
		mapfile -t COMPREPLY < <(cd /sys/fs/cgroup && compgen -d -- "$cur")
		;;
	-u | --user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		;;
	-[fow] | --from | --output | --record)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	-D | --duration | --ring) ;;
	*)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		fi
		;;
	esac
}
complete -F _kmon_plot kmon-plot
