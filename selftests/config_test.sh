#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# On a kernel without kmonitor each tool says so, and runs nothing.
set -u

. "$(dirname "$0")/helpers/checks.sh"

# try WITHOUT WITH COMMAND...: its status on a kernel without kmonitor, and on one with it.
try() {
	local without=$1 with=$2
	shift 2
	rm -f ran
	if [ -e /proc/sys/kernel/kmonitor ]; then
		expect "$with" "$*" "$@"
		lacks err 'has no kmonitor'
	else
		expect "$without" "$*" "$@"
		has err "^$1: this kernel has no kmonitor \(CONFIG_KMONITOR\); try \`make run\`" 1
		equal "$(find . -name ran -o -name plot.svg | wc -l) files" "0 files"
	fi
}

try 1 0 kmon-tail touch ran
try 1 0 kmon-tree touch ran
try 1 0 kmon-plot -o plot.svg touch ran
try 125 0 kmon-run touch ran
try 125 124 kmon-wait -T 0.1 1

finish
