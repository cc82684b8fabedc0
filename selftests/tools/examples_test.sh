#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The example programs do what they say.
set -u

failed=0 nr=0
dir=$(mktemp -d)
cd "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
PATH=/examples:$PATH

# verdict SEEN EXPECTED
verdict() {
	nr=$((nr + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $nr $2"
	else
		echo "not ok $nr $2, but: $1"
		cat out
		failed=1
	fi
}

# expect STATUS NAME COMMAND...: its output is in out.
expect() {
	local status=$1 name=$2
	shift 2
	"$@" >out 2>&1
	verdict "$name: status $?" "$name: status $status"
}

# has COUNT LINE: so many lines of the output match.
has() {
	verdict "/$2/: $(grep -cE "$2" out)" "/$2/: $1"
}

# await LINE: until the output has it.
await() {
	until grep -qE "$1" out 2>/dev/null; do sleep 0.1; done
}

expect 0 minimal /examples/minimal sh -c 'quick a b; exit 5'
has 1 '^[0-9]+ quick: status 0x200, [0-9]+ us CPU$'
has 1 '^[0-9]+ sh: status 0x500, '
has 2 ''

expect 1 "kill of what fails" /examples/kill 60 family
has 1 '^2 processes, 2 failed$'
has 1 ''
expect 1 "kill of what lasts" /examples/kill 1 sh -c 'setsid sleep 987 & sleep 988; :'
has 1 '^killed 3 processes, could not kill 0$'
has 1 '^3 processes, 3 failed$'

expect 0 "tree of what ends" /examples/tree 60 family
has 2 '^process [0-9]+ \(family\): status 0x[57]00$'
has 1 '^2 processes, 2 failed$'
expect 0 "tree of what lasts" /examples/tree 1 sleep 986
has 1 '^1 processes killed$'
has 1 '^process [0-9]+ \(sleep\): status 0x9$'

mkfifo gate
sh -c 'read _ <gate; family; exit 0' &
pid=$!
/examples/mmap $pid >out 2>&1 &
until grep -qs "id=$pid " /proc/$!/fdinfo/3; do sleep 0.1; done
echo >gate
wait $!
verdict "mmap: status $?" "mmap: status 0"
has 1 "^1: type 0x8, process $pid$"
has 1 '^2: type 0x20, process '
has 3 '^[0-9]+: type 0x40, process '
has 1 "^7: type 0x80000, process $pid$"

/examples/snapshot >out 2>&1 &
await '^the list is complete$'
snapshot=$!
quick &
await "^$! is gone$"
kill $snapshot
has 1 "^$$ is there: examples_test.s$"
has 1 '^the list is complete$'
has 1 "^$! was born of $$$"
has 1 "^$! runs quick$"
has 0 '^[0-9]+ records lost'

expect 0 sigmonitor /examples/sigmonitor sh -c 'family; quick 1; true'
has 3 '^[0-9]+ started [0-9]+$'
has 1 '^[0-9]+ ended with status 0x500$'
has 1 '^[0-9]+ ended with status 0x700$'
has 1 '^[0-9]+ ended with status 0x100$'
has 1 '^4 processes, all ended$'

# ask: what uring_monitor has seen, in forks, execs, exits and lost.
ask() {
	echo >&3
	read -r _ forks _ execs _ exits _ lost <&3
}

# connect: until somebody listens.
connect() {
	until exec 3<>/dev/tcp/127.0.0.1/7777; do sleep 0.1; done 2>/dev/null
}

/examples/uring_monitor 7777 2>out &
connect
ask
before="$forks $execs $exits"
for ((i = 0; i < 200; i++)); do family; done
read -r f e x <<<"$before"
until ask && [ "$((exits - x))" -ge 400 ]; do :; done
verdict "forks $((forks - f)), execs $((execs - e)), exits $((exits - x)), lost $lost" \
	"forks 400, execs 200, exits 400, lost 0"
printf 'a\nb\nc\n' >&3
for _ in 1 2 3; do read -r line <&3 && echo "$line" >>out; done
has 3 "^forks $forks execs $execs exits $exits lost 0$"
exec 4>&3
connect
ask
verdict "another client: $forks" "another client: $forks"
kill %+
exec 3>&- 4>&-

# A service that can't run is tried again less and less often.
fdstore store supervisor 10 fails='exit 3' >out 2>&1 &
await 'waits 640 ms'
kill $!
wait $!
verdict "supervisor: status $?" "supervisor: status 0"
for ms in 10 20 40 80 160 320; do has 1 "^fails: exit 3, waits $ms ms$"; done

echo "1..$nr"
exit $failed
