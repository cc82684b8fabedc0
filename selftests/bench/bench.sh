#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bench.sh BUILD: measures the costs of kmonitor in instructions of the guest, on a VM that
# counts them, and prints case, cost, target and result. The kernel without CONFIG_KMONITOR
# gives what the cases of a closed kmonitor are compared with.
set -eu -o pipefail
bench_dir=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../vm/common.sh
. "$bench_dir/../vm/common.sh"

build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VCPUS=1 VM_ICOUNT=1 VM_MEMORY=4G

# costs FLAVOUR: prints case and cost.
costs() {
	image=$("$vm_dir/build-kernel.sh" "$1") || die "no kernel"
	"$vm_dir/mkinitramfs.sh" "$image" "$build" "$work/initramfs" 'bench/*'
	say "counting the instructions of the $1 kernel"
	attend "$vm_dir/qemu.sh" "$image" "$work/initramfs" "$work/outcome" 1800 \
		"loglevel=4 kmon.mode=check kmon.limit=1700" </dev/null >"$work/console" || true
	if ! tr -d '\r' <"$work/outcome" | grep -q '^verdict: 1 passed, 0 failed'; then
		cat "$work/console" >&2
		die "the VM did not finish"
	fi
	sed -n 's/^cost\t//p' "$work/console"
}

"$vm_dir/packages.sh" user vm
costs off >"$work/off"
costs release >"$work/release"

# A target of 30 is zero within the error of the method.
awk -F '\t' -v OFS='\t' '
FILENAME == ARGV[1] { off[$1] = $2; next }
FILENAME == ARGV[2] { cost[$1] = $1 in off ? $2 - off[$1] : $2; next }
/^#/ { next }
!($1 in cost) { print $1, "-", $2, "not supported"; next }
{
	result = $2 == "-" ? "-" : cost[$1] <= $2 ? "ok" : "over"
	if (result == "over") over = 1
	print $1, cost[$1], $2, result
}
END { exit over }' "$work/off" "$work/release" "$bench_dir/targets.tsv"
