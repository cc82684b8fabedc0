# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by the scripts of this directory and its neighbours: places, messages, locks.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_dir=$(cd "$vm_dir/../.." && pwd)
checks_dir=$top_dir/selftests/checks
series_dir=$top_dir/selftests/series
cache_dir=${KMONITOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kmonitor}
export top_dir vm_dir checks_dir series_dir cache_dir

say() { printf 'kmonitor: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Waits for the lock file $1 and holds it, on descriptor 9, until the shell ends.
lock() {
	mkdir -p "$(dirname "$1")"
	exec 9>"$1"
	flock -n 9 || { say "waiting for $1"; flock 9; }
}

# Runs a command with this stdin and returns its status; a signal to end goes on to it.
attend() {
	"$@" <&0 &
	attended=$!
	trap 'kill "$attended" 2>/dev/null; wait "$attended" || true; exit 143' INT TERM HUP
	wait "$attended"
}

# Fails when $1 is no flavour of the kernel that config/ describes.
check_flavour() {
	case $1 in
	release) return ;;
	base) ;;
	*) [ ! -f "$vm_dir/config/$1.config" ] || return 0 ;;
	esac
	die "no kernel flavour $1"
}

# Prints the fragments that make flavour $1.
list_fragments() {
	echo "$vm_dir/config/base.config"
	[ "$1" = release ] || echo "$vm_dir/config/$1.config"
}

# Prints how many processors the VM of flavour $1 gets: VCPUS, if set.
count_vcpus() {
	case $1 in
	up) echo 1 ;;
	*) echo "${VCPUS:-2}" ;;
	esac
}

# Prints a short name for what comes in on stdin.
hash_of() { sha256sum | cut -c1-16; }
