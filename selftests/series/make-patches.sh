#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make-patches.sh SOURCE OUT [TREE]: generates the series for a kernel tree, ready for
# git am, in OUT; TREE receives all files that the series touches, patched.
#
# The sources here are those after the last patch. Each file in patches/ describes one patch: its
# message, which hunks of hooks.patch and which files come with it, and by rules of strip.awk what
# it adds to files that an earlier patch has brought. The states before are made from the last one
# backwards.
set -eu -o pipefail
. "$(dirname "$0")/../vm/common.sh"

source=$1 out=$2 tree=${3:-}
hooks=$top_dir/kernel/hooks.patch
index=Documentation/userspace-api/index.rst
kselftest=tools/testing/selftests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "$tree" ] || tree=$work/tree
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
commit() { in_tree add -A && in_tree commit -q "$@"; }

mapfile -t patches < <(find "$series_dir/patches" -type f | LC_ALL=C sort)

# field PATCH NAME, rules PATCH, message PATCH: the parts of a description.
field() { sed -n "/^---\$/q; s/^$2: *//p" "$1"; }
rules() { gawk '/^---$/ { part++; next } part == 1' "$1"; }
message() { field "$1" subject && echo && gawk '/^---$/ { part++; next } part == 2' "$1"; }

# The originals of the files that the series changes.
originals() {
	{ sed -n 's|^--- a/||p' "$hooks" | cut -f1; echo $index $kselftest/Makefile | xargs -n1; } |
		while read -r file; do
			mkdir -p "$tree/$(dirname "$file")"
			if [ -f "$source/pristine/$file" ]; then
				cp "$source/pristine/$file" "$tree/$file"
			else
				cp "$source/tree/$file" "$tree/$file"
			fi
		done
}

# make_state N: what is in kernel/ after patch N, from what is there after the next one.
make_state() {
	local next=${patches[$1]} file files
	cp -r "$work/$(($1 + 1))" "$work/$1"
	cd "$work/$1"
	for file in $(field "$next" files); do
		[ -f "$file" ] || die "$next: there is no kernel/$file"
		rm "$file"
		sed -i "/ += ${file%.c}\.o\$/d" Makefile
	done
	rules "$next" >"$work/rules"
	mapfile -t files < <(cut -d' ' -f1 "$work/rules" | sort -u)
	for file in "${files[@]}"; do
		gawk -v file="$file" -f "$series_dir/strip.awk" "$work/rules" "$file" >"$work/file" ||
			die "$next no longer fits kernel/$file"
		cp "$work/file" "$file"
	done
}

copy_kernel() {
	local file
	rm -rf "$tree/kernel/kmonitor"
	mkdir -p "$tree/kernel/kmonitor" "$tree/include/linux" "$tree/include/uapi/linux"
	for file in "$1"/*; do
		case $file in
		*/kmonitor.h) cp "$file" "$tree/include/linux/kmonitor.h" ;;
		*) cp "$file" "$tree/kernel/kmonitor/" ;;
		esac
	done
}

# The tests that need nothing but the kernel's header, and what is common to them.
copy_selftests() {
	local to=$tree/$kselftest/kmonitor file
	mkdir -p "$to/helpers"
	cp "$top_dir"/selftests/helpers/*.c "$to/helpers/"
	cp "$top_dir"/selftests/common.c "$top_dir"/selftests/*.h "$to/"
	for file in "$top_dir"/selftests/*_test.c; do
		grep -Eq 'kmon\.h"|liburing\.h|json' "$file" || cp "$file" "$to/"
	done
	cp "$series_dir/kselftest.mk" "$to/Makefile"
	sed -i 's|^TARGETS += kvm$|TARGETS += kmonitor\n&|' "$tree/$kselftest/Makefile"
	grep -qx 'TARGETS += kmonitor' "$tree/$kselftest/Makefile" ||
		die "$kselftest/Makefile has no place for kmonitor"
}

copy_documentation() {
	cp "$top_dir/Documentation/userspace-api/kmonitor.rst" "$tree/Documentation/userspace-api/"
	sed -i 's|^   ioctl/index$|&\n   kmonitor|' "$tree/$index"
	grep -qx '   kmonitor' "$tree/$index" || die "$index has no place for kmonitor"
}

nr=${#patches[@]}
mkdir "$work/$nr"
cp "$top_dir"/kernel/*.[ch] "$top_dir/kernel/Kconfig" "$top_dir/kernel/Makefile" "$work/$nr/"
for ((i = nr - 1; i > 0; i--)); do
	(make_state "$i")
done
for patch in "${patches[@]}"; do
	printf '%s\n' "$(field "$patch" hooks)"
done >"$work/regexes"

in_tree init -q
(lock "$source/lock" && originals)
commit -m base
cp "$top_dir/uapi/linux/kmonitor.h" "$work/"
for ((i = 1; i <= nr; i++)); do
	patch=${patches[i - 1]}
	copy_kernel "$work/$i"
	cp "$work/kmonitor.h" "$tree/include/uapi/linux/"
	gawk -v wanted=$i -f "$series_dir/hunks.awk" "$work/regexes" "$hooks" >"$work/hunks"
	if [ -n "$(field "$patch" hooks)" ]; then
		in_tree apply "$work/hunks" || die "$patch: no hunk of hooks.patch is its"
	fi
	case $(field "$patch" brings) in
	selftests) copy_selftests ;;
	documentation) copy_documentation ;;
	esac
	message "$patch" | commit -s -F -
done

# The rows of costs.md that a reviewer of hooks asks for first.
list_costs() {
	gawk -F ' *[|] *' '
	$2 ~ /^\*\*/ { gsub(/\*|:.*/, "", $2); part = $2 }
	part ~ /Hooks|Records|Trees|Full/ && $3 ~ /^[0-9]+$/ { printf "  %5d  %s\n", $3, $2 }
	' "$top_dir/Documentation/costs.md" | fold -s -w 72 | sed '/^  *[0-9][0-9]*  /!s/^/         /'
}

rm -f "$out"/*.patch
# The blurb of a cover letter comes from the description of the branch.
list_costs >"$work/costs"
in_tree checkout -q -B kmonitor
in_tree config branch.kmonitor.description "$(sed -e '1,2d' -e "/@COSTS@/{
r $work/costs
d
}" "$series_dir/cover-letter")"
in_tree format-patch -q "-$nr" --cover-letter --cover-from-description=subject --no-signature \
	-o "$(cd "$out" && pwd)"
