#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kmon-tail has each of its options do what the manual page says, and gives precise errors.
# Shells inside have their own variables; functions go to expect.
# shellcheck disable=SC2016,SC2317
set -u

. "$(dirname "$0")/helpers/checks.sh"
limits=/proc/sys/kernel/kmonitor

# Each option of the help is in this script.
expect 0 "help" kmon-tail --help
grep -oE '^ +(-., )?--[a-z-]+|^ +-.,' out | grep -oE -- '-[^ ,]+' >options
while read -r option; do
	case $option in -\? | --usage | --help | -V | --version) continue ;; esac
	grep -E '^[^#]*(kmon-tail|bad|writes|for way|for options?) ' "$0" | grep -qE -- " $option([= );\"']|\$)"
	equal "$option is tested: $?" "$option is tested: 0"
done <options
expect 0 "usage" kmon-tail --usage

# Bad values. A row: the message, then the arguments.
bad() {
	expect 2 "bad: $2 ${3-}" kmon-tail "${@:2}"
	has err "^kmon-tail: $1"
}
bad '-p 0: not a process id$' -p 0
bad '-p 1x: not a process id$' --pid=1x
bad '-p 2147483648: not a process id$' -p 2147483648
bad '-t -1: not a process id$' --root -1
bad '-t : not a process id$' -t ''
for option in -c --cgroup --unit --container; do
	bad "(-c|$option) 99.none: (No such file|no name of what has)" $option 99.none
done
bad '-c /proc/version: Not a directory$' -c /proc/version
bad '-u none: no such user$' --user none
bad '-u 4294967295: no such user$' -u 4294967295
bad "-e fork,no: 'no' is none of fork, exec, exit, " --events fork,no
bad "-e lost: 'lost' is none of " -e lost
bad "-e : '' is none of " -e ''
bad '-g \(: .*[(]' --grep '('
bad '-g b: the second one$' -g a -g b
bad '-P no: not a process id$' --parent no
bad '-F \{none}: an unknown field; there are \{time} ' --format '{none}'
bad '-F \{pid: a field without its closing brace$' -F '{pid'
bad '-F \{pid:0}: a width that is no number ' -F '{pid:0}'
bad '-F \{pid:}: a width that is no number ' -F '{pid:}'
bad '-F \{pid:1000}: a width that is no number ' -F '{pid:1000}'
bad '-n 0: not a number above 0$' --count 0
bad '-n 18446744073709551616: not a number above 0$' -n 18446744073709551616
bad '-D 0: not a number of seconds above 0$' --duration 0
bad '-D 1s: not a number of seconds above 0$' -D 1s
bad '-D -1: not a number of seconds above 0$' -D -1
bad '--ring 0: not a number of records$' --ring 0
bad '--ring 4294967296: not a number of records$' --ring 4294967296
bad 'nothing to follow: give -p PID, ' -j
bad 'nothing to follow: give -p PID, ' --
bad '-F and -j: give one of them$' -j -F x true
bad '-i is of lines for people: not with -j$' -j -i true
bad '-i is of the usual lines: not with -F$' -i -F x true
bad '-p is of the running system, -f of a recording: ' -f x -p 1
bad 'a command is of the running system, -f of a recording: ' --from x true
bad '-w is of the running system, -f of a recording: ' -f x -w y
bad '--metrics is of the running system$' -f x --metrics y
bad "unrecognized option '--none'$" --none
bad "invalid option -- 'Z'$" -Z
bad "option requires an argument -- 'p'$" -p
expect 1 "a ring that is too large" kmon-tail --ring 4294967295 true
has err '^kmon-tail: --ring 4294967295: .*kernel.kmonitor.max_ring_records'

