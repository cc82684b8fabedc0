#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A command runs below each of the tools as it does without: with its input, descriptors,
# and signals. Its status is passed on.
# Shells inside have their own variables; functions go to expect.
# shellcheck disable=SC2016,SC2317
set -u

. "$(dirname "$0")/helpers/checks.sh"

tools=("kmon-run -q" "kmon-tail -q" "kmon-tail -q --uring"
	"kmon-tail -o lines -w recording" "kmon-tree -q" "kmon-plot -q -o plot.svg")
show_signals="grep -E ^(Sig(Blk|Ign|Cgt)|NoNewPrivs|Seccomp): /proc/self/status"
printf 'exit 3\n' >plain
chmod 755 plain
touch data

for tool in "${tools[@]}"; do
	# Several words each, by intent.
	# shellcheck disable=SC2086
	{
		echo hi | $tool -- cat >out 2>err
		equal "$tool, input: $(cat out)" "$tool, input: hi"
		$show_signals >plainly
		expect 0 "$tool, signals" $tool -- $show_signals
		same plainly out "$tool leaves signals"
		for signal in 1 13 17; do
			odd_life ignore $signal $show_signals >plainly
			expect 0 "$tool, signal $signal ignored" \
				odd_life ignore $signal $tool -- $show_signals
			same plainly out "$tool leaves the ignored signal $signal"
		done
		ls /proc/self/fd >plainly
		expect 0 "$tool, descriptors" $tool -- ls /proc/self/fd
		same plainly out "$tool leaves descriptors"
		expect 42 "$tool, SIGCHLD ignored" odd_life ignore 17 $tool -- sh -c 'exit 42'
		$tool -- sh -c 'exit 42' <&- >&- 2>err
		equal "$tool, no input and output: $?" "$tool, no input and output: 42"
		expect 130 "$tool, killed by SIGINT" $tool -- sh -c 'kill -INT $$'
		expect 3 "$tool, a status of more than a byte" $tool -- odd_life status 259
		expect 255 "$tool, a negative status" $tool -- odd_life status -1
		expect 127 "$tool, no such program" $tool -- ./none
		expect 126 "$tool, no program" $tool -- ./data
		expect 3 "$tool, a script without an interpreter" $tool -- ./plain
	}
done

finish
