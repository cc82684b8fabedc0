#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# docs.sh BUILD: the kernel documentation as HTML in BUILD/docs, made with the kernel's own
# extensions of Sphinx; a warning is a failure.
set -eu
. "$(dirname "$0")/../vm/common.sh"

mkdir -p "$1"
build=$(cd "$1" && pwd)
"$vm_dir/packages.sh" docs
source=$("$vm_dir/kernel-source.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$series_dir/make-patches.sh" "$source" "$build/patches" "$work/tree"

# The page alone: its neighbours are not checked.
mkdir "$work/page"
cp "$work/tree/Documentation/userspace-api/kmonitor.rst" "$work/page/"

# The Python of the Debian package, whatever else is in PATH.
export PYTHONPATH=$source/tree/Documentation/sphinx PYTHONDONTWRITEBYTECODE=1 KDOC_WERROR=1
/usr/bin/python3 -m sphinx -q -C -W --keep-going -b html -d "$work/doctrees" \
	-D extensions=kerneldoc,automarkup -D root_doc=kmonitor -D project=kmonitor \
	-D primary_domain=c -D c_id_attributes=__user -D highlight_language=none \
	-D kerneldoc_bin="$source/tree/scripts/kernel-doc" \
	-D kerneldoc_srctree="$work/tree" "$work/page" "$build/docs"
say "documentation: $build/docs/kmonitor.html"
