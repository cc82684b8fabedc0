#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Provides the kernel's source in the cache and prints its directory: tree/ is the
# working copy, pristine/ holds the originals of the files that differ in it.
set -eu
. "$(dirname "$0")/common.sh"

tarball=/usr/src/linux-source-6.12.tar.xz

# A given tree is named by its path and the size and time of each of its files.
identity() {
	if [ -n "${KERNEL_SRC:-}" ]; then
		[ -f "$KERNEL_SRC/Kbuild" ] || die "KERNEL_SRC=$KERNEL_SRC is no kernel tree"
		(cd "$KERNEL_SRC" && pwd && find . -name .git -prune -o \
			-type f -printf '%P %s %T@\n' | LC_ALL=C sort) | hash_of
	else
		"$vm_dir/packages.sh" source
		sha256sum <"$tarball" | cut -c1-16
	fi
}

unpack() {
	if [ -n "${KERNEL_SRC:-}" ]; then
		say "copying $KERNEL_SRC"
		tar -C "$KERNEL_SRC" --exclude=.git -cf - . | tar -C "$1" -xf -
		make -s -C "$1" mrproper
	else
		say "unpacking $tarball (about half a minute)"
		tar -C "$1" --strip-components=1 -xJf "$tarball"
	fi
}

src=$cache_dir/source/$(identity)
if [ ! -d "$src/tree" ]; then
	lock "$cache_dir/source.lock"
	if [ ! -d "$src/tree" ]; then
		rm -rf "$src.new"
		mkdir -p "$src.new/tree" "$src.new/pristine"
		unpack "$src.new/tree"
		grep -q '^PATCHLEVEL = 12$' "$src.new/tree/Makefile" ||
			say "warning: this is no 6.12 tree"
		mv "$src.new" "$src"
	fi
fi
echo "$src"
