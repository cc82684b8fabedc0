#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kmon-tree shows a tree's life and end, sums each process up, and says what it could not see.
# Shells inside have their own variables; functions go to expect.
# shellcheck disable=SC2016,SC2317
set -u

. "$(dirname "$0")/helpers/checks.sh"

none=' +- +- +-  '
some=' +[0-9]+\.[0-9]{3}s +[0-9]+\.[0-9]{3}s +[0-9.]+[KM]  '

expect 0 "version" kmon-tree --version
has out '^kmon-tree [0-9.]+$'
expect 4 "a command's tree" kmon-tree bash -c '(quick 1 2; exit 3); exit 4'
has out '^ +PID +RUN +CPU +PEAK  PROCESS$'
has out "^ +[0-9]+${none}bash: runs\$"
has out "^ +[0-9]+$none  bash: begins\$"
has out "^ +[0-9]+$none    bash: begins\$"
has out "^ +[0-9]+$none    quick: runs\$"
has out "^ +[0-9]+$some    quick: exit 2\$"
has out "^ +[0-9]+$some  bash: exit 3\$"
has out "^ +[0-9]+${some}bash: exit 4\$"
equal "$(tail -n 1 out | sed -E 's/[0-9.]+s/Ns/g; s/[0-9.]+M/NM/')" \
	"empty: 3 processes, 3 failed, Ns, cpu Ns, peak NM"
equal "$(wc -l <out) lines" "9 lines"
expect 137 "a deadly signal" kmon-tree sh -c 'kill -KILL $$'
has out 'sh: killed by SIGKILL$'
expect 0 "what the shell leaves" kmon-tree bash -c 'setsid sleep 0.5 & exit 0'
has out '^empty: 2 processes, 0 failed, '
has out ' sleep: exit 0$'
hostile=$(printf '\033[31m\r')
expect 0 "hostile names" kmon-tree bash -c "echo -n '$hostile' >/proc/self/comm"
has out '  \\x1b\[31m\\x0d: exit 0$'

expect 127 "a program that is not there" kmon-tree ./none
has err '^kmon-tree: ./none: No such file or directory$'
touch plain
expect 126 "a file that is no program" kmon-tree ./plain
expect 2 "nothing to follow" kmon-tree -j
has err '^kmon-tree: nothing to follow: '
expect 2 "no process id" kmon-tree --root x
has err '^kmon-tree: -t x: not a process id$'
expect 1 "no such process" kmon-tree -t 2147483647
has err '^kmon-tree: -t 2147483647: no such process$'
expect 1 "no recording" kmon-tree -f plain
has err '^kmon-tree: -f plain: not a recording of kmonitor$'

# One that exists.
bash -c 'sleep 999 & until [ -e go ]; do sleep 0.05; done; kill $!; wait; exit 6' &
root=$!
until [ "$(cat /proc/$root/task/$root/children | wc -w)" = 2 ]; do :; done
in_background kmon-tree -o out -t $root
until grep -q 'sleep: exists' out; do sleep 0.05; done
touch go
ended "an existing tree" 0
has out "^ +$root${none}bash: exists\$"
has out "^ +[0-9]+$none  sleep: exists\$"
has out "^ +[0-9]+$some  sleep: killed by SIGTERM\$"
has out "^ +$root${some}bash: exit 6\$"
has out '^empty: [0-9]+ processes, 2 failed, '
equal "$(grep -c "^ *$root .*exists" out) time" "1 time"

# Two trees: the kernel's totals of one are not those of both.
rm go
bash -c 'until [ -e go ]; do sleep 0.05; done; exit 3' &
first=$!
bash -c 'until [ -e go ]; do sleep 0.05; done; (exit 4)' &
in_background kmon-tree -o out -t $first -t $!
touch go
ended "two trees" 0
has out "^ +$first${some}bash: exit 3\$"
ends=$(grep -c ': exit ' out)
equal "$(tail -n 1 out | sed 's/, [0-9.]*s.*//')" "empty: $ends processes, 3 failed"

# A process without its children, whose end is not reported.
rm go
bash -c 'until [ -e go ]; do sleep 0.05; done; (exit 4); (exit 5); exit 3' &
in_background kmon-tree -w recording -o out -p $!
touch go
ended "a process without its children" 0
equal "$(grep -c 'bash: ' out) lines of it" "2 lines of it"
has out '^empty: 1 process, 1 failed, '
cp out live
expect 0 "the same again" kmon-tree -f recording
same live out "the same"
expect 0 "as JSON" kmon-tree -j -f recording
has out '^\{"type":"end","empty":true,"processes":1,"failed":1,"left":0,"unknown":0,"lost":0,'

# Events that end it before.
sleep 999 &
sleeper=$!
for signal in INT TERM; do
	in_background kmon-tree -o out -t $sleeper
	await grep -q 'sleep: exists' out
	kill -$signal "$pid"
	[ $signal = INT ] && status=130 || status=143
	ended "SIG$signal" "$status"
	has out '^not empty, 1 left: 0 processes ended, 0 failed, '
done
expect 0 "a time" kmon-tree --duration 0.2 --root $sleeper
has out '^not empty, 1 left: '
expect 0 "a time, as JSON" kmon-tree -j -D 0.2 -t $sleeper
has out '^\{"type":"end","empty":false,"processes":0,"failed":0,"left":1,'
kill $sleeper
wait $sleeper 2>/dev/null

