#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# build-kernel.sh [FLAVOUR]: builds the patched kernel in the cache and prints
# the directory of its image. FLAVOUR is release, or a fragment in config/: debug, kcsan, rt,
# up, none, off. Nothing is done when these very contents were built before.
set -eu -o pipefail
. "$(dirname "$0")/common.sh"

flavour=${1:-release}
check_flavour "$flavour"
"$vm_dir/packages.sh" kernel

source=$("$vm_dir/kernel-source.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$series_dir/make-patches.sh" "$source" "$work/patches" "$work/tree"

key=$({
	echo "$source" "$flavour"
	gcc --version
	list_fragments "$flavour" | xargs cat
	cd "$work/tree" && find . \( -name .git -o -path ./Documentation -o -path ./tools \) -prune -o \
		-type f -print | LC_ALL=C sort | xargs sha256sum
} | hash_of)
image=$cache_dir/images/$flavour-$key

build() {
	out=$source/build-$flavour
	log=$source/build-$flavour.log
	# shellcheck disable=SC2046 # a list of words
	"$vm_dir/configure.sh" "$out" "$source/tree" $(list_fragments "$flavour")

	# The kernel that is there takes an unknown part of a whole build.
	expect=0 present=0 measure=
	profile=$source/profile-$flavour
	if [ ! -f "$out/vmlinux" ]; then
		expect=1290
		present=$(find "$out" \( -path "$out/scripts" -o -path "$out/tools" \) -prune -o \
			-name '*.o' -print | wc -l)
		[ "$present" != 0 ] || measure=$work/profile
	fi
	say "building the $flavour kernel, log in $log"
	tty=0
	[ ! -t 2 ] || tty=1
	if ! "$vm_dir/kernel-make.sh" "$source/tree" "$out" bzImage 2>&1 | tee "$log" |
		gawk -v expect=$expect -v present="$present" -v tty=$tty \
			-v profile="$profile" -v measure="$measure" \
			-f "$vm_dir/progress.awk" >&2
	then
		grep -n -A5 -E 'error|Error|undefined' "$log" | tail -n 40 >&2
		die "the kernel did not build, see $log"
	fi
	[ -z "$measure" ] || cp "$measure" "$profile"
}

if [ ! -d "$image" ]; then
	lock "$source/build.lock"
fi
if [ ! -d "$image" ]; then
	"$vm_dir/sync-source.sh" "$source" "$work/tree"
	build
	rm -rf "$image.new"
	mkdir -p "$image.new"
	cp "$out/arch/x86/boot/bzImage" "$out/vmlinux" "$out/.config" \
		"$out/usr/gen_init_cpio" "$image.new/"
	mv "$image.new" "$image"
	# The last dozen images stay.
	find "$cache_dir/images" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn |
		tail -n +13 | cut -d' ' -f2- | xargs -r rm -rf
fi
touch "$image"
echo "$image"
