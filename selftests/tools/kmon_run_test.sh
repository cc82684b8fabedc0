#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kmon-run leaves nothing of a command, reports what it used, and passes on its status.
set -u

. "$(dirname "$0")/helpers/checks.sh"

# Processes of nobody, who has no others here.
left() { cat /proc/[0-9]*/status 2>/dev/null | grep -c "^Uid:[[:space:]]*65534"; }
sleepers() { grep -als "^[s]leep.$1" /proc/[0-9]*/cmdline | wc -l; }

for tool in kmon-run kmon-tail; do
	expect 0 "$tool --version" $tool --version
	grep -qx "$tool [0-9.]*" out
	equal "$tool and a number: $?" "$tool and a number: 0"
done
expect 0 "a success" kmon-run true
has err '^kmon-run: 1 processes, 0 failed, 0 killed by others, cpu [0-9.]+ s, '
expect 3 "the status is passed on" kmon-run sh -c 'exit 3'
expect 137 "a deadly signal is passed on" kmon-run sh -c 'kill -KILL $$'
has err 'killed: SIGKILL from process [0-9]+ of user 0$'
expect 127 "a program that is not there" kmon-run ./none
has err '^kmon-run: ./none: No such file or directory$'
touch plain
expect 126 "a file that is no program" kmon-run ./plain
has err '^kmon-run: ./plain: Permission denied$'
expect 125 "no command" kmon-run
has err 'no command to run'
expect 125 "an unknown signal" kmon-run -s NONE true
has err '^kmon-run: -s NONE: not a signal$'
# What works with others, or means something else there, runs nothing with a wrong meaning.
for form in '-T 1x' '-T 1m' '-T 1s' '-T 0' '-T 1e3' '-T -1' '-T inf' '-k 0' '-s term' '-s 0' \
	'-s RTMIN' '-s EXIT' --preserve-status -g; do
	# Two words, by intent.
	# shellcheck disable=SC2086
	expect 125 "$form" kmon-run $form touch ran
	has err "kmon-run: .*${form##*[ -]}"
done
for form in '-T .5' '-s SIGTERM' '-s 15'; do
	# shellcheck disable=SC2086
	expect 0 "$form" kmon-run -q $form true
done
expect 125 "no command after --" kmon-run --
[ ! -e ran ]
equal "nothing ran: $?" "nothing ran: 0"
expect 0 "quiet" kmon-run -q sh -c 'sleep 9 & kill -KILL $!; wait; true'
expect 0 "nothing is written" kmon-run -q true
equal "$(wc -c <err) bytes" "0 bytes"

expect 0 "totals as JSON" kmon-run --json sh -c 'true & false & wait'
has err '^\{"processes":3,"failed":1,.*"timed_out":false,"lost":0,"killed":\[\]\}$'
expect 0 "who killed whom as JSON" kmon-run -j sh -c 'sleep 99 & kill -USR1 $!; wait'
has err '"abort":\{"signal":"SIGUSR1","flags":\[\],"signo":10,.*"sender_uid":0,'

kmon-run sh -c 'sleep 0.3; exit 6' 2>&1 | true
equal "a reader that has gone: ${PIPESTATUS[0]}" "a reader that has gone: 6"

# A daemon outlives its command nowhere else.
expect 4 "a daemon is left" kmon-run sh -c 'setsid sleep 987 >/dev/null 2>&1 & exit 4'
has err '^kmon-run: 2 processes, '
equal "$(sleepers 987) left" "0 left"

expect 124 "a timeout" kmon-run -T 0.2 sleep 99
expect 124 "a timeout of one that will not go" \
	kmon-run -T 0.2 -k 0.2 sh -c 'trap "" TERM; while :; do sleep 1; done'
expect 124 "another signal" kmon-run -T 0.3 -s USR1 sh -c 'trap "echo usr1; exit" USR1; sleep 1 & wait'
equal "$(cat out)" usr1

# A signal ends the tree, and a death of kmon-run, too.
kmon-run -q sleep 986 &
until [ "$(sleepers 986)" = 1 ]; do sleep 0.1; done
kill -TERM $!
wait $!
equal "ended: $?" "ended: 143"
kmon-run -q sh -c 'trap "" TERM; setsid sleep 985; :' &
until [ "$(sleepers 985)" = 1 ]; do sleep 0.1; done
kill -KILL $!
wait $! 2>/dev/null
for _ in $(seq 100); do [ "$(sleepers 985)" != 0 ] || break; sleep 0.1; done
equal "$(sleepers 985) left" "0 left"

# An ordinary user's fork bomb.
cat >bomb <<'BOMB'
ulimit -u 300
b() { b | b & }
trap "$1" TERM
b
sleep 99
BOMB
for trap in - ''; do
	expect 124 "a fork bomb, SIGTERM '$trap'" su nobody -s /bin/sh -c \
		"kmon-run --timeout 1 --kill-after 0.5 -- bash $dir/bomb '$trap' 2>$dir/bomb.err"
	equal "$(left) left" "0 left"
	has bomb.err '^kmon-run: [0-9]+ processes, [0-9]+ failed, 0 killed by others, '
done

finish
