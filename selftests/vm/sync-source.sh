#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sync-source.sh SOURCE TREE: brings the patched files of TREE into the cached source and
# the originals of files that are no longer patched back. Files with the same content keep
# their time, so that make does only what is needed. The caller holds SOURCE/build.lock.
set -eu
. "$(dirname "$0")/common.sh"

source=$1 tree=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lock "$source/lock"
touch "$source/applied"
(cd "$tree" && find . -name .git -prune -o -type f -printf '%P\n') | LC_ALL=C sort >"$work/new"

# applied names all files that differ from the originals, at any moment.
LC_ALL=C comm -23 "$work/new" "$source/applied" | while read -r file; do
	[ -f "$source/tree/$file" ] || continue
	mkdir -p "$source/pristine/$(dirname "$file")"
	cp "$source/tree/$file" "$source/pristine/$file"
done
LC_ALL=C sort -u "$work/new" "$source/applied" >"$work/both"
cp "$work/both" "$source/applied"

while read -r file; do
	from=$tree/$file
	[ -f "$from" ] || from=$source/pristine/$file
	if [ ! -f "$from" ]; then
		rm -f "$source/tree/$file"
	elif ! cmp -s "$from" "$source/tree/$file"; then
		mkdir -p "$source/tree/$(dirname "$file")"
		cp "$from" "$source/tree/$file"
	fi
done <"$work/both"
cp "$work/new" "$source/applied"
