#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernel-make.sh TREE OUT ARG...: the kernel's make, cached and reproducible.
set -eu
. "$(dirname "$0")/common.sh"

tree=$1 out=$2
shift 2
# The kernel's build is none of a calling make's business.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export CCACHE_DIR=$cache_dir/ccache CCACHE_MAXSIZE=2G CCACHE_BASEDIR=$cache_dir
export KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=kmonitor
export KBUILD_BUILD_HOST=kmonitor
exec make --no-print-directory -C "$tree" O="$out" ARCH=x86 CC="ccache gcc" \
	-j"$(nproc)" "$@"
