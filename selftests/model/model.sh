#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# model.sh BUILD short|long [PATTERN]: checks ring.pml with spin: each configuration must hold,
# each mutation must be refuted. PATTERN chooses some of them by name.
set -eu
model_dir=$(cd "$(dirname "$0")" && pwd)
work=$1/model bounds=${2:-short} pattern=${3:-*}
passed=0 failed=0 skipped=0
mkdir -p "$work"

# The configurations: size, watermark, records of a read buffer, and what runs.
configuration() {
	case $1 in
	single) echo '4 1 1 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) reader(0,FOREVER)' ;;
	lap) echo '2 1 1 producer(SINGLE,OTHER,3) reader(0,FOREVER)' ;;
	loss) echo '2 1 1 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) reader(0,FOREVER)' ;;
	spill) echo '2 1 2 producer(SINGLE,OTHER,4) producer(SINGLE,OTHER,1) reader(0,FOREVER)' ;;
	pair) echo '2 1 2 producer(PAIR,OTHER,1) producer(SINGLE,EXIT,1) reader(0,FOREVER)' ;;
	group) echo '4 2 1 producer(PAIR,OTHER,1) producer(SINGLE,EXIT,1) reader(0,FOREVER)' ;;
	group_loss) echo '2 2 2 producer(PAIR,OTHER,1) producer(SINGLE,EXIT,1) reader(0,FOREVER)' ;;
	watermark) echo '4 2 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,FOREVER)' ;;
	urgent) echo '4 4 1 producer(SINGLE,OTHER,1) producer(URGENT,EXIT,1) reader(0,FOREVER)' ;;
	urgent3) echo '4 3 1 producer(SINGLE,OTHER,2) producer(URGENT,EXIT,1) reader(0,FOREVER)' ;;
	delay) echo '4 4 2 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) reader(0,FOREVER)' ;;
	urgent_loss) echo '2 2 1 producer(SINGLE,OTHER,2) producer(URGENT,EXIT,1) reader(0,FOREVER)' ;;
	readers) echo '4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,1) reader(1,FOREVER)' ;;
	readers2) echo '4 2 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,1) reader(1,FOREVER)' ;;
	exclusive) echo '4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,1) reader(1,FOREVER)' ;;
	shared) echo '4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) reader(0,FOREVER) mmap_taker(1)' ;;
	nowait) echo '4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) nowait_reader(0)' ;;
	mmap) echo '4 1 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) mmap_consumer(0)' ;;
	mmap2) echo '4 2 1 producer(SINGLE,OTHER,1) producer(SINGLE,EXIT,1) mmap_consumer(0)' ;;
	mmap_loss) echo '2 1 1 producer(SINGLE,OTHER,3) mmap_consumer(0)' ;;
	hostile_copy) echo '2 1 1 producer(SINGLE,OTHER,3) reader(0,1) liar(2)' ;;
	hostile) echo '2 1 1 producer(SINGLE,OTHER,2) producer(SINGLE,EXIT,1) liar(2)' ;;
	*) return 1 ;;
	esac
}

# Writes the model of configuration $1 with mutation $2, if any, and makes its verifier.
make_pan() {
	read -r size watermark buffer run <<<"$(configuration "$1")"
	{
		printf '#define %s\n' "SIZE $size" "WATERMARK $watermark" "BUFFER $buffer" \
			"PRODUCERS $(grep -o producer <<<"$run" | wc -l)"
		[ "$1" != exclusive ] || echo '#define EXCLUSIVE'
		[[ $run != *nowait* ]] || echo '#define NOWAIT'
		[[ $run != *liar* ]] || echo '#define HOSTILE'
		((watermark == 1)) || echo '#define COARSE'
		[ -z "${2-}" ] || printf '#define %s\n' ${2//+/ }
		printf '#define RUN'
		for process in $run; do
			case $process in
			producer* | liar* | mmap_taker*) ;;
			mmap_consumer*) printf ' gone[%s] = false; waiting[%s] = true;' 0 0 ;;
			*) n=${process#*(} && printf ' gone[%s] = false;' "${n:0:1}" ;;
			esac
			printf ' run %s;' "$process"
		done
		printf '\n#include "%s/ring.pml"\n' "$model_dir"
	} >model.pml
	spin -a model.pml >spin.log && gcc -w -O0 -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c
}

# Runs the verifier and prints its states and time.
run_pan() {
	timeout -s INT ${LIMIT:-600} ./pan -n -m200000 >pan.log 2>&1 || true
	states=$(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log | head -n 1)
	took=$(sed -n 's/.*elapsed time \([0-9.]*\).*/\1/p' pan.log)
	printf '%-42s %-10s %10s states %7s s  ' "$1" "$2" "$states" "$took"
}

holds() {
	make_pan "$1" "${2-}" && run_pan "$1" "${2:+covered}"
	if grep -q 'errors: 0' pan.log && ! grep -Eq 'not completed|too small' pan.log; then
		echo holds
		passed=$((passed + 1))
	else
		echo "FAILED: $(grep -m 1 -E 'pan:|error' pan.log)"
		failed=$((failed + 1))
	fi
}

is_refuted() {
	make_pan "$2" "$1" && run_pan "$1" "$2"
	if grep -q 'assertion violated' pan.log; then
		echo refuted
		passed=$((passed + 1))
	else
		echo FAILED: survives
		failed=$((failed + 1))
	fi
}

check() {
	# shellcheck disable=SC2254 # a pattern
	case $1$2 in
	$pattern) ;;
	*) return 0 ;;
	esac
	rm -rf "$work/$1$2" && mkdir -p "$work/$1$2" && cd "$work/$1$2"
	if [ -n "$2" ]; then is_refuted "$1" "$2"; else holds "$1"; fi
}

while read -r name configuration; do check "$name" "$configuration"; done <<'END'
single
lap
loss
spill
pair
group
group_loss
watermark
urgent
urgent3
delay
urgent_loss
readers
readers2
exclusive
shared
nowait
mmap
mmap2
mmap_loss
hostile_copy
hostile
NO_A loss
NO_B single
NO_C nowait
NO_D lap
NO_D_MMAP mmap_loss
NO_E single
NO_E_LOSS loss
NO_F single
NO_F_MMAP mmap
NO_G watermark
NO_H watermark
NO_RMB hostile_copy
WITHOUT_ANNOUNCED urgent
WITHOUT_TIMER_WAKES urgent
WITHOUT_IN_FLIGHT delay
WITHOUT_USED watermark
WITHOUT_URGENT_WAKES urgent
WITHOUT_LOOK_BEHIND shared
WITHOUT_LOSS_WAKES loss
WITHOUT_WAKE_NEXT exclusive
WITHOUT_READER_TIMER readers2
WITHOUT_STAMPS hostile
WITHOUT_LOST_FIRST loss
WITHOUT_SPILL_LOCK spill
WITHOUT_DRAINED loss
WITHOUT_WHOLE_GROUPS pair
WITHOUT_STATE_CHECK hostile_copy
WITHOUT_MAXIMUM urgent3
WITHOUT_WAIT nowait
WITHOUT_SECOND_LOOK nowait
WITHOUT_ANNOUNCED+WITHOUT_TIMER_WAKES urgent
WITHOUT_ANNOUNCED+WITHOUT_TIMER_WAKES delay
END

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
