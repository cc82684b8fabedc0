#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# series.sh: applies the generated series with git am to the unmodified kernel and builds it
# after each patch, without CONFIG_KMONITOR as long as there is none.
set -eu -o pipefail
. "$(dirname "$0")/../vm/common.sh"

"$vm_dir/packages.sh" kernel
source=$("$vm_dir/kernel-source.sh")
work=$source/series
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
tree=$work/tree

export GIT_COMMITTER_NAME=kmonitor GIT_COMMITTER_EMAIL=kmonitor@localhost
export GIT_AUTHOR_NAME=kmonitor GIT_AUTHOR_EMAIL=kmonitor@localhost
in_tree() { git -C "$tree" -c core.hooksPath=/dev/null -c commit.gpgSign=false "$@"; }

# The cached tree without what is applied to it.
(
	lock "$source/lock"
	cp -a "$source/tree" "$tree"
	(cd "$tree" && xargs -r rm -f <"$source/applied")
	cp -a "$source/pristine/." "$tree/"
)
"$series_dir/make-patches.sh" "$source" "$work/patches"
in_tree init -q
# Debian has its tree ignored.
in_tree add -Af
in_tree commit -qm 'Linux 6.12'

for patch in "$work"/patches/*.patch; do
	say "applying and building $(basename "$patch")"
	in_tree am -q "$patch"
	flavour=off
	! grep -q kmonitor/Kconfig "$tree/init/Kconfig" || flavour=release
	# shellcheck disable=SC2046 # a list of words
	"$vm_dir/configure.sh" "$work/build" "$tree" $(list_fragments "$flavour")
	"$vm_dir/kernel-make.sh" "$tree" "$work/build" bzImage >"$work/log" 2>&1 || {
		grep -n -A5 -E 'error|Error|undefined' "$work/log" | tail -n 40 >&2
		die "$(basename "$patch") does not build"
	}
	if grep -q warning: "$work/log"; then
		grep warning: "$work/log" >&2
		die "$(basename "$patch") builds with warnings"
	fi
done
say "each patch applies and builds"