# Targets that are not there, or not allowed.
expect 1 "no such process" kmon-tail -p 2147483647
has err '^kmon-tail: -p 2147483647: no such process$'
expect 1 "no such tree" kmon-tail -t 2147483647
has err '^kmon-tail: -t 2147483647: no such process$'
nobody() { su nobody -s /bin/sh -c "$*"; }
expect 1 "all, by nobody" nobody "kmon-tail -a"
has err '^kmon-tail: -a: needs CAP_SYS_PTRACE'
expect 1 "another user, by nobody" nobody "kmon-tail -u root"
has err '^kmon-tail: -u root: another user: needs CAP_SYS_PTRACE \(try sudo\)'
expect 1 "another's process, by nobody" nobody "kmon-tail -p 1"
has err '^kmon-tail: -p 1: not yours, or protected: needs CAP_SYS_PTRACE'
echo 0 >$limits/unprivileged
expect 1 "forbidden to ordinary users" nobody "kmon-tail true"
has err '^kmon-tail: kernel.kmonitor.unprivileged is 0, or seccomp forbids it \(try sudo\)'
expect 0 "but not to root" kmon-tail true
echo 1 >$limits/unprivileged
expect 0 "no privilege for one's own" nobody "kmon-tail true"

# The command's status.
expect 3 "the status is passed on" kmon-tail sh -c 'exit 3'
expect 143 "a deadly signal is passed on" kmon-tail sh -c 'kill -TERM $$'
expect 127 "a program that is not there" kmon-tail -- ./none
has err '^kmon-tail: ./none: No such file or directory$'
touch plain
expect 126 "a file that is no program" kmon-tail ./plain
has err '^kmon-tail: ./plain: Permission denied$'
expect 0 "options behind the command are its own" kmon-tail echo -j --none
has out '^-j --none$'

# The lines.
expect 4 "the usual lines" kmon-tail sh -c '(exit 3); exit 4'
has out '^TIME +EVENT +PID +PPID +UID +COMM +DETAILS$'
has out '^[0-9:.]{12} +exec +[0-9]+ +[0-9]+ +0 sh +dev .*, args 3$'
has out '^[0-9:.]{12} fork .* child [0-9]+$'
has out '^[0-9:.]{12} exit .* exit 3, cpu '
has out 'tree ended: root exit 4, processes 2, failed 2, '
has err '^kmon-tail: 5 records, 2 processes, 0 lost, [0-9.]+ s$'
expect 0 "quiet" kmon-tail -q sh -c true
equal "$(cat out err | wc -c) bytes" "0 bytes"
expect 0 "quiet with a summary" kmon-tail --quiet --stats sh -c '(true); true'
equal "$(wc -c <out) bytes" "0 bytes"
has err '^kmon-tail: 5 records, 2 processes, 0 lost'
has err '^kmon-tail: fork 1, exec 1, exit 2, empty 1$'
expect 0 "JSON" kmon-tail -j sh -c true
equal "$(grep -cvE '^\{"seq":[0-9]+,.*}$' out) other lines" "0 other lines"
has out '"type":"exit",.*"comm":"sh","exit":\{"code":0,'
expect 0 "JSON by its long name" kmon-tail --json true
has out '^\{"seq":1,'
expect 0 "a template" kmon-tail --format='{event:-6}|{comm:4}|{{x}}\t{status}' true
equal "$(cat out)" "$(printf 'exec  |true|{x}\t\nexit  |true|{x}\texit 0\nempty |    |{x}\texit 0')"
expect 0 "each field" kmon-tail -e exec -n 1 -F '{time} {event} {pid} {tid} {ppid} {uid} {user} {comm} {args} {details} {status} {age} {cpu} {seq} {cookie} {start} {cgroup_id} {cgroup} {container}' true
has out '^[0-9]{4}(-[0-9]{2}){2}T[0-9:]+\.[0-9]{6} exec ([0-9]+) \2 [0-9]+ 0 root true .*true dev .*, args 1  [0-9.]+ [0-9]+ 1 0 [0-9]+\.[0-9]{6} [0-9]+ / $'
comm=$(printf 'h\303\251')
rename() { kmon-tail -e exit -n 1 -F '{comm:4}|{comm:-4}|' bash -c "echo -n '$1' >/proc/self/comm"; }
expect 0 "escaped where it is not UTF-8" rename "$comm"
equal "$(cat out)" 'h\xc3\xa9|h\xc3\xa9|'
LC_ALL='' LC_CTYPE=C.UTF-8 expect 0 "padded by characters" rename "$comm"
equal "$(cat out)" "  $comm|$comm  |"
hostile=$(printf '\033[31m\\\r\177')x
expect 0 "hostile names" kmon-tail -e exit bash -c "echo -n '$hostile' >/proc/self/comm"
has out ' \\x1b\[31m\\\\\\x0d\\x7fx +exit 0'
expect 0 "hostile arguments" kmon-tail -A -e exec true "$hostile"
has out ': .*true true .*1b.*0d'
equal "$(tr -d '\n -~' <out | wc -c) foreign bytes" "0 foreign bytes"