expect 0 "JSON" kmon-tree --json bash -c '(exit 3); true'
equal "$(wc -l <out) lines" "3 lines"
has out '"type":"exit",.*"comm":"bash","exit":\{"code":3,.*"depth":1,"end_known":true,"run_ns":[0-9]+}$'
has out '"comm":"bash","exit":\{"code":0,.*"depth":0,"end_known":true,'
has out '^\{"type":"end","empty":true,"processes":2,"failed":1,"left":0,"unknown":0,"lost":0,"wall_ns":[0-9]+,"utime_ns":[0-9]+,"stime_ns":[0-9]+,"maxrss_kib":[0-9]+}$'
expect 5 "quiet" kmon-tree --quiet sh -c 'exit 5'
equal "$(cat out err | wc -c) bytes" "0 bytes"
expect 0 "quiet, of a process" kmon-tree -q --pid $$ -D 0.1
expect 0 "to a file" kmon-tree --output file echo hello
equal "$(cat out)" hello
has file '^empty: 1 process, 0 failed'
expect 1 "a full file" kmon-tree -o /dev/full false
has err '^kmon-tree: -o /dev/full: No space left on device$'
expect 1 "a full file of JSON" kmon-tree -j -o /dev/full false
equal "$(wc -l <err) complaint" "1 complaint"
closed() { "$@" >&-; }
expect 1 "a closed output" closed kmon-tree true
has err '^kmon-tree: writing standard output: Bad file descriptor$'
expect 0 "which is not needed" closed kmon-tree -q true
kmon-tree -a 2>err | head -n 1 >out
equal "a reader that has gone: ${PIPESTATUS[0]}" "a reader that has gone: 141"

# Losses: a ring that is full while nobody reads. The sleepers are seen before, and end in it.
lossy='for i in 1 2 3 4 5; do sleep 999 & done
sleep 0.5; kill -STOP $PPID; kill $(jobs -p); wait
for i in $(seq 20); do (exit 1); done; kill -CONT $PPID; sleep 0.5; quick; (exit 9); true'
expect 3 "losses" kmon-tree -w recording --ring 4 --fail-on-loss bash -c "$lossy"
has out '^\*\*\* LOST [0-9]+ records \*\*\*$'
seen=$(sed -n 's/.*LOST \([0-9]*\) rec.*/\1/p' out | awk '{ sum += $1 } END { print sum }')
unknown=$(grep -cE "$none  (bash|sleep): end unknown$" out)
equal "$([ "$unknown" -gt 0 ] && echo unknown)" unknown
has out "^empty: [0-9]+ processes, [0-9]+ failed, $seen records lost, $unknown ends unknown, "
has out "$some  bash: exit 9\$"
equal "$(grep -E 'end unknown|: exit |: killed' out | awk '{ print $1 }' | sort | uniq -d | wc -l) ended twice" \
	"0 ended twice"
# Whoever was seen has an end: known or not.
equal "$(awk '$NF == "begins" || $NF == "exists" { alive[$1] } / end unknown$|: exit |: killed / { delete alive[$1] }
	END { for (pid in alive) n++; print n + 0 }' out) without an end" "0 without an end"
cp out live
expect 3 "losses in a recording" kmon-tree --from recording --fail-on-loss
equal "$(grep -c 'end unknown' out) unknown" "$unknown unknown"
equal "$(tail -n 1 out)" "$(tail -n 1 live)"
expect 0 "losses without --fail-on-loss" kmon-tree -j --ring 4 bash -c "$lossy"
has out '"comm":"(sleep|bash)","depth":1,"end_known":false}$'

# Recordings: the same lines again; the kmon-tail's too; one that was cut is not empty.
for options in "" -j; do
	kmon-tree -w recording $options -o live bash -c '(quick 3); (exit 4) & wait; kill -9 $$' 2>err
	expect 0 "replayed:$options" kmon-tree -f recording $options
	cmp -s live out
	equal "the same: $?" "the same: 0"
done
kmon-tail -q -A -w recording bash -c '(quick 3); exit 1'
expect 0 "a recording of kmon-tail" kmon-tree -f recording
has out "$some  quick: exit 1\$"
has out '^empty: 2 processes, 2 failed, '
# shellcheck disable=SC2002 # a pipe by intent
cat recording | kmon-tree -f - >piped
kmon-tree -f recording | cmp -s - piped
equal "a pipe: $?" "a pipe: 0"
kmon-tail -q -w recording --ring 4 bash -c "$lossy"
expect 0 "ends that a recording of kmon-tail has lost" kmon-tree -f recording
has out "$none  (bash|sleep): end unknown\$"
has out '^empty: [0-9]+ processes, [0-9]+ failed, [0-9]+ records lost, [1-9][0-9]* ends unknown, '
kmon-tail -q -A -w recording bash -c '(quick 3); exit 1'
head -c $(($(wc -c <recording) - 256)) recording >short
expect 0 "a recording that was cut" kmon-tree -f short
has out '^not empty, 1 left: 1 process ended, 1 failed, '

# The examples of the manual page, of a build of their own.
printf '#!/bin/sh\nquick; quick 1; true\n' >"make"
chmod +x make
cp make script
PATH=$dir:$PATH
expect 0 "example: a build" kmon-tree -o build.tree make
has build.tree "$some  quick: exit 1\$"
# attached PID: whether a descriptor follows it.
attached() { cat /proc/[0-9]*/fdinfo/* 2>/dev/null | grep -q "^entry.* id=$1 "; }
bash -c 'until [ -e attached ]; do sleep 0.05; done; setsid quick & wait' &
echo $! >service.pid
(await attached "$(cat service.pid)"; touch attached) &
expect 0 "example: nothing is left of a service" kmon-tree -q -t "$(cat service.pid)"
kill -0 "$(cat service.pid)" 2>/dev/null && [ "$(sed 's/.*) //; s/ .*//' "/proc/$(cat service.pid)/stat")" != Z ]
equal "it lives: $?" "it lives: 1"
expect 0 "example: what failed in a script" kmon-tree -j ./script
has out '"comm":"quick","exit":\{"code":1,"status":256,'

finish
