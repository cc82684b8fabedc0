#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# qemu.sh IMAGE INITRAMFS OUTCOME SECONDS APPEND [OPTION...]: boots the image with the console
# on stdin and stdout and the outcome port in a file; ends when the VM does, at the time
# limit, or by a signal, and leaves nothing running. VCPUS and VM_MEMORY size the VM;
# VM_THREAD=single emulates all its processors in one thread; VM_ICOUNT=1 has its clocks count
# its instructions, of which a repeated one counts by its repetitions: hence by words, not bytes.
set -eu
. "$(dirname "$0")/common.sh"

image=$1 initramfs=$2 outcome=$3 seconds=$4 append=$5
shift 5
options=$("$vm_dir/accel.sh" "$image")
read -ra accel <<<"${options/thread=multi/thread=${VM_THREAD:-multi}}"
[ -z "${VM_ICOUNT:-}" ] ||
	accel=(-accel tcg,thread=single -icount shift=0,sleep=off
		-cpu max,la57=off,erms=off,fsrm=off)

# QEMU leaves its output non-blocking: give it a pipe of its own, and drop the serial
# line's carriage returns.
filter=
if [ ! -t 1 ]; then
	exec 3>&1 1> >(exec sed -u 's/\r$//' >&3)
	filter=$!
fi
terminal=
[ ! -t 0 ] || terminal=$(stty -g)
pid=
clean_up() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$terminal" ] || stty "$terminal" 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 143' INT TERM HUP

timeout --foreground -k 5 "$seconds" qemu-system-x86_64 "${accel[@]}" \
	-machine pc -smp "${VCPUS:-2}" -m "${VM_MEMORY:-2G}" \
	-no-reboot -nodefaults -display none -monitor none \
	-kernel "$image/bzImage" -initrd "$initramfs" \
	-append "console=ttyS0 tsc=reliable reboot=t panic=-1 $append" \
	-chardev stdio,id=console,signal=off -serial chardev:console \
	-serial "file:$outcome" "$@" <&0 &
pid=$!
status=0
wait "$pid" || status=$?
pid=
exec 1>&-
[ -z "$filter" ] || wait "$filter" || true
[ $status != 124 ] || say "the VM did not end within $seconds seconds"
