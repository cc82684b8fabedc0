#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# series.sh BUILD: applies each patch of the generated series with git am to the unmodified kernel,
# builds that without a warning, boots it and runs the tests that are there by then: those of
# KUnit, and from their patch on the selftests. Prints TAP, and counts at the end.
set -u -o pipefail
. "$(dirname "$0")/../vm/common.sh"
# shellcheck source=../checks/tap.sh
. "$checks_dir/tap.sh"

build=$1
"$vm_dir/packages.sh" kernel user vm || exit 1
source=$("$vm_dir/kernel-source.sh") || exit 1
work=$source/series
tree=$work/tree
out=$work/build
export GIT_COMMITTER_NAME=kmonitor GIT_COMMITTER_EMAIL=kmonitor@localhost
export GIT_AUTHOR_NAME=kmonitor GIT_AUTHOR_EMAIL=kmonitor@localhost
in_tree() { git -C "$tree" -c core.hooksPath=/dev/null -c commit.gpgSign=false -c gc.auto=0 "$@"; }

# The cached tree without what is applied to it.
copy_unmodified() {
	(
		set -e
		lock "$source/lock"
		cp -a "$source/tree" "$tree"
		(cd "$tree" && xargs -r rm -f <"$source/applied")
		cp -a "$source/pristine/." "$tree/"
	) && in_tree init -q &&
		# Debian has its tree ignored.
		in_tree add -Af && in_tree commit -qm 'Linux 6.12'
}

# The flavour with all that the project's tests need; the kernel has kmonitor from the first patch.
build_kernel() {
	# shellcheck disable=SC2046 # a list of words
	"$vm_dir/configure.sh" "$out" "$tree" $(list_fragments knobs) &&
		"$vm_dir/kernel-make.sh" "$tree" "$out" bzImage >"$work/log" 2>&1
	local status=$?
	grep -A5 -E 'warning:|error:|Error |undefined' "$work/log" | head -n 40 | sed 's/^/# /'
	[ $status = 0 ] && ! grep -q warning: "$work/log"
}

# What mkinitramfs.sh takes from a build of the project, with this kernel's own tests.
collect_tests() {
	local suites=() file
	for file in "$tree"/kernel/kmonitor/*_kunit.c; do
		[ ! -f "$file" ] || suites+=("kmonitor_$(basename "$file" _kunit.c)")
	done
	rm -rf "$work/tests"
	mkdir -p "$work/tests/vm" "$work/tests/selftests/helpers" "$work/image" &&
		cp "$build/vm/init" "$work/tests/vm/" &&
		install -m 0755 "$top_dir/selftests/helpers/checks.sh" \
			"$work/tests/selftests/helpers/" &&
		sed "s/@SUITES@/${suites[*]}/" "$series_dir/kunit_test.sh" \
			>"$work/tests/selftests/kunit_test.sh" &&
		chmod +x "$work/tests/selftests/kunit_test.sh" &&
		ln -sf "$out/arch/x86/boot/bzImage" "$out/vmlinux" "$out/usr/gen_init_cpio" \
			"$out/.config" "$work/image/" || return 1
	[ -f "$tree/tools/testing/selftests/kmonitor/Makefile" ] || return 0
	"$vm_dir/kernel-make.sh" "$tree" "$out" -s headers &&
		make -s -C "$tree/tools/testing/selftests/kmonitor" USERLDFLAGS=-static \
			OUTPUT="$work/tests/selftests" \
			KHDR_INCLUDES="-isystem $out/usr/include" >"$work/log" 2>&1 &&
		! grep warning: "$work/log" && return
	head -n 40 "$work/log" | sed 's/^/# /'
	return 1
}

run_tests() {
	local verdict hold=0
	rm -f "$work/outcome" "$work/console"
	[ ! -f "$tree/include/linux/kmonitor.h" ] || hold=1
	collect_tests &&
		"$vm_dir/mkinitramfs.sh" "$work/image" "$work/tests" "$work/initramfs" || return 1
	VM_MEMORY=4G attend "$vm_dir/qemu.sh" "$work/image" "$work/initramfs" "$work/outcome" 1800 \
		"loglevel=4 log_buf_len=8M kmon.mode=check kmon.limit=300 kmon.hold=$hold" \
		</dev/null >"$work/console" || true
	verdict=$(tr -d '\r' <"$work/outcome" | sed -n '$s/^verdict: //p')
	echo "# $verdict"
	case $verdict in
	[1-9]*' passed, 0 failed,'*) return ;;
	esac
	tr -d '\r' <"$work/outcome" | sed 's/^/# /'
	tr -d "\r" <"$work/console" | grep -B12 "^not ok" | head -n 60 | sed "s/^/# /"
	tail -n 20 "$work/console" | sed "s/^/# /"
	return 1
}

rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
copy_unmodified || die "no unmodified kernel"
"$series_dir/make-patches.sh" "$source" "$work/patches" || exit 1

[ "$(find "$work/patches" -name '0*.patch' | wc -l)" = \
	$(($(find "$series_dir/patches" -type f | wc -l) + 1)) ]
report $? "one patch for each description, and a cover letter"
for patch in "$work"/patches/*.patch; do
	name=$(basename "$patch" .patch)
	case $name in 0000-*) continue ;; esac
	say "$name"
	in_tree am -q "$patch"
	report $? "$name applies"
	build_kernel
	status=$?
	report $status "$name builds without a warning"
	[ $status = 0 ] && run_tests
	report $? "$name boots and passes its tests"
done
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
