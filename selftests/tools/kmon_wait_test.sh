#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kmon-wait waits for the end of any processes and trees, and reports how they ended.
# shellcheck disable=SC2317 # functions that await calls
set -u

. "$(dirname "$0")/helpers/checks.sh"
limits=/proc/sys/kernel/kmonitor
old_ring=$(cat $limits/max_ring_records)
old_filters=$(cat $limits/max_user_filters)
trap 'echo "$old_ring" >$limits/max_ring_records
	echo "$old_filters" >$limits/max_user_filters
	clean_up' EXIT

empty() { equal "$1 has $(wc -c <"$1") bytes" "$1 has 0 bytes"; }

state() { sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null; }

is_state() { [ "$(state "$1")" = "$2" ]; }
is_named() { [ "$(cat "/proc/$1/comm")" = "$2" ]; }
has_lines() { [ "$(wc -l <"$1")" = "$2" ]; }

# gated COMMAND...: its input ends with open_gate; its output is in pids.
gated() {
	rm -f gate
	: >pids
	mkfifo gate
	"$@" <gate >pids &
	gated=$!
	exec 9>gate
}

open_gate() { exec 9>&-; }

# begin_sleepers N STATUS: N processes, whose ids are in pids.
begin_sleepers() {
	gated sleepers "$@"
	await has_lines pids "$1"
	mapfile -t pids <pids
}

# Also if it has ended: its output will show why.
begun() {
	[[ $(state "$waiter") == [RSD] ]] || return 0
	[ "$(cat "/proc/$waiter/fdinfo/"* 2>/dev/null | grep -c ^entry)" = "$1" ] &&
		is_state "$waiter" S
}

# begin N COMMAND...: returns when a kmon-wait waits for the end of N.
begin() {
	local entries=$1
	shift
	"$@" >out 2>err 9>&- &
	waiter=$!
	await begun "$entries"
}

# ends STATUS NAME: how that kmon-wait ends.
ends() {
	wait $waiter 2>/dev/null
	equal "$2: status $?" "$2: status $1"
}

# A program, so that $! is the command's.
cat >as_nobody <<'AS'
#!/bin/sh
exec su nobody -s /bin/sh -c "exec $*"
AS
chmod 755 as_nobody

expect 0 "--version" kmon-wait --version
expect 2 "nothing to wait for" kmon-wait -v
has err 'give PID, -t PID or -N NAME$' 1
expect 2 "no process id" kmon-wait 12x
expect 2 "process id 0" kmon-wait 0
expect 2 "a name with a slash" kmon-wait -N /bin/sh
expect 2 "an empty name" kmon-wait -N ''
expect 2 "no number of seconds" kmon-wait -T 1x 1
expect 2 "an unknown option" kmon-wait --none 1
# shellcheck disable=SC2016 # the pid is to be that of the shell that kmon-wait replaces
expect 2 "its own pid" sh -c 'exec kmon-wait $$'
has err ': kmon-wait itself$' 1

# How processes end.
begin_sleepers 3 0
begin 3 kmon-wait "${pids[@]}"
open_gate
ends 0 "all succeed"
empty out
empty err
begin_sleepers 3 5
begin 3 kmon-wait -v "${pids[@]}"
open_gate
ends 1 "one fails"
has out '^[0-9]+ sleepers: exit 0$' 2
has out "^${pids[0]} sleepers: exit 5$" 1
empty err
begin_sleepers 2 0
begin 2 kmon-wait -v "${pids[@]}"
kill -KILL "${pids[-1]}"
open_gate
ends 1 "one is killed"
has out "^${pids[-1]} sleepers: killed by SIGKILL$" 1
begin_sleepers 2 0
begin 2 kmon-wait -1 -v "${pids[@]}"
kill -KILL "${pids[-1]}"
ends 1 "--any"
equal "$(wc -l <out) lines" "1 lines"
open_gate
wait $gated
begin_sleepers 2 0
begin 2 kmon-wait -v "${pids[@]}" "${pids[@]}"
open_gate
ends 0 "those named twice end once"
equal "$(wc -l <out) lines" "2 lines"
begin_sleepers 2 3
begin 2 kmon-wait --json "${pids[@]}"
open_gate
ends 1 "JSON"
has out '^\{.*"type":"exit",.*"comm":"sleepers","exit":\{"code":0,.*\}$' 1
has out '"exit":\{"code":3,"status":768,' 1
equal "$(wc -l <out) lines" "2 lines"
gated sh -c 'printf "a\\\\\nb" >/proc/$$/comm; echo $$; read -r _'
await test -s pids
begin 1 kmon-wait -v "$gated"
open_gate
ends 1 "a name that would break a line"
has out "^$gated a\\\\\\\\\\\\x0ab: exit 1$" 1

