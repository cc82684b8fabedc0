#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkinitramfs.sh IMAGE BUILD OUT [PATTERN]: the initramfs of a test run: PID 1, the tests
# whose names match PATTERN, the tools, the examples, busybox, and a few programs that tests use.
# mkinitramfs.sh IMAGE BUILD OUT --job DIR: PID 1 and the job to run on the host's root.
set -eu -o pipefail
. "$(dirname "$0")/common.sh"

image=$1 build=$2 out=$3 pattern=${4:-*} job=${5:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

add_dir() {
	case $1 in / | .) return ;; esac
	add_dir "$(dirname "$1")"
	echo "dir $1 0755 0 0" >>"$work/dirs"
}

# add PATH FROM [MODE]
add() {
	add_dir "$(dirname "$1")"
	echo "file $1 $2 ${3:-0755} 0 0" >>"$work/list"
}

# add_program PATH FROM: with the libraries that it needs.
add_program() {
	add "$1" "$2"
	ldd "$2" 2>/dev/null | grep -o '/[^ ]*' >"$work/libraries" || true
	while read -r library; do add "$library" "$library"; done <"$work/libraries"
}

add /init "$build/vm/init"
for dir in /dev /proc /sys /tmp /root /etc /run; do add_dir "$dir"; done
echo "nod /dev/console 0600 0 0 c 5 1" >>"$work/list"

if [ "$pattern" = --job ]; then
	for file in "$job"/*; do add "/job/${file##*/}" "$file" 0644; done
else
	add /bin/busybox "$(command -v busybox)"
	{
		busybox --list | grep -vxE 'busybox|bash|strace' |
			sed 's|.*|slink /bin/& busybox 0777 0 0|'
		echo "slink /usr / 0777 0 0"
		echo "slink /sbin bin 0777 0 0"
	} >>"$work/list"
	for name in bash strace; do add_program "/bin/$name" "$(command -v $name)"; done
	for file in "$build"/tools/*; do
		[ ! -x "$file" ] || [ ! -f "$file" ] || add_program "/bin/${file##*/}" "$file"
	done
	for file in "$build"/examples/*; do
		[ ! -x "$file" ] || [ ! -f "$file" ] || add_program "/examples/${file##*/}" "$file"
	done
	printf '%s\n' root:x:0:0::/root:/bin/sh nobody:x:65534:65534::/tmp:/bin/sh \
		>"$work/passwd"
	printf '%s\n' root:x:0: nogroup:x:65534: >"$work/group"
	add /etc/passwd "$work/passwd" 0644
	add /etc/group "$work/group" 0644
	# A locale of UTF-8; /usr is / there.
	add /lib/locale/C.utf8/LC_CTYPE /usr/lib/locale/C.utf8/LC_CTYPE 0644
	add_dir /selftests/helpers
	# Tests that need the knobs, and failing allocations, which only the debug kernel has; and
	# what is too much for the slow ones: the 32-bit programs, and what tests user space.
	more=
	case ${image##*/} in
	debug-*) more=$build/selftests/debug/$pattern ;;
	kcsan-* | knobs-*)
		more=$build/selftests/debug/$pattern ;;
	release-*) more="$build/selftests/32/$pattern $build/selftests/tools/$pattern" ;;
	esac
	# shellcheck disable=SC2086,SC2231 # patterns by intent
	for file in "$build"/selftests/$pattern $more; do
		case ${image##*/}/${file##*/} in kcsan-*/fault_test | knobs-*/fault_test) continue ;; esac
		[ ! -x "$file" ] || [ ! -f "$file" ] || add "/selftests/${file##*/}" "$file"
	done
	for file in "$build"/selftests/helpers/*; do
		[ ! -x "$file" ] || [ ! -f "$file" ] || add "/selftests/helpers/${file##*/}" "$file"
	done
fi

LC_ALL=C sort -u "$work/dirs" >"$work/all"
LC_ALL=C sort -u "$work/list" >>"$work/all"
"$image/gen_init_cpio" "$work/all" | gzip -1 >"$out"
