#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# model.sh BUILD short|long [PATTERN]: checks ring.pml with spin: each configuration must hold, and
# each mutation, of a barrier or of a rule, must be refuted. PATTERN chooses some by name.
set -eu
model_dir=$(cd "$(dirname "$0")" && pwd)
work=$1/model bounds=${2:-short} pattern=${3:-*}
passed=0 failed=0 skipped=0
mkdir -p "$work"

# Name, size, watermark, records of a read buffer, and what runs.
short_configurations='
single 4 1 1 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) reader(0,FOREVER)
lap 2 1 1 producer(SINGLE,OTHER,3) reader(0,FOREVER)
loss 2 1 1 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) reader(0,FOREVER)
spill 2 1 2 producer(SINGLE,OTHER,5) reader(0,FOREVER)
pair 4 1 2 producer(PAIR,OTHER,2) producer(SINGLE,EXIT,1) reader(0,FOREVER)
watermark 4 2 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,FOREVER)
urgent 8 4 1 producer(SINGLE,OTHER,1) producer(URGENT,EXIT,1) reader(0,FOREVER)
shared 4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,FOREVER) mmap_taker(1)
nowait 4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) nowait_reader(0)
mmap 4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) mmap_consumer(0)
mmap2 4 2 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) mmap_consumer(0)
mmap_loss 2 1 1 producer(SINGLE,OTHER,3) mmap_consumer(0)
hostile 2 1 1 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) liar(2)
hostile_copy 2 1 1 producer(SINGLE,OTHER,3) reader(0,1) liar(2)
'
long_configurations='
spill_race 2 1 2 producer(SINGLE,OTHER,4) producer(SINGLE,OTHER,1) reader(0,FOREVER)
group 4 2 1 producer(PAIR,OTHER,1) producer(SINGLE,EXIT,1) reader(0,FOREVER)
urgent3 8 3 1 producer(SINGLE,OTHER,2) producer(URGENT,EXIT,1) reader(0,FOREVER)
delay 8 4 2 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) reader(0,FOREVER)
readers 4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,1) reader(1,FOREVER)
readers2 4 2 1 producer(SINGLE,OTHER,2) reader(0,1) reader(1,FOREVER)
exclusive 4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,1) reader(1,FOREVER)
mmap_more 4 2 1 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) mmap_consumer(0)
hostile_readers 2 1 1 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) reader(0,1) liar(2)
'

# Mutations, several with +, and where they are to be refuted.
mutations='
NO_A loss
NO_B single
NO_C nowait
NO_D lap
NO_D_MMAP mmap_loss
NO_E single
NO_E pair
NO_E_LOSS loss
NO_F single
NO_F_MMAP mmap
NO_G watermark
NO_H watermark
NO_RMB hostile_copy
WITHOUT_ANNOUNCED urgent
WITHOUT_TIMER_WAKES urgent
WITHOUT_ANNOUNCED+WITHOUT_TIMER_WAKES urgent
WITHOUT_ANNOUNCED+WITHOUT_TIMER_WAKES delay
WITHOUT_IN_FLIGHT delay
WITHOUT_USED watermark
WITHOUT_URGENT_WAKES urgent
WITHOUT_LOOK_BEHIND shared
WITHOUT_LOSS_WAKES loss
WITHOUT_WAKE_NEXT exclusive
WITHOUT_READER_TIMER readers2
WITHOUT_STAMPS hostile
WITHOUT_LOST_FIRST spill
WITHOUT_LOSS_LOCK spill_race
WITHOUT_LOCKED_REPORT spill
WITHOUT_DRAINED loss
WITHOUT_WHOLE_GROUPS pair
WITHOUT_STATE_CHECK hostile_copy
WITHOUT_MAXIMUM urgent3
WITHOUT_WAIT nowait
WITHOUT_SECOND_LOOK nowait
'

# Mutations that something else covers: they must hold, or the comment is wrong that says so.
covered='
NO_G_ALONE mmap2
'
long_covered='
NO_G_ALONE watermark
NO_G_ALONE readers2
'

# Compiling costs most of the short form; the size of the hash table is 2 to the power of hash.
optimize=-O0 hash=20
[ "$bounds" = short ] || optimize=-O2 hash=25

# Writes the model of configuration $1 with mutations $2, if any, and makes its verifier.
make_verifier() {
	local name size watermark buffer run process who
	read -r name size watermark buffer run < <(
		grep "^$1 " <<<"$short_configurations$long_configurations")
	{
		printf '#define %s\n' "SIZE $size" "WATERMARK $watermark" "BUFFER $buffer" \
			"PRODUCERS $(grep -o producer <<<"$run" | wc -l)"
		[ "$watermark" = 1 ] || echo '#define COARSE'
		[ "$name" != exclusive ] || echo '#define EXCLUSIVE'
		[[ $run != *nowait* ]] || echo '#define NOWAIT'
		[[ $run != *liar* ]] || echo '#define HOSTILE'
		# shellcheck disable=SC2086 # a list of words
		[ -z "$2" ] || printf '#define %s\n' ${2//+/ }
		for process in $run; do
			printf '#define RUNS_%s\n' "${process%%(*}"
		done
		printf '#define RUN'
		for process in $run; do
			who=${process#*(} who=${who:0:1}
			case $process in
			mmap_consumer*) printf ' gone[%s] = false; waiting[%s] = true;' "$who" "$who" ;;
			*reader*) printf ' gone[%s] = false;' "$who" ;;
			esac
			printf ' run %s;' "$process"
		done
		printf '\n#include "%s/ring.pml"\n' "$model_dir"
	} >model.pml
	spin -a model.pml >spin.log &&
		gcc -w "$optimize" -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c
}

# Says how configuration $1 with mutations $2 has come out: holds, refuted, or why neither.
verify() {
	make_verifier "$1" "$2" || { echo 'no verifier'; return; }
	./pan -n -m200000 -w"$hash" >pan.log 2>&1 || true
	if grep -q 'assertion violated' pan.log; then
		echo refuted
	elif grep -q 'errors: 0' pan.log && ! grep -Eq 'not completed|too small' pan.log; then
		echo holds
	else
		grep -m 1 -E 'pan:|error|memory' pan.log || echo 'no verdict'
	fi
}

# Expects $1 of configuration $2 with mutations $3.
expect() {
	local outcome states took
	# shellcheck disable=SC2053 # a pattern
	[[ $2${3:+ $3} == $pattern ]] || return 0
	mkdir -p "$work/$2$3" && cd "$work/$2$3"
	rm -f pan* model.*
	outcome=$(verify "$2" "$3")
	states=$(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log | head -n 1)
	took=$(sed -n 's/.*elapsed time \([0-9.]*\).*/\1/p' pan.log)
	if [ "$outcome" = "$1" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		outcome="FAILED: $outcome instead of $1; spin -t -p in $PWD shows a trail"
	fi
	printf '%-16s %-38s %9s states %6s s  %s\n' "$2" "$3" "$states" "$took" "$outcome"
}

# Does so for each line of stdin: a configuration, or mutations and a configuration.
expect_each() {
	while read -r first second _; do
		case $first in
		'') ;;
		[A-Z]*) expect "$1" "$second" "$first" ;;
		*) expect "$1" "$first" '' ;;
		esac
	done
}

expect_each holds <<<"$short_configurations"
[ "$bounds" = short ] || expect_each holds <<<"$long_configurations"
expect_each refuted <<<"$mutations"
expect_each holds <<<"$covered"
[ "$bounds" = short ] || expect_each holds <<<"$long_covered"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