# Those that have ended, and what is no process.
expect 4 "one that has ended" kmon-wait "$gated"
has err "^kmon-wait: $gated: No such process$" 1
expect 4 "one that has ended, quietly" kmon-wait -q "$gated"
empty err
begin_sleepers 1 0
expect 4 "any of those that have ended" kmon-wait -1 -q 4194303 "${pids[@]}"
begin 1 kmon-wait 4194303 "${pids[@]}"
open_gate
ends 4 "the others are waited for"
begin_sleepers 1 0
kill -STOP $gated
open_gate
await is_state "${pids[0]}" Z
expect 4 "a zombie" kmon-wait "${pids[0]}"
has err 'has ended already \(a zombie\)$' 1
kill -CONT $gated
wait $gated
gated thread
await test -s pids
expect 125 "a thread" kmon-wait "$(cat pids)"
has err "^kmon-wait: $(cat pids): a thread of process $gated, no process$" 1
open_gate

# Trees.
begin_sleepers 2 0
begin 1 kmon-wait -v -t $gated
open_gate
ends 0 "a tree succeeds"
has out "^$gated sleepers: tree ended: root exit 0, processes 3, failed 0, " 1
gated sh -c 'read -r _; sleepers 4 5 </dev/null >/dev/null & exit 7'
begin 1 kmon-wait -v --root $gated
open_gate
ends 1 "a tree fails as its root does"
has out "^$gated sh: tree ended: root exit 7, processes 6, failed 2, " 1
begin_sleepers 1 0
begin 2 kmon-wait -v "$gated" -t "$gated"
open_gate
ends 0 "a process and its tree"
has out "^$gated sleepers: exit 0$" 1
has out "^$gated sleepers: tree ended: " 1
begin_sleepers 1 0
begin 1 kmon-wait -j -t "$gated"
open_gate
ends 0 "a tree as JSON"
has out '"type":"empty",.*"empty":\{"code":0,.*"members":2,"failed":0,' 1
expect 125 "a tree that kmon-wait is in" kmon-wait -t $$
has err "^kmon-wait: -t $$: kmon-wait itself is in this tree" 1

# Names.
cp "$(command -v sleepers)" namesake
gated ./namesake 2 0
await has_lines pids 2
begin 3 kmon-wait -v -N namesake
open_gate
ends 0 "all of a name"
has out '^[0-9]+ namesake: exit 0$' 3
gated bash -c 'exec -a /an/other.name sleepers 0 0'
await grep -qas ^/an/other "/proc/$gated/cmdline"
begin 1 kmon-wait -v --name other.name -N sleepers
open_gate
ends 0 "a name of argv[0], and of comm"
has out "^$gated sleepers: exit 0$" 1
expect 4 "a name of none" kmon-wait -N nobody-has-it
has err '^kmon-wait: -N nobody-has-it: No such process$' 1
expect 4 "kmon-wait itself has not its name" kmon-wait -N kmon-wait

