#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Names and installs the Debian packages that the given groups of work need.
set -eu
. "$(dirname "$0")/common.sh"

names() {
	case $1 in
	source) echo linux-source-6.12 xz-utils ;;
	kernel) echo gcc make bc flex bison libelf-dev libssl-dev ccache cpio kmod gawk \
		perl git patch libc6-dev ;;
	user) echo gcc gcc-multilib make libc6-dev libjson-c-dev liburing-dev pkg-config ;;
	vm) echo qemu-system-x86 busybox-static strace gzip ;;
	lint) echo sparse codespell shellcheck clang clang-format python3 groff-base mandoc ;;
	install) echo gcc g++ clang libc6-dev make pkg-config mandoc ;;
	memory) echo gcc libc6-dev libc6-dbg make pkg-config valgrind ;;
	model) echo spin gcc libc6-dev make ;;
	docs) echo git patch perl python3-sphinx ;;
	*) die "no package group $1" ;;
	esac
}

missing=
for group in "$@"; do
	for name in $(names "$group"); do
		case $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) in
		installed) ;;
		*) missing="$missing $name" ;;
		esac
	done
done
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
say "installing$missing"
# shellcheck disable=SC2086 # a list of words
{
	$sudo apt-get -q update
	DEBIAN_FRONTEND=noninteractive $sudo apt-get -qy install --no-install-recommends $missing
} >&2
