#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# install.sh BUILD: installs below a temporary directory; builds and runs a program outside of
# the tree with what pkg-config says, static and shared, by each compiler, in C and C++; reads
# the manual pages; completes command lines; and removes what it installed. Needs no kmonitor.
set -u -o pipefail
. "$(dirname "$0")/../vm/common.sh"

build=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dest=$work/dest
status=0

fault() {
	echo "$*"
	status=1
}

make_dest() { make -s -C "$top_dir" "$1" O="$build" DESTDIR="$dest" PREFIX=/usr; }

flags() {
	PKG_CONFIG_PATH=$dest/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dest pkg-config "$@" libkmonitor
}

# run_one NAME KIND SUFFIX COMMAND...: compiles and runs.
run_one() {
	local program=$work/$1-$2 kind=$2 suffix=$3 libs cflags needed
	shift 3

	case $kind in
	static) libs="-static $(flags --static --libs)" ;;
	shared) libs=$(flags --libs) ;;
	esac
	cflags=$(flags --cflags)
	# shellcheck disable=SC2086 # lists of words
	"$@" -Wall -Wextra -pedantic-errors -Werror $cflags -o "$program" \
		"$work/outside.$suffix" $libs || return
	needed=$(readelf -d "$program" | grep -c 'NEEDED.*libkmonitor\.so\.[0-9]*\]')
	[ "$needed" = "$([ "$kind" = shared ] && echo 1 || echo 0)" ] || return
	LD_LIBRARY_PATH=$dest/usr/lib "$program"
}

# use NAME SUFFIX COMMAND...: in both ways.
use() {
	local name=$1 suffix=$2 kind
	shift 2
	for kind in shared static; do
		run_one "$name" "$kind" "$suffix" "$@" || fault "$name, $kind: fails"
	done
}

make_dest install >"$work/log" 2>&1 || { cat "$work/log"; die "make install failed"; }
[ -n "$(flags --modversion)" ] || fault "pkg-config does not find the library"
cp "$top_dir/selftests/install/outside.c" "$work/outside.c"
cp "$work/outside.c" "$work/outside.cc"
use gcc c gcc -std=c11 -D_DEFAULT_SOURCE
use clang c clang -std=c11 -D_DEFAULT_SOURCE
use g++ cc g++ -std=c++11
use clang++ cc clang++ -std=c++11

# Each page is there for each function.
while read -r function; do
	mandoc -T utf8 "$dest/usr/share/man/man3/$function.3" >"$work/page" 2>&1 ||
		fault "$function: no page"
done < <("$checks_dir/symbols.sh" list)
[ -x "$dest/usr/bin/kmon-tail" ] || fault "no kmon-tail"

# completes WORD... GIVES: what bash makes of the last word.
completes() {
	local tool=$1 got
	got=$(
		export PATH=$dest/usr/bin:$PATH
		# shellcheck source=tools/completion/kmon.bash
		. "$dest/usr/share/bash-completion/completions/$tool"
		COMP_WORDS=("${@:1:$#-1}") COMP_CWORD=$(($# - 2))
		_kmon "$tool"
		echo "${COMPREPLY[*]}"
	)
	[ "$got" = "${!#}" ] || fault "completing ${*:1:$#-1}: $got"
}
completes kmon-tail --met --metrics
completes kmon-tail -e exec,th 'exec,thread exec,thread-exit exec,thread-abort'
completes kmon-tail -qw /etc/hostnam /etc/hostname
completes kmon-tail --record = /etc/hostnam /etc/hostname
completes kmon-run -s SIGTE SIGTERM
completes kmon-tail -qwfoo kmon-pl kmon-plot
completes kmon-run -T 5 kmon-pl kmon-plot
completes kmon-tree --ring 1 ""
completes kmon-plot -u roo root
completes kmon-plot -- kmon-pl kmon-plot
completes kmon-wait -v --root $$ $$
completes kmon-wait 1 --an --any
completes kmon-wait -- $$ $$

make_dest uninstall >"$work/log" 2>&1 || { cat "$work/log"; fault "make uninstall failed"; }
find "$dest" ! -type d | grep . && fault "left behind by make uninstall"
exit $status
