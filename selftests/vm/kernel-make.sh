#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernel-make.sh TREE OUT ARG...: the kernel's make, cached and reproducible. KERNEL_CC is the
# compiler, gcc by default.
# kernel-make.sh --run COMMAND [ARG...]: a script of the kernel's that calls make itself.
set -eu
. "$(dirname "$0")/common.sh"

# The kernel's build is none of a calling make's business.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export CCACHE_DIR=$cache_dir/ccache CCACHE_MAXSIZE=2G CCACHE_BASEDIR=$cache_dir
export KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=kmonitor
export KBUILD_BUILD_HOST=kmonitor
compiler=${KERNEL_CC:-gcc}

if [ "$1" = --run ]; then
	shift
	export MAKEFLAGS="-s ARCH=x86 CC=ccache\\ $compiler"
	exec "$@"
fi

tree=$1 out=$2
shift 2
exec make --no-print-directory -C "$tree" O="$out" ARCH=x86 CC="ccache $compiler" \
	-j"$(nproc)" "$@"
