#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh BUILD COMMAND [ARG...]: runs a command of the host in a VM, on the host's own root,
# in this directory, with the tools on PATH; nothing that it writes stays. Exits with the
# command's status.
set -eu -o pipefail
. "$(dirname "$0")/common.sh"

build=$(cd "$1" && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$vm_dir/packages.sh" user vm
flavour=${KERNEL:-release}
image=$("$vm_dir/build-kernel.sh" "$flavour")
VCPUS=$(count_vcpus "$flavour")
export VCPUS

mkdir "$work/job"
printf '%s\0' "$@" >"$work/job/argv"
printf '%s\0' "PATH=$build/tools:$PATH" "HOME=$HOME" "TERM=${TERM:-dumb}" \
	"LANG=${LANG:-C}" "USER=${USER:-root}" "SHELL=/bin/bash" >"$work/job/env"
printf '%s' "$PWD" >"$work/job/cwd"
# The window's size; none says that there is no terminal.
: >"$work/job/size"
if [ -t 0 ] && [ -t 1 ]; then stty size >"$work/job/size"; fi
"$vm_dir/mkinitramfs.sh" "$image" "$build" "$work/initramfs" --job "$work/job"

say "booting the $flavour kernel with $VCPUS processor(s)"
attend "$vm_dir/qemu.sh" "$image" "$work/initramfs" "$work/outcome" "${LIMIT:-3600}" \
	"quiet loglevel=1 kmon.mode=run" \
	-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap || true

status=$(tr -d '\r' <"$work/outcome" | sed -n 's/^status: //p')
[ -n "$status" ] || die "the VM ended without a status"
exit "$status"