expect 0 "arguments" kmon-tail --exec-args sh -c 'quick "a b"; true'
has out " exec .*/quick quick 'a b'\$"
expect 0 "arguments in JSON" kmon-tail -A -j sh -c 'quick "a b"; true'
has out '"args":\["[^"]*/quick","quick","a b"\]'
expect 0 "none unasked" kmon-tail sh -c 'quick "a b"; true'
lacks out 'a b'
expect 0 "by arguments" kmon-tail -g '^/.*quick a.b$' sh -c 'quick "a b"; quick c; true'
equal "$(grep -c ' exec .*quick' out) $(wc -l <out)" "1 2"
expect 0 "by name" kmon-tail --grep '^qui' sh -c 'quick; true'
equal "$(grep -c ' quick ' out) $(wc -l <out)" "2 3"
expect 0 "failures" kmon-tail --failed sh -c '(exit 3); (true); ./none
	sh -c "kill -9 \$\$"; true'
has out ' exit .* exit 3,'
has out ' exit .* killed by SIGKILL,'
has out ' abort .* SIGKILL from process '
lacks out ' (fork|exec) |exit 0, cpu'
expect 126 "an exec that fails is a failure" kmon-tail -x sh -c 'exec ./plain'
has out ' exec-failed .* EACCES'
expect 0 "no failures" kmon-tail -x true
equal "$(wc -l <out) line" "1 line"
expect 0 "children of one" kmon-tail -P $$ sh -c '(true); true'
equal "$(wc -l <out) line" "1 line"
expect 0 "children of the root" kmon-tail -o out -e exit -F '{pid} {ppid}' sh -c '(true); (true); exit 0'
root=$(tail -n 1 out | cut -d' ' -f1)
equal "$(grep -c " $root\$" out) of it" "2 of it"
expect 0 "threads" kmon-tail -H threads 0
equal "$(grep -c ' thread  ' out) $(grep -c ' thread-exit ' out)" "3 7"
expect 0 "threads by their long name" kmon-tail --threads -x threads 0
expect 0 "indented" kmon-tail -i sh -c 'sh -c "(true); true"; true'
equal "$(grep -oE ' 0 +sh' out | grep -c '  *')" "$(grep -cE ' 0 +sh' out)"
has out ' 0     sh +exit 0'
has out ' 0   sh +exit 0'
has out ' 0 sh +exit 0'
expect 0 "indented by its long name" kmon-tail --tree sh -c '(true); true'
has out ' 0   sh +exit 0'
expect 0 "relative" kmon-tail --relative sh -c 'sleep 0.1; true'
equal "$(sed -n '2s/^\([^ ]*\) .*/\1/p' out)" 0.000000
equal "$(awk 'NR > 1 && $1 !~ /^[0-9]+\.[0-9]{6}$/ { bad = 1 } { last = $1 }
	END { print bad + 0, (last >= 0.1) }' out)" "0 1"
expect 0 "a snapshot" kmon-tail -a --snapshot -n 1
has out ' task +1 '
expect 0 "all of a snapshot" kmon-tail --all --snapshot -D 0.1
has out 'snapshot 1 is complete'

