#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# stress.sh BUILD FLAVOUR MINUTES: races everything against everything in a VM for
# MINUTES minutes; its leak scan and its kernel log count, too. VCPUS= sets the number of
# processors.
set -eu -o pipefail
stress_dir=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../vm/common.sh
. "$stress_dir/../vm/common.sh"

build=$1 flavour=$2 seconds=$(($3 * 60))
check_flavour "$flavour"
VCPUS=$(count_vcpus "$flavour")
export VCPUS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VM_MEMORY="${VM_MEMORY:-4G}"

parameters="kmon.mode=check kmon.hold=1 kmon.seconds=$seconds kmon.limit=$((seconds + 300))"

"$vm_dir/packages.sh" user vm
image=$("$vm_dir/build-kernel.sh" "$flavour") || die "no kernel"
"$vm_dir/mkinitramfs.sh" "$image" "$build" "$work/initramfs" 'stress/*'
say "stressing the $flavour kernel with $VCPUS processor(s) for $seconds seconds"
attend "$vm_dir/qemu.sh" "$image" "$work/initramfs" "$work/outcome" $((seconds * 2 + 900)) \
	"loglevel=4 log_buf_len=8M $parameters" </dev/null || true

verdict=$(tr -d '\r' <"$work/outcome" | sed -n '$s/^verdict: //p')
[ -n "$verdict" ] || die "the VM ended without a verdict"
tr -d '\r' <"$work/outcome" | sed '/^verdict: /d; s/^/FAILED: /'
echo "$verdict"
[[ $verdict == *', 0 failed,'* ]]
