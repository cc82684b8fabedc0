#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Processes of odd descent, or more than can be had, and a clock that jumps: the tools count and
# end them all.
# Shells inside have their own variables; functions go to expect.
# shellcheck disable=SC2016,SC2317
set -u

. "$(dirname "$0")/helpers/checks.sh"

# Processes of nobody, who has no others here.
left() { cat /proc/[0-9]*/status 2>/dev/null | grep -c "^Uid:[[:space:]]*65534"; }
none_left() { [ "$(left)" = 0 ]; }
sleepers() { grep -als "^odd_life.$1" /proc/[0-9]*/cmdline | wc -l; }

# Children of others: kmon-run has one more child than it has forked.
expect 4 "a child of its parent" kmon-run odd_life sibling
has err '^kmon-run: 2 processes, 2 failed, '
equal "$(sleepers sibling) left" "0 left"
expect 5 "a parent that reaps none" kmon-run odd_life zombies
has err '^kmon-run: 51 processes, 26 failed, '
expect 5 "a parent that reaps none, of kmon-tree" kmon-tree odd_life zombies
has out '^empty: 51 processes, 26 failed, '
expect 124 "a parent in vfork" kmon-run -T 0.3 -k 0.3 odd_life vfork
equal "$(sleepers vfork) left" "0 left"
expect 124 "a shell that waits for a parent in vfork" \
	kmon-run -T 0.3 -k 0.3 sh -c 'trap "" TERM; odd_life vfork; true'
equal "$(sleepers vfork) left" "0 left"

# A daemon whose parents have ended.
cat >daemon <<'DAEMON'
(setsid sh -c '(until [ -e go ]; do sleep 0.05; done; exit 6) </dev/null >/dev/null 2>&1 &')
touch begun
exit 2
DAEMON
for tool in kmon-tail kmon-tree; do
	rm -f go begun
	(await test -e begun; touch go) &
	expect 2 "$tool waits for a daemon" $tool sh daemon
	has out ' exit 6'
	wait
done

# Whoever kills all that a user has kills the tool, too.
for tool in kmon-run kmon-tail; do
	expect 137 "all of a user killed below $tool" su nobody -s /bin/sh -c \
		"exec $tool -q -- sh -c 'setsid sleep 999 & kill -STOP \$!; kill -KILL -1'"
	await none_left
	equal "$(left) left" "0 left"
done

# No process can be had for the command.
few=/sys/fs/cgroup/command_test
mkdir $few
echo 1 >$few/pids.max
while read -r status tool; do
	expect "$status" "$tool without a process" sh -c \
		"echo \$\$ >$few/cgroup.procs; exec $tool true"
	has err "^${tool%% *}: .*Resource temporarily unavailable"
done <<'TOOLS'
125 kmon-run
1 kmon-tail
1 kmon-tree
1 kmon-plot -o plot.svg
TOOLS
rmdir $few

# Many short processes: totals are exact, whatever was lost on the way.
burst='for ((i = 0; i < 1000; i++)); do (exit $((i % 2))) & done; wait'
expect 0 "totals of many" kmon-run -j bash -c "$burst"
has err '^\{"processes":1001,"failed":500,'
expect 0 "totals of many, with losses" kmon-tree -q -w recording --ring 4 bash -c "$burst"
kmon-tail -f recording -e exit -F '{event}{details}' >out
has out 'empty.* processes 1001, failed 500'

# The wall clock jumps; the time that a command has does not.
jump='now=$(date +%s); date -s @$((now + 86400)); date -s @$((now - 86400)); date -s @$now'
expect 3 "a timeout that a jump of the clock brings no nearer" \
	kmon-run -T 3600 sh -c "$jump; exit 3"
now=$(date +%s)
expect 124 "a timeout that a jump of the clock does not put off" kmon-run -T 0.5 sh -c \
	'date -s @$(($(date +%s) - 86400)); sleep 999'
date -s "@$((now + 1))" >out
expect 0 "a recording in which the clock jumps" \
	kmon-tail -w recording -o lines sh -c "$jump; true"
kmon-tail -f recording >again
same lines again "it shows the same"

finish