# Each kind of record.
# shows KIND COMMAND...
shows() {
	expect 0 "-e $1" kmon-tail -e "$1" "${@:2}"
	has out "^[^ ]+ $1 "
	equal "$(awk -v kind="$1" 'NR > 1 && $2 != kind && $2 != "empty"' out | wc -l) others" "0 others"
}
shows fork sh -c '(true); true'
shows exec true
shows exit true
shows thread threads 0
shows thread-exit threads 0
shows abort sh -c 'sh -c "kill -9 \$\$"; true'
shows coredump bash -c 'cd /tmp; ulimit -c unlimited; bash -c "kill -SEGV \$\$"; true'
shows exec-failed bash -c '(exec ./plain); true'
shows cred su nobody -s /bin/sh -c true
shows comm bash -c 'echo -n renamed >/proc/self/comm'
shows sid sh -c 'setsid true; true'
shows ptrace strace -o /dev/null true

# Targets. A run that was interrupted ends as others do.
summary='^kmon-tail: [0-9]+ records, [0-9]+ lost, '
sh -c 'until [ -e go ]; do sleep 0.05; done; (exit 3); exit 5' &
in_background kmon-tail -o out -p $!
touch go
ended "a process ends the run" 0
equal "$(grep -c ' exit ' out) $(grep -c 'exit 5' out)" "1 1"
rm go
sh -c 'until [ -e go ]; do sleep 0.05; done; (sleep 0.3; exit 3) & exit 5' &
in_background kmon-tail -o out -t $!
touch go
ended "a tree ends the run" 0
has out 'exit 3, cpu'
has out ' empty .*root exit 5'
rm go
sh -c 'until [ -e go ]; do sleep 0.05; done; exit 0' &
in_background kmon-tail -x -o out -p $!
touch go
ended "a success that isn't shown ends the run" 0
lacks out ' exit '
rm go
# Its children, whose end is not reported, are not taken for alive.
sh -c 'until [ -e go ]; do sleep 0.05; done; (true); (sleep 0.1; exit 3)' &
parent=$!
in_background kmon-tail -i -w recording -o out -p $$ -p $parent
touch go
await grep -qE " exit +$parent " out
kill -INT "$pid"
ended "processes and not their children" 130
cp out live
expect 0 "the same again" kmon-tail -i -f recording -o out
same live out "the same"
rm go
# Stopped, so that a ring of two is full: the end of a process waits, that of a member is lost.
for option in -p -t; do
	bash -c 'until [ -e go ]; do sleep 0.05; done; for i in 1 2 3 4 5; do (true); done' &
	victim=$!
	in_background kmon-tail -o out --ring 2 $option $victim
	kill -STOP "$pid"
	touch go
	wait $victim
	kill -CONT "$pid"
	ended "$option that ends behind a full ring ends the run" 0
	has out 'LOST [0-9]+ record'
	case $option in
	-p) has out " exit +$victim .*exit 0" 1 ;;
	-t) lacks out " exit +$victim " ;;
	esac
	rm go
done
in_background kmon-tail -S -o out -u nobody
su nobody -s /bin/sh -c 'quick; true'
quick
kill -INT "$pid"
ended "a user, until interrupted" 130
has err "$summary"
has out ' 65534 quick .*exit 0'
lacks out ' 0 quick '
mkdir /sys/fs/cgroup/tail_test /sys/fs/cgroup/tail_test/inner
for name in tail_test /sys/fs/cgroup/tail_test; do
	in_background kmon-tail -S -o out -c $name
	sh -c 'echo $$ >/sys/fs/cgroup/tail_test/inner/cgroup.procs; quick 1; true'
	quick 1 2
	kill -TERM "$pid"
	ended "a cgroup, until terminated" 143
	has err "$summary"
	has out ' quick .*exit 1,'
	lacks out ' quick .*exit 2,'
