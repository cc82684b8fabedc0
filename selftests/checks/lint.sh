#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lint.sh BUILD: every static check; goes through all of them and fails if one finds fault.
set -u -o pipefail
. "$(dirname "$0")/../vm/common.sh"

mkdir -p "$1"
build=$(cd "$1" && pwd)
cd "$top_dir" || exit 1
"$vm_dir/packages.sh" kernel user lint docs install || exit 1
source=$("$vm_dir/kernel-source.sh") || exit 1
tree=$source/tree
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

faults=
# check NAME COMMAND...: quiet when all is well.
check() {
	name=$1
	shift
	if ("$@") >"$work/output" 2>&1; then
		say "ok     $name"
	else
		cat "$work/output"
		say "FAULTY $name"
		faults="$faults $name"
	fi
}

mapfile -t files < <(git ls-files -co --exclude-standard | LC_ALL=C sort |
	while read -r file; do [ ! -f "$file" ] || echo "$file"; done)
matching() { printf '%s\n' "${files[@]}" | grep -E "$1"; }
mapfile -t c_files < <(matching '^(kernel|uapi|lib|tools|selftests|Documentation)/.*\.[ch]$')
mapfile -t user_files < <(matching '^(lib|tools|selftests|Documentation)/.*\.[ch]$')
mapfile -t doc_files < <(matching '^(kernel|uapi)/.*\.[ch]$')
mapfile -t shell_files < <(matching '(\.sh|^\.ci/run)$')

# clang-format decides how lines break: no OPEN_ENDED_LINE, no PARENTHESIS_ALIGNMENT.
# UNCOMMENTED_DEFINITION: the kernel-doc of a struct says what its locks protect.
# FILE_PATH_CHANGES: MAINTAINERS gets its entry when the series goes to the kernel's list.
# STATIC_CONST: an inline function gives a pointer to const.
layout=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
series=$layout,UNCOMMENTED_DEFINITION,FILE_PATH_CHANGES,STATIC_CONST

# User space has stdint's types, sscanf() and volatile sig_atomic_t, spells attributes out,
# has test macros that take names, not expressions, no strscpy(), an argv that is not const,
# a _Static_assert, no BIT(), the harness's and queue.h's macros in place of declarations,
# and reasons to name ENOSYS and "run".
user=PREFER_KERNEL_TYPES,SSCANF_TO_KSTRTO,VOLATILE,PREFER_DEFINED_ATTRIBUTE_MACRO
user=$user,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE,STRCPY,STATIC_CONST_CHAR_ARRAY,CAMELCASE
user=$user,ENOSYS,EMBEDDED_FUNCTION_NAME,BIT_MACRO,NEW_TYPEDEFS,LINE_SPACING
checkpatch_series() {
	local patches=("$build"/patches/*.patch)

	# The cover letter is no patch, the selftests are user space.
	mapfile -t patches < <(printf '%s\n' "${patches[@]}" | grep -Ev '/(0000|[0-9]*-selftests)-')
	cd "$tree" && scripts/checkpatch.pl --quiet --strict --no-summary \
		--ignore $series "${patches[@]}" &&
		scripts/checkpatch.pl --quiet --strict --no-summary \
			--ignore $layout,$user,FILE_PATH_CHANGES "$build"/patches/*-selftests-*.patch
}

checkpatch_user() {
	local path=("${user_files[@]/#/$top_dir/}")

	cd "$tree" && scripts/checkpatch.pl --quiet --strict --no-summary \
		--ignore $layout,$user -f "${path[@]}"
}

format() {
	clang-format --style="file:$tree/.clang-format" --dry-run -Werror "${c_files[@]}"
}

kernel_doc() { "$tree/scripts/kernel-doc" -none -Werror "${doc_files[@]}"; }

# gcc with W=1 and sparse, in an output directory of their own.
kernel_warnings() {
	(
		set -e
		out=$source/build-lint
		lock "$source/build.lock"
		"$vm_dir/sync-source.sh" "$source" "$work/tree"
		# shellcheck disable=SC2046 # a list of words
		"$vm_dir/configure.sh" "$out" "$tree" $(list_fragments release)
		rm -rf "$out/kernel/kmonitor"
		"$vm_dir/kernel-make.sh" "$tree" "$out" -s prepare
		"$vm_dir/kernel-make.sh" "$tree" "$out" -s W=1 C=2 kernel/kmonitor/
	) >"$work/warnings" 2>&1 || { cat "$work/warnings"; return 1; }
	! grep -E 'warning|error' "$work/warnings"
}

spdx() {
	local found=0

	for file in "${files[@]}"; do
		case $file in LICENSES/* | COPYING | *.md | *.patch | *.litmus) continue ;; esac
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ' && continue
		echo "$file has no SPDX line"
		found=1
	done
	return $found
}

check patches "$series_dir/make-patches.sh" "$source" "$build/patches" "$work/tree"
check checkpatch-series checkpatch_series
check checkpatch-user checkpatch_user
check clang-format format
check kernel-doc kernel_doc
check W=1-and-sparse kernel_warnings
check docs "$checks_dir/docs.sh" "$build"
check man-pages "$checks_dir/man-pages.sh"
check symbols "$checks_dir/symbols.sh" "$build"
check install "$checks_dir/install.sh" "$build"
check shellcheck shellcheck -x -P selftests/vm:selftests "${shell_files[@]}"
# Fo is a macro of mdoc.
check codespell codespell -L fo "${files[@]}"
check SPDX spdx

[ -z "$faults" ] || die "lint:$faults"
say "lint: clean"