# Permission to watch.
expect 125 "another's" ./as_nobody kmon-wait 1
has err '^kmon-wait: 1: not yours, or protected' 1
expect 125 "another's tree" ./as_nobody kmon-wait -t 1
has err '^kmon-wait: -t 1: not yours, or protected' 1
gated ./namesake 0 0
await is_named $gated namesake
expect 125 "all others' of a name" ./as_nobody kmon-wait -N namesake
has err '^kmon-wait: -N namesake: not yours, or protected' 1
mkfifo other
./as_nobody ./namesake 0 0 <other &
exec 8>other
await is_named $! namesake
begin 1 ./as_nobody kmon-wait -v -N namesake 8>&-
has err '^kmon-wait: -N namesake: not waiting for 1 that you may not watch$' 1
exec 8>&-
ends 0 "one's own of a name"
has out ' namesake: exit 0$' 1
open_gate
cp "$(type -P wait)" wait
chmod 4755 wait
mkfifo other2
./as_nobody "sh -c 'read -r _; exec ./wait'" <other2 >pids &
secret=$!
exec 8>other2
await is_named $secret sh
begin 1 ./as_nobody kmon-wait -v $secret 8>&-
echo >&8
await test -s pids
exec 8>&-
ends 4 "one that became another's"
has out "^$secret sh: ended, status unknown$" 1
begin_sleepers 2 0
echo 1 >$limits/max_user_filters
expect 125 "more than the limit" kmon-wait "${pids[@]}"
has err ': kernel.kmonitor.max_user_filters, or ' 1
echo "$old_filters" >$limits/max_user_filters
open_gate

# Time, signals, and an output that fails.
expect 124 "a timeout, and init" kmon-wait -T 0.2 1
has err '^kmon-wait: 1 of 1 have not ended$' 1
begin_sleepers 2 0
expect 124 "a timeout, quietly" kmon-wait --timeout 0.2 -q -v "${pids[@]}"
empty out
empty err
for signal in TERM INT; do
	set -m
	begin 2 kmon-wait -v "$gated" "${pids[0]}"
	set +m
	kill -$signal $waiter
	ends $((128 + $(kill -l $signal))) "SIG$signal"
	empty out
	empty err
done
kmon-wait -T 100 -v $gated 2>err | true
equal "no reader: ${PIPESTATUS[0]}" "no reader: 141"
open_gate
wait $gated
begin_sleepers 1 0
begin 1 sh -c 'exec kmon-wait "$@" >&-' sh -v "${pids[@]}"
open_gate
ends 125 "a closed output"
has err '^kmon-wait: writing standard output: Bad file descriptor$' 1
begin_sleepers 1 0
begin 1 sh -c 'exec kmon-wait "$@" >&-' sh "${pids[@]}"
open_gate
ends 0 "a closed output that isn't used"
begin_sleepers 1 0
begin 1 sh -c 'exec kmon-wait "$@" >/dev/full' sh -v "${pids[@]}"
open_gate
ends 125 "a full disk"
has err '^kmon-wait: writing standard output: No space left on device$' 1

# overflow N RING OPTION...: the ends of N, of which a ring of RING has place for some.
overflow() {
	local n=$1
	echo "$2" >$limits/max_ring_records
	shift 2
	begin_sleepers "$n" 0
	begin "$n" kmon-wait "$@" "${pids[@]}"
	echo "$old_ring" >$limits/max_ring_records
	kill -STOP $waiter
	open_gate
	wait $gated
}

# No end is lost for want of room; others have the pids of those that ended.
overflow 10 2 -v
gated reuse "${pids[@]}"
await test -s pids
kill -CONT $waiter
ends 0 "a full ring, and pids that are used again"
has out '^[0-9]+ sleepers: exit 0$' 10
empty err
open_gate
wait $gated
overflow 10 2 -j -q --fail-on-loss
kill -CONT $waiter
ends 0 "--fail-on-loss"
has out '"exit":\{"code":0,' 10
empty err

# Very many, which two wait for: one with room for all, one with a ring of 64.
many=10000
echo $((3 * many)) >$limits/max_user_filters
begin_sleepers $many 0
begin $many kmon-wait -v "${pids[@]}"
whole=$waiter
mv out whole
mv err whole.err
echo 64 >$limits/max_ring_records
begin $many kmon-wait -v "${pids[@]}"
kill -STOP $waiter
open_gate
wait $gated
kill -CONT $waiter
ends 0 "$many processes with a ring of 64"
has out ' sleepers: exit 0$' $many
equal "$(cut -d ' ' -f 1 out | sort -u | wc -l) processes" "$many processes"
waiter=$whole
ends 0 "$many processes"
has whole ' sleepers: exit 0$' $many
empty whole.err

finish
