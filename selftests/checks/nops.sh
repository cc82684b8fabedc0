#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# nops.sh IMAGE: shows from the built vmlinux that each hook is a nop while no descriptor is
# open: the instruction at every jump label of kmonitor_key. Prints TAP.
set -eu -o pipefail

vmlinux=$1/vmlinux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Addresses by their low 32 bits: the kernel's text and data share the high ones.
symbol() { nm "$vmlinux" | gawk -v name="$1" '$3 == name { print substr($1, 9) }'; }
key=$(symbol kmonitor_key)
start=$(symbol __start___jump_table)
stop=$(symbol __stop___jump_table)

# struct jump_entry { s32 code; s32 target; long key; }, each relative to itself.
objdump -s --start-address="0xffffffff$start" --stop-address="0xffffffff$stop" "$vmlinux" |
	gawk -v key="$key" '
	function word(hex) {
		return strtonum("0x" substr(hex, 7, 2) substr(hex, 5, 2) substr(hex, 3, 2) substr(hex, 1, 2))
	}
	/^ ffffffff/ {
		at = strtonum("0x" substr($1, 9))
		# The low bits of the key say likely or unlikely, and init.
		k = (at + 8 + word($4)) % 2^32
		if (k - k % 4 == strtonum("0x" key))
			printf "ffffffff%08x\n", (at + word($2)) % 2^32
	}' >"$work/sites"

count=0 bad=0
while read -r site; do
	line=$(objdump -d --start-address="0x$site" --stop-address="$(printf '0x%x' $((0x$site + 8)))" \
		"$vmlinux" | grep -m 1 "^$site:")
	where=$(addr2line -f -e "$vmlinux" "0x$site" | head -n 1)
	count=$((count + 1))
	case $line in
	*nop* | *xchg*%ax,%ax*) echo "ok $count hook_is_a_nop_in_$where" ;;
	*)
		echo "not ok $count hook_is_a_nop_in_$where: $line"
		bad=$((bad + 1))
		;;
	esac
done <"$work/sites"
echo "1..$count"
# Inherit, fork, exec before and after, thread exit and process exit.
[ $count -ge 6 ] || {
	echo "not ok $((count + 1)) all_hooks_are_there: $count jump labels, expected 6 or more"
	exit 1
}
[ $bad = 0 ]