done
rmdir /sys/fs/cgroup/tail_test/inner /sys/fs/cgroup/tail_test
expect 0 "a recording" kmon-tail -q -w rec true
expect 0 "names of this system" kmon-tail -n 1 -f rec -F '{user} {cgroup}'
has out '^root /$'
# The boot id is at offset 16 of the first frame.
printf '00000000' | dd of=rec bs=1 seek=16 conv=notrunc 2>err
expect 0 "no names of another" kmon-tail -n 1 -f rec -F '{user} {cgroup}'
has out '^0 unresolved$'
expect 3 "a loss with --format" kmon-tail --ring 2 --fail-on-loss -F '{pid}' bash -c \
	'kill -STOP $PPID; for i in 1 2 3 4; do (true); done; kill -CONT $PPID'
has out 'LOST [0-9]+ record'
expect 0 "-n with records held back" kmon-tail --snapshot -A -n 2 -a
equal "$(grep -c ' task ' out)" 2
digits=$(printf '%064d' 7)
for name in "container docker-$digits.scope docker:$digits ${digits:0:63}" \
	"unit tail_test.service unit:tail_test.service tail_test.service"; do
	read -r option directory shown id <<<"$name"
	mkdir "/sys/fs/cgroup/$directory"
	move="echo \$\$ >/sys/fs/cgroup/$directory/cgroup.procs; quick 1; true"
	in_background kmon-tail -S -o out "--$option" "$id"
	sh -c "$move"
	kill -HUP "$pid"
	ended "a $option" 129
	has err "$summary"
	has out ' quick .*exit 1,'
	expect 0 "the name of a $option" kmon-tail -e exec -F '{comm} {cgroup} {container}' sh -c "$move"
	has out "^quick /$directory $shown\$"
	rmdir "/sys/fs/cgroup/$directory"
done

