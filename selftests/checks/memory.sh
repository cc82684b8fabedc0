#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# memory.sh BUILD: the tests of the library that need no kmonitor, under valgrind, and built with
# the sanitizers of addresses and of undefined behaviour. Prints TAP, and counts at the end.
set -u -o pipefail
. "$(dirname "$0")/../vm/common.sh"
# shellcheck source=../checks/tap.sh
. "$checks_dir/tap.sh"

mkdir -p "$1"
build=$(cd "$1" && pwd)/memory
ksft=$("$vm_dir/kernel-source.sh")/tree/tools/testing/selftests || exit 1
cd "$top_dir/selftests" || exit 1

# Which, and of those that need a kmonitor otherwise, what doesn't.
tests=(
	"tools/format_test"
	"tools/format_args_test"
	"tools/stream_test"
	"library_test -t a_recording_gives_back_what_was_written"
	"library_test -t a_recording_that_was_cut_is_whole_up_to_there"
	"library_test -t what_is_no_recording_is_refused"
	"tools/cgroup_path_test -t a_container_is_known_by_its_path"
	"tools/cgroup_path_test -t a_path_that_names_no_container_is_not_guessed_at"
)

# compile DIRECTORY FLAG...: all of the tests.
compile() {
	local dir=$build/$1 test flags
	shift
	mkdir -p "$dir/tools"
	flags="-std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I../uapi -I../lib -isystem $ksft"
	for test in $(printf '%s\n' "${tests[@]}" | cut -d' ' -f1 | sort -u); do
		# shellcheck disable=SC2046,SC2086 # lists of words
		gcc -g "$@" $flags $(pkg-config --cflags json-c liburing) -o "$dir/$test" "$test.c" \
			common.c ../lib/*.c $(pkg-config --libs json-c liburing) -pthread || return
	done
}

# run NAME DIRECTORY WRAPPER...: quiet when all is well.
run() {
	local name=$1 dir=$build/$2 words test status
	shift 2
	for test in "${tests[@]}"; do
		read -ra words <<<"$test"
		"$@" "$dir/${words[0]}" "${words[@]:1}" >"$build/output" 2>&1
		status=$?
		[ $status = 0 ] || sed 's/^/# /' "$build/output"
		report $status "$name: $test"
	done
}

if compile plain -O1; then
	# Memory that a test itself leaves to its end is still reachable.
	run valgrind plain valgrind -q --error-exitcode=99 --leak-check=full \
		--errors-for-leak-kinds=definite,indirect
else
	report 1 "valgrind: compile"
fi
if compile sanitized -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer; then
	run sanitizers sanitized env ASAN_OPTIONS=detect_leaks=0
else
	report 1 "sanitizers: compile"
fi
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
