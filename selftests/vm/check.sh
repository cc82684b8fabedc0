#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check.sh BUILD [FLAVOUR]: runs the tests in a VM, on a kernel of a flavour that build-kernel.sh
# knows. The last line is the count of passed, failed and skipped tests; no verdict from the VM
# is a failure. TESTS=pattern chooses tests, VCPUS= sets the number of processors, STORM_SECONDS=
# how long those tests storm that have no other end.
set -eu -o pipefail
. "$(dirname "$0")/common.sh"

build=$1 flavour=${2:-release}
check_flavour "$flavour"
VCPUS=$(count_vcpus "$flavour")
export VCPUS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

give_up() {
	say "$1"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# Without CONFIG_KMONITOR there is only its absence to test.
[ "$flavour" != off ] || TESTS='config_test*'

"$vm_dir/packages.sh" user vm
image=$("$vm_dir/build-kernel.sh" "$flavour") || give_up "no kernel"

# A hundred thousand tasks take over 2 GB.
export VM_MEMORY="${VM_MEMORY:-4G}"
seconds=2400 limit=300
case $flavour in debug | kcsan) seconds=3600 limit=600 ;; esac
storm=
if [ -n "${STORM_SECONDS:-}" ]; then
	storm=kmon.seconds=$STORM_SECONDS
	seconds=$((seconds + STORM_SECONDS * 2)) limit=$((limit + STORM_SECONDS * 2))
fi
passed=0 failed=0 skipped=0

# boot PATTERN PARAMETER...: runs the tests of that pattern and adds up.
boot() {
	"$vm_dir/mkinitramfs.sh" "$image" "$build" "$work/initramfs" "$1"
	shift
	attend "$vm_dir/qemu.sh" "$image" "$work/initramfs" "$work/outcome" $seconds \
		"loglevel=4 log_buf_len=8M kmon.mode=check kmon.limit=$limit $storm $*" \
		</dev/null || true

	verdict=$(tr -d '\r' <"$work/outcome" | sed -n '$s/^verdict: //p')
	[ -n "$verdict" ] || give_up "the VM ended without a verdict"
	tr -d '\r' <"$work/outcome" | sed '/^verdict: /d; s/^/FAILED: /'
	read -r p _ f _ s _ <<<"$verdict"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# With several threads QEMU may go on with a translation that it made while the guest
# patched its text: the kernel then stumbles over a breakpoint that is gone. So the hooks
# stay on for the tests but those that switch them, which one thread emulates.
say "booting the $flavour kernel with ${VCPUS:-2} processors"
kunit=0
case $flavour in debug | knobs) kunit=1 ;; esac
[[ ${TESTS:-} = alone/* ]] || boot "${TESTS:-*}" kmon.hold=1 kmon.kunit=$kunit
if [ "$flavour" != off ] && [[ ${TESTS:-alone/} = alone/* ]]; then
	say "booting it again to switch the hooks"
	VM_THREAD=single boot "${TESTS:-alone/*}"
fi

# Checks of the built kernel without running it.
if [ "$flavour" != off ]; then
	echo "== nops.sh"
	"$checks_dir/nops.sh" "$image" | tee "$work/nops" ||
		grep -q '^not ok' "$work/nops" || failed=$((failed + 1))
	passed=$((passed + $(grep -c '^ok' "$work/nops" || true)))
	failed=$((failed + $(grep -c '^not ok' "$work/nops" || true)))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