# Signals with a command.
in_background kmon-tail -o out sh -c 'trap "exit 6" TERM; touch ready; while :; do sleep 0.05; done'
until [ -e ready ]; do sleep 0.05; done
kill -TERM "$pid"
ended "SIGTERM is passed on" 6
rm ready
in_background kmon-tail -o out sh -c 'touch ready; sleep 0.5; exit 7'
until [ -e ready ]; do sleep 0.05; done
kill -INT "$pid"
ended "SIGINT is left to the command" 7
rm ready
in_background kmon-tail -o out sh -c 'trap "" TERM; touch ready; until [ -e go ]; do sleep 0.05; done'
until [ -e ready ]; do sleep 0.05; done
kill -TERM "$pid"
# Once the first one was taken, its default action is back.
while [ $((0x$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$pid/status") & 0x4000)) != 0 ]; do sleep 0.05; done
kill -TERM "$pid"
ended "the second SIGTERM ends it" 143
touch go
rm ready

# When to stop.
expect 0 "a number of records" kmon-tail -n 2 -j sh -c '(true); (true)'
equal "$(wc -l <out) lines" "2 lines"
expect 0 "a time" kmon-tail -D 0.2 sh -c 'echo $$ >sleeper; exec sleep 999'
lacks out ' exit '
await test -s sleeper
kill "$(cat sleeper)"
# Slower than its records come, so that there is always one more.
bash -c 'while :; do (true); done' &
busy=$!
expect 0 "a time without an idle moment" timeout 200 strace -o trace -e inject=write:delay_enter=20000 \
	kmon-tail -l -D 2 --ring 64 -t $busy
has out 'LOST [0-9]+ record'
kill $busy
wait $busy 2>/dev/null

# Places for the output.
expect 0 "to a file" kmon-tail --output file -e exec echo hello
equal "$(cat out)" hello
has file ' exec .* echo '
for full in "-o /dev/full" "-o /dev/full -j" "-o /dev/full -l" "-q -w /dev/full" "-q --metrics /dev/full"; do
	# shellcheck disable=SC2086 # several words
	expect 1 "$full" kmon-tail $full true
	has err "^kmon-tail: .*/dev/full: No space left on device\$"
done
equal "$(stat -c %F /dev/full)" "character special file"
equal "$(cd /dev && echo full*)" full
for none in -o -w --metrics; do
	expect 1 "$none none/x" kmon-tail -q $none none/x true
	has err "^kmon-tail: $none none/x: No such file or directory\$"
done
full() { "$@" >/dev/full; }
expect 1 "a full standard output" full kmon-tail true
has err '^kmon-tail: writing standard output: No space left on device$'
expect 1 "a full one, whatever the command's status" full kmon-tail -j false
closed() { "$@" >&-; }
expect 1 "a closed standard output" closed kmon-tail true
has err '^kmon-tail: writing standard output: Bad file descriptor$'
expect 0 "which is not needed" closed kmon-tail -q true
expect 0 "nor with a file" closed kmon-tail -o file true
kmon-tail --all --snapshot 2>err | head -n 1 >out
equal "a reader that has gone: ${PIPESTATUS[0]}" "a reader that has gone: 141"
equal "$(wc -c <err) bytes" "0 bytes"
(trap '' PIPE; kmon-tail -a --snapshot 2>err; echo $? >status) | head -n 1 >out
equal "one that has gone, and no SIGPIPE: $(cat status)" "one that has gone, and no SIGPIPE: 141"
kmon-tail -q sh -c 'sleep 0.2; exit 9' 2>err | true
equal "one that is not written to: ${PIPESTATUS[0]}" "one that is not written to: 9"

# Colours.
coloured() { grep -c "$(printf '\033')\[" out; }
expect 1 "on a terminal" terminal kmon-tail false
equal "$(coloured) coloured" "2 coloured"
NO_COLOR=1 expect 1 "NO_COLOR" terminal kmon-tail false
equal "$(coloured) coloured" "0 coloured"
TERM=dumb expect 1 "TERM=dumb" terminal kmon-tail false
equal "$(coloured) coloured" "0 coloured"
NO_COLOR='' expect 1 "an empty NO_COLOR" terminal kmon-tail false
equal "$(coloured) coloured" "2 coloured"
kmon-tail false 2>err | cat >out
equal "$(coloured) coloured in a pipe" "0 coloured in a pipe"

# The three ways to take records.
ways='sh -c "quick 1; (exit 3); quick | cat; true"'
for way in --read --mmap --uring; do
	expect 0 "$way" eval kmon-tail $way -o out$way -F "'{event} {comm} {status}'" "$ways"
	LC_ALL=C sort out$way >sorted$way
	same sorted--read sorted$way "$way gives the same"
done
equal "$(wc -l <out--read) records" "14 records"
for way in --read --mmap --uring; do
	expect 3 "$way and a loss" kmon-tail $way --fail-on-loss --ring 2 -o out$way bash -c \
		'kill -STOP $PPID; for i in 1 2 3; do (true); done; kill -CONT $PPID'
	has out$way 'LOST [0-9]+ record'
done
expect 0 "no loss to fail on" kmon-tail --fail-on-loss true

# Recordings: the same lines again.
work() { printf '%s' 'quick "a b"; (exit 3); sh -c "quick & wait"; ./none; kill -9 $$'; }
for options in "" -j -i -A -r "-A -i -r" "-A -j" -x "-g quick" "-e exit,fork" --snapshot \
	"-F {time}|{event}|{args}|{details}|{age}" "-r -F {time}"; do
	# shellcheck disable=SC2086 # several words
	expect 137 "recorded:$options" kmon-tail -w recording -o live $options bash -c "$(work)"
	# shellcheck disable=SC2086 # several words
	expect 0 "replayed:$options" kmon-tail -f recording -o again $options
	same live again "$options is the same"
	equal "$([ "$(wc -l <live)" -gt 2 ] && echo lines)" lines
done
kmon-tail -q --record=recording -A --ring 64 bash -c \
	'for i in $(seq 20); do quick $i; done; kill -STOP $PPID; for i in $(seq 60); do quick $i; done; kill -CONT $PPID; quick'
kmon-tail -f - <recording >out 2>err
has out 'LOST [0-9]+ record'
lacks out '/quick'
expect 3 "a loss in a recording" kmon-tail -S --fail-on-loss --from recording
has err "^kmon-tail: [0-9]+ records, $(sed -n 's/.*LOST \([0-9]*\) rec.*/\1/p' out | awk '{ sum += $1 } END { print sum }') lost"
expect 0 "the beginning of a recording" kmon-tail -f recording -n 3
equal "$(wc -l <out) lines" "4 lines"
expect 0 "a recording by other options" kmon-tail -f recording -e exec -A -g 'quick 7$'
equal "$(grep -c '/quick quick 7$' out) $(grep -c LOST out) $(wc -l <out)" "2 1 4"

expect 3 "a loss behind the last record shown" kmon-tail -e exit -n 1 --fail-on-loss --ring 2 bash -c \
	'kill -STOP $PPID; for i in 1 2 3 4 5; do (true); done; kill -CONT $PPID'
equal "$(wc -l <out) lines" "2 lines"

# A cut one is whole up to its last whole frame.
kmon-tail -q -w recording sh -c '(exit 1); (exit 2)'
kmon-tail -f recording -j >whole
size=$(wc -c <recording) lines=$(wc -l <whole) wrong=0
for cut in $(seq 1 3 128) 127 128 129 255 256 257; do
	head -c $((size - cut)) recording >"cut"
	kmon-tail -f cut -j >out 2>err || wrong=$((wrong + 1))
	head -n $((lines - (cut + 127) / 128)) whole | cmp -s - out || wrong=$((wrong + 1))
done
equal "$wrong cuts are wrong" "0 cuts are wrong"
for bytes in 0 1 127 128 255; do
	head -c $bytes recording >"cut"
	expect 1 "$bytes bytes" kmon-tail -f cut
	has err '^kmon-tail: -f cut: not a recording of kmonitor$'
done
expect 1 "a text" kmon-tail -f whole
has err '^kmon-tail: -f whole: not a recording of kmonitor$'
{ head -c 8 recording; printf '\377'; tail -c +10 recording; } >"cut"
expect 1 "another version" kmon-tail -f cut
has err '^kmon-tail: -f cut: a recording of another version or byte order$'
expect 1 "none" kmon-tail -f none
has err '^kmon-tail: -f none: No such file or directory$'
expect 1 "a directory" kmon-tail -f /
has err '^kmon-tail: -f /: Is a directory$'
cp recording "$dir/private" && chmod 600 "$dir/private"
expect 1 "an unreadable one" nobody "kmon-tail -f $dir/private"
has err '^kmon-tail: -f .*/private: Permission denied$'

# A stream that goes on: what came is shown, and times and signals are heeded.
mkfifo stream
exec 7<>stream
cat recording >stream
in_background kmon-tail -S -o out -f stream
await grep -q ' exit .* exit 2,' out
kill -INT "$pid"
ended "a stream, until interrupted" 130
has err "$summary"
cat recording >stream
expect 0 "a stream for a time" kmon-tail -D 0.3 -f - <stream
has out ' exit .* exit 2,'
# Half a frame is there, of the header or of a record.
head -c 200 recording >stream
expect 1 "a stream that stalls at once, for a time" kmon-tail -f stream -D 0.3
has err '^kmon-tail: -f stream: Timer expired$'
exec 7>&-
exec 7<>stream
head -c 700 recording >stream
expect 0 "a stream that stalls, for a time" kmon-tail -f stream -D 0.3
equal "$(wc -l <out) lines" "3 lines"
exec 7>&-
expect 1 "a stream that nobody writes, for a time" kmon-tail -f stream -D 0.3
kmon-tail -f - 2>err < <(cat recording; exec sleep 9) | head -n 1 >out
equal "nobody reads what a stream has: ${PIPESTATUS[0]}" "nobody reads what a stream has: 141"
expect 0 "a stream that ends" bash -c 'cat recording | kmon-tail -f -'
has out ' exit .* exit 2,'

# Line by line, or as much as there is.
kmon-tail -q -w recording sh -c '(exit 1); (exit 2); (exit 3)'
writes() { strace -e trace=write -o trace kmon-tail -f recording "$@" >out 2>err; grep -c '^write(1' trace; }
equal "$(writes --line-buffered) writes" "$(wc -l <out) writes"
equal "$(writes -l) writes" "$(wc -l <out) writes"
equal "$(writes) writes" "2 writes"

# Counters.
expect 0 "metrics" kmon-tail -q --metrics metrics sh -c '(true); (true); true'
has metrics '^kmonitor_records_matched_total 7$'
has metrics '^kmonitor_records_recorded_total 7$'
has metrics '^kmonitor_records_lost_total 0$'
has metrics '^kmonitor_lag_seconds [0-9.e-]+$'
equal "$(grep -c '^# HELP ' metrics) $(grep -c '^# TYPE ' metrics) $(grep -c '^kmonitor_' metrics)" "6 6 6"
equal "$(echo metrics*)" metrics
in_background kmon-tail -S -o out --metrics metrics -a
sleep 1.5
quick
before=$(cat metrics)
until [ "$(cat metrics)" != "$before" ]; do sleep 0.1; done
equal "each second" "each second"
kill -INT "$pid"
ended "metrics of all" 130
has err "$summary"
expect 0 "metrics by a pipe" bash -c 'kmon-tail -q --metrics >(cat >piped) true'
await test -s piped
has piped '^kmonitor_records_matched_total '

# The examples of the manual page, of a build of their own.
printf '#!/bin/sh\nquick; quick 1; sh -c "kill -9 \\$\\$"; true\n' >"make"
chmod +x make
cp make script
PATH=$dir:$PATH
expect 0 "example: what a build runs" kmon-tail -o build.log make
has build.log ' quick +exit 0, cpu '
expect 0 "example: what fails in it" kmon-tail -x -A make
has out ' quick +exit 1, cpu '
lacks out ' quick +exit 0, cpu '
expect 0 "example: commands anywhere" kmon-tail -a -e exec -A -D 0.2
expect 0 "example: killed by a signal" kmon-tail --json -e exit ./script
has out '"exit":\{"signal":"SIGKILL",'
expect 0 "example: names, ages, statuses" kmon-tail -e exit -F '{comm:-15} {age:10} {status}' make
has out '^quick {10} +[0-9.]+ exit 1$'
expect 0 "example: a recording" kmon-tail -q -A -w build.kmon make
expect 0 "example: what it has of some" kmon-tail -f build.kmon -A -i -g 'quick 1|ld'
has out ' exec .*quick 1$'

# A reader that sleeps through a storm: exact losses, and memory that does not grow.
# storm FORKS OPTION...: the peak of kmon-tail in KiB.
storm() {
	rm -f "done"
	kmon-tail -e exit -j -o peaks bash -c '
		forks=$1
		shift
		kmon-tail -S --metrics metrics "$@" bash -c "
			for ((i = 0; i < $forks; i++)); do (exit 1); done; touch done" 2>err |
			(until [ -e done ]; do sleep 0.1; done; cat) >out' - "$@" 2>/dev/null
	sed -n 's/.*"comm":"kmon-tail","exit":.*"maxrss_kib":\([0-9]*\).*/\1/p' peaks
}
number() { sed -n "s/^kmonitor_records_$1_total //p" metrics; }
for way in --read --mmap; do
	few=$(storm 20 -j --ring 64 $way)
	many=$(storm 1000 -j --ring 64 $way)
	equal "$([ "$(number lost)" -gt 100 ] && echo losses)" losses
	equal "$(sed -n 's/.*"lost":{"count":\([0-9]*\).*/\1/p' out | awk '{ sum += $1 } END { print sum }') lost" \
		"$(number lost) lost"
	equal "$(grep -vc '"type":"lost"' out) recorded" "$(number recorded) recorded"
	has err "^kmon-tail: [0-9]+ records, 1001 processes, $(number lost) lost, "
	equal "$(number matched) matched" "$(($(number recorded) + $(number lost))) matched"
	equal "$(grep -c '"type":"empty".*"members":1001,"failed":1000,' out) empty" "1 empty"
	equal "$few to $many KiB: $([ "$many" -lt $((few + 512)) ] && echo bounded)" \
		"$few to $many KiB: bounded"
done

finish
