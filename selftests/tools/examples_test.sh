#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The example programs do what they say.
# shellcheck disable=SC2317 # functions go to expect
set -u

. "$(dirname "$0")/helpers/checks.sh"
PATH=/examples:$PATH

both() { "$@" 2>&1; }

expect 0 minimal both /examples/minimal sh -c 'quick a b; exit 5'
has out '^[0-9]+ quick: status 0x200, [0-9]+ us CPU$' 1
has out '^[0-9]+ sh: status 0x500, ' 1
has out '' 2

expect 1 "kill of what fails" both /examples/kill 60 family
has out '^2 processes, 2 failed$' 1
has out '' 1
expect 1 "kill of what lasts" both /examples/kill 1 sh -c 'setsid sleep 987 & sleep 988; :'
has out '^killed 3 processes, could not kill 0$' 1
has out '^3 processes, 3 failed$' 1

expect 0 "tree of what ends" both /examples/tree 60 family
has out '^process [0-9]+ \(family\): status 0x[57]00$' 2
has out '^2 processes, 2 failed$' 1
expect 0 "tree of what lasts" both /examples/tree 1 sleep 986
has out '^1 processes killed$' 1
has out '^process [0-9]+ \(sleep\): status 0x9$' 1

mkfifo gate
sh -c 'read _ <gate; family; exit 0' &
pid=$!
/examples/mmap $pid >out 2>&1 &
until grep -qs "id=$pid " /proc/$!/fdinfo/3; do sleep 0.1; done
echo >gate
wait $!
equal "mmap: status $?" "mmap: status 0"
has out "^1: type 0x8, process $pid$" 1
has out '^2: type 0x20, process ' 1
has out '^[0-9]+: type 0x40, process ' 3
has out "^7: type 0x80000, process $pid$" 1

/examples/snapshot >out 2>&1 &
await grep -qsE '^the list is complete$' out
snapshot=$!
quick &
await grep -qsE "^$! is gone$" out
kill $snapshot
has out "^$$ is there: examples_test.s$" 1
has out '^the list is complete$' 1
has out "^$! was born of $$$" 1
has out "^$! runs quick$" 1
has out '^[0-9]+ records lost' 0

expect 0 sigmonitor both /examples/sigmonitor sh -c 'family; quick 1; true'
has out '^[0-9]+ started [0-9]+$' 3
has out '^[0-9]+ ended with status 0x500$' 1
has out '^[0-9]+ ended with status 0x700$' 1
has out '^[0-9]+ ended with status 0x100$' 1
has out '^4 processes, all ended$' 1

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
equal "forks $((forks - f)), execs $((execs - e)), exits $((exits - x)), lost $lost" \
	"forks 400, execs 200, exits 400, lost 0"
printf 'a\nb\nc\n' >&3
for _ in 1 2 3; do read -r line <&3 && echo "$line" >>out; done
has out "^forks $forks execs $execs exits $exits lost 0$" 3
exec 4>&3
connect
ask
equal "another client: $forks" "another client: $forks"
kill %+
exec 3>&- 4>&-

# A service that can't run is tried again less and less often.
fdstore store supervisor 10 fails='exit 3' >out 2>&1 &
await grep -qsE 'waits 640 ms' out
kill $!
wait $!
equal "supervisor: status $?" "supervisor: status 0"
for ms in 10 20 40 80 160 320; do has out "^fails: exit 3, waits $ms ms$" 1; done

finish
