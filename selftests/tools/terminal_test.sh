#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# On a terminal a tool behaves as env(1) in its place: an interrupt reaches the command once, a
# stop stops both, and the job control of a shell below works. See dumb-init's issues 25 and 51.
set -u

. "$(dirname "$0")/helpers/checks.sh"

mkfifo keys
# Job control, as others ignore SIGINT in the background.
start() {
	rm -f out
	set -m
	terminal "$@" <keys >out 2>err &
	pid=$!
	set +m
	exec 3>keys
}
shows() { await grep -aqE -- "$1" out; }
type_keys() { printf '%b' "$1" >&3; }
end() {
	exec 3>&-
	ended "$@"
}

# Two sleeps: the interrupt ends only the one that it comes to.
cat >counts <<'SCRIPT'
n=0
trap 'n=$((n + 1)); echo INT $n' INT
echo ready
sleep 4
echo n=$n
exit 5
SCRIPT
for tool in env 'kmon-run -q --' 'kmon-tail -q --' 'kmon-tree -q --'; do
	# Several words, by intent.
	# shellcheck disable=SC2086
	start $tool bash counts
	shows ready
	type_keys '\003'
	end "$tool: interrupted" 5
	has out 'INT' 1
	has out 'n=1'

	PS1='PROMPT> ' start bash --norc -i
	shows 'PROMPT> '
	type_keys "$tool sh -c 'echo st''arted; read line; echo e\$line; exit 5'\\n"
	shows started
	type_keys '\032'
	shows '\[1\]\+ +Stopped'
	type_keys 'fg\n'
	shows '> fg'
	type_keys 'nded\n'
	shows ended
	type_keys 'echo rc=$?\n'
	shows 'rc=5'
	type_keys 'exit\n'
	end "$tool: stopped and continued" 0

	# shellcheck disable=SC2086
	PS1='PROMPT> ' start $tool bash --norc -i
	shows 'PROMPT> '
	type_keys 'sleep 98 &\n'
	shows '\[1\] [0-9]+'
	type_keys 'fg\n'
	shows 'sleep 98[^ ]*$'
	type_keys '\032'
	shows '\[1\]\+ +Stopped'
	type_keys 'kill %1; kill -CONT %1; wait; exit 6\n'
	end "$tool: a shell with job control" 6
	lacks out 'no job control'
done

finish
