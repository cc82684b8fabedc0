#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A second opinion: the records of a descriptor for the whole machine about a script of more than
# 200 processes is what strace -f saw, as sets of (pid, parent, name, status).
set -u

# Failures, signals, threads, pipelines, subshells, orphans. Run under strace.
workload() {
	ulimit -c 0
	for i in $(seq 25); do
		(exit "$i")
		quick a b c "$i"
		quick | cat | wc -l
	done
	for signal in HUP INT QUIT ABRT KILL SEGV PIPE TERM USR1; do
		bash -c "kill -$signal \$\$"
		# bash ignores INT and QUIT in the background. The victim must not be in
		# an exec: strace doesn't show whether one that is cut off succeeded.
		[[ $signal == INT || $signal == QUIT ]] ||
			( (while :; do :; done) & kill -$signal $!; wait $!)
	done
	ulimit -c unlimited
	bash -c 'kill -SEGV $$'
	for i in $(seq 4); do
		threads "$i"
		threads 0 "$(command -v quick)" x y
		(quick & quick & wait)
		(bash -c 'quick & quick x &' &)
	done
	printf '#!/bin/bash\nquick 1 2 3 4 5\n' >a-script-with-a-long-name
	chmod +x a-script-with-a-long-name
	./a-script-with-a-long-name
	./does-not-exist
	bash -c 'exec ./does-not-exist; exit 3'
	diff <(seq 10) <(seq 11)
	seq 100 | while read -r n; do [ "$n" -lt 3 ] || exit 9; quick "$n"; done
	wait
}

if [ "${1:-}" = workload ]; then
	workload >/dev/null 2>&1
	exit 42
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
script=$(readlink -f "$0")
cd "$dir" || exit 1

fail() {
	echo "# $*"
	echo "not ok 1 an_fd_for_all_reports_what_strace_saw"
	exit 1
}

echo "TAP version 13"
echo "1..1"
record "$dir/records" strace -f -q --seccomp-bpf -o "$dir/trace" \
	-e trace=fork,vfork,clone,clone3,execve,execveat bash "$script" workload
status=$?
[ $status = 42 ] || fail "expected status 42 from the workload, got $status"
! grep -q '^lost' records || fail "records were lost: $(grep '^lost' records)"

# From strace: forks and the names of programs, until each process ends. A child may have
# lines before the line of its birth, so births are taken in a first reading.
awk '
function leader(tid) {
	while (tid in thread)
		tid = creator[tid]
	return tid
}

# A process without a name yet has that of its parent, who is still in the call.
function name(pid) {
	return pid in comm ? comm[pid] : comm[leader(creator[pid])]
}

function result(text) {
	return sub(/.*\) += /, "", text) && text ~ /^[0-9]/ ? text + 0 : -1
}

function birth(tid, text) {
	creator[result(text)] = tid
	if (text ~ /CLONE_THREAD/)
		thread[result(text)]
}

function program(text) {
	sub(/^[^"]*"/, "", text)
	sub(/".*/, "", text)
	sub(/.*\//, "", text)
	return substr(text, 1, 15)
}

function end(pid, status) {
	if (!(pid in thread))
		print pid, pid in creator ? leader(creator[pid]) : "-", status, name(pid)
}

BEGIN {
	split("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM", names)
	for (i in names)
		number["SIG" names[i]] = i
}

{
	tid = $1
	text = $0
	sub(/^[0-9]+ +/, "", text)
}

# A call that was interrupted by another line is put together.
text ~ /^--- / { next }
text ~ /^\+\+\+ superseded by execve/ {
	if (begun[$8] ~ /^execve/)
		comm[tid] = program(begun[$8])
	next
}
text ~ /<unfinished \.\.\.>$/ { sub(/ *<unfinished.*/, "", text); begun[tid] = text; next }
text ~ /^<\.\.\. / { sub(/^<[^>]*>/, "", text); text = begun[tid] text }

NR == FNR {
	if (text ~ /^(clone|fork|vfork)/ && result(text) > 0)
		birth(tid, text)
	next
}

text ~ /^(clone|fork|vfork)/ && result(text) > 0 && !(result(text) in comm) {
	comm[result(text)] = name(leader(tid))
}
text ~ /^execve/ && (result(text) == 0 || text ~ /<pid changed to [0-9]+ \.\.\.>$/) { comm[leader(tid)] = program(text) }
text ~ /^\+\+\+ exited with / { end(tid, $5 * 256) }
text ~ /^\+\+\+ killed by / { end(tid, number[$5] + (text ~ /core dumped/ ? 128 : 0)) }
' trace trace | sort >expected

# From the records: the descendants of the process that strace started.
root=$(head -n 1 trace | cut -d' ' -f1)
awk -v root="$root" '
BEGIN { member[root] = 1; parent[root] = "-" }
$1 == "fork" && $2 == $3 && $5 in member { member[$2] = 1; parent[$2] = $5 }
$1 == "exit" && $2 in member {
	pid = $2
	status = $3
	sub(/^exit [0-9]+ [0-9]+ /, "")
	print pid, parent[pid], status, $0
}
' records | sort >seen

count=$(wc -l <expected)
[ "$count" -ge 200 ] || fail "expected 200 processes at least, strace saw $count"
if ! diff expected seen >difference; then
	sed 's/^/# /' difference
	fail "strace (-) and the records (+) differ: pid, parent, status, name"
fi
for what in " 256 " " 11 " " 139 " " 9 " threads quick a-script-with-a; do
	grep -q "$what" seen || fail "the workload had no '$what'"
done
echo "# $count processes, $(grep -c '^fork' records) forks and threads of the machine"
echo "ok 1 an_fd_for_all_reports_what_strace_saw"
