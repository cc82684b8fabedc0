#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make-patches.sh SOURCE OUT [TREE]: generates the series for a kernel tree, ready for
# git am, in OUT; TREE receives all files that the series touches, patched.
set -eu
. "$(dirname "$0")/../vm/common.sh"

source=$1 out=$2 tree=${3:-}
hooks=$top_dir/kernel/hooks.patch
index=Documentation/userspace-api/index.rst

[ -f "$hooks" ] || die "kernel/hooks.patch is missing"
if [ -z "$tree" ]; then
	tree=$(mktemp -d)
	trap 'rm -rf "$tree"' EXIT
fi
mkdir -p "$tree" "$out"

# The author and the date are those of the checkout's last commit.
last() { git -C "$top_dir" log -1 --format="$1" 2>/dev/null || true; }
name=$(last %an)
email=$(last %ae)
date=$(last %aI)
export GIT_AUTHOR_NAME="${name:-kmonitor}" GIT_AUTHOR_EMAIL="${email:-kmonitor@localhost}"
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"
export GIT_AUTHOR_DATE="${date:-$(date -Iseconds)}"
export GIT_COMMITTER_DATE="$GIT_AUTHOR_DATE"

in_tree() { git -C "$tree" -c core.hooksPath=/dev/null -c commit.gpgSign=false "$@"; }
commit() { in_tree add -A && in_tree commit -q --allow-empty "$@"; }

# The originals of the files that the series changes.
originals() {
	{ sed -n 's|^--- a/||p' "$hooks" | cut -f1; echo $index; } | while read -r file; do
		mkdir -p "$tree/$(dirname "$file")"
		if [ -f "$source/pristine/$file" ]; then
			cp "$source/pristine/$file" "$tree/$file"
		else
			cp "$source/tree/$file" "$tree/$file"
		fi
	done
}

in_tree init -q
(lock "$source/lock" && originals)
commit -m base

mkdir -p "$tree/kernel/kmonitor" "$tree/include/linux" "$tree/include/uapi/linux"
for file in "$top_dir"/kernel/*.[ch] "$top_dir/kernel/Kconfig" "$top_dir/kernel/Makefile"; do
	case $file in
	*/kmonitor.h) cp "$file" "$tree/include/linux/kmonitor.h" ;;
	*) cp "$file" "$tree/kernel/kmonitor/" ;;
	esac
done
cp "$top_dir/uapi/linux/kmonitor.h" "$tree/include/uapi/linux/kmonitor.h"
commit -s -F - <<'MESSAGE'
kmonitor: add the core

kmonitor turns the life of processes and threads into a file descriptor:
a filter, a lockless ring of fixed-size records, and the file operations
to read, poll and map it.

Nothing is built yet: the hooks in fork, exec and exit, and with them the
configuration symbol, come with the next patch.
MESSAGE

in_tree apply --index "$hooks"
commit -s -F - <<'MESSAGE'
kmonitor: hook fork, exec and exit

Wire up the system call kmonitor_init and report forks, execs and exits
from process context, behind one static key: with no monitor open, each
hook is a patched-out branch.
MESSAGE

cp "$top_dir/Documentation/userspace-api/kmonitor.rst" "$tree/Documentation/userspace-api/"
sed -i 's|^   ioctl/index$|&\n   kmonitor|' "$tree/$index"
grep -qx '   kmonitor' "$tree/$index" || die "$index has no place for kmonitor"
commit -s -F - <<'MESSAGE'
Documentation: describe kmonitor

Say what users may rely on, and show the interface from the kernel-doc of
its header.
MESSAGE

rm -f "$out"/0*.patch
in_tree format-patch -q -3 --no-signature -o "$(cd "$out" && pwd)"
