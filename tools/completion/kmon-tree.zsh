#compdef kmon-tree
# SPDX-License-Identifier: GPL-2.0-only
# Completes the options of kmon-tree, and after them a command and its arguments.

_arguments -s -S -A '-*' \
	'(-a --all)'{-a,--all}'[every process]' \
	'*'{-p+,--pid=}'[a process]:process:_pids' \
	'*'{-t+,--root=}'[a process and its descendants]:root:_pids' \
	'*'{-c+,--cgroup=}'[a cgroup and those below]:cgroup:_files -W /sys/fs/cgroup -/' \
	'*'{-u+,--user=}'[a user]:user:_users' \
	'(-f --from)'{-f+,--from=}'[from a recording]:file:_files' \
	'(-w --record)'{-w+,--record=}'[also the records as they came]:file:_files' \
	'(-j --json)'{-j,--json}'[one JSON object a line]' \
	'(-o --output)'{-o+,--output=}'[instead of standard output]:file:_files' \
	'(-q --quiet)'{-q,--quiet}'[nothing but the status]' \
	'(-D --duration)'{-D+,--duration=}'[stop after a time]:seconds: ' \
	'(--mmap --uring)--read[take records by read]' \
	'(--read --uring)--mmap[take records by mmap]' \
	'(--read --mmap)--uring[take records by io_uring]' \
	'--ring=[size of the ring]:records: ' \
	'--fail-on-loss[status 3 if records were lost]' \
	'(- *)'{-\?,--help}'[show the options]' \
	'(- *)--usage[show a short usage message]' \
	'(- *)'{-V,--version}'[show the version]' \
	'(-)1:command:_command_names -e' \
	'*::arguments:_normal'
