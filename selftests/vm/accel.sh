#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# accel.sh IMAGE: prints QEMU's options for the accelerator. A /dev/kvm can exist and never
# run a guest, so KVM is taken only after a probe boot; the answer holds until reboot.
set -eu
. "$(dirname "$0")/common.sh"

image=$1
answer=$cache_dir/accel-$(cat /proc/sys/kernel/random/boot_id)

probe() {
	[ -w /dev/kvm ] || return 1
	say "probing KVM for up to 5 seconds"
	# Without a root file system a kernel that runs ends in a panic.
	timeout -k 1 5 qemu-system-x86_64 -accel kvm -cpu host -m 256M -no-reboot \
		-display none -monitor none -serial stdio -kernel "$image/bzImage" \
		-append "console=ttyS0 panic=-1" </dev/null 2>/dev/null | grep -q 'Kernel panic'
}

if [ ! -f "$answer" ]; then
	rm -f "$cache_dir"/accel-*
	if probe; then
		echo "-accel kvm -cpu host" >"$answer"
	else
		echo "-accel tcg,thread=multi -cpu max,la57=off" >"$answer"
	fi
fi
cat "$answer"
