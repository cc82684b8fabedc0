#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# symbols.sh BUILD: the version script of the library is the list of what it exports: checks
# that the built library has just that, the header declares it, and manual pages describe it;
# and that the archive defines no name that a program may have.
# symbols.sh list: prints the list.
set -u -o pipefail
. "$(dirname "$0")/../vm/common.sh"

export LC_ALL=C
listed() { sed -nE 's/^\t(kmon_[a-z0-9_]+);$/\1/p' "$top_dir/lib/libkmonitor.map" | sort -u; }
if [ "$1" = list ]; then
	listed
	exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
make -s -C "$top_dir" lib O="$1" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# Names that start a line: of the list, and of another one.
same() {
	diff "$work/listed" "$work/$1" >"$work/diff" && return
	echo "lib/libkmonitor.map (<) and $2 (>) differ:"
	grep '^[<>]' "$work/diff"
	status=1
}

listed >"$work/listed"
# The versions are absolute symbols.
nm -D --defined-only "$1/lib/libkmonitor.so" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' |
	sort >"$work/exported"
sed -nE '/^[a-z]/s/.*\b(kmon_[a-z0-9_]+)\(.*/\1/p' "$top_dir/lib/kmon.h" | sort -u >"$work/header"
for page in "$top_dir"/Documentation/man/*.3; do
	sed -nE '/^\.Sh NAME/,/^\.Nd/s/^\.Nm ([a-z0-9_]+).*/\1/p' "$page"
done | sort >"$work/pages"
for page in "$top_dir"/Documentation/man/*.3; do
	sed -nE '/^\.Sh SYN/,/^\.Sh DESC/s/^\.Fo (kmon_[a-z0-9_]+)$/\1/p' "$page"
done | sort >"$work/synopses"
same exported "libkmonitor.so"
# Others link the archive with symbols of their own.
nm -g --defined-only "$1/lib/libkmonitor.a" |
	awk 'NF == 3 && $3 !~ /^kmon_/ { print "libkmonitor.a: " $3 " does not begin with kmon_" }' |
	grep . && status=1
same header "lib/kmon.h"
same pages "the NAMEs of the manual pages"
same synopses "the synopses of the manual pages"
exit $status
