#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# man-pages.sh [update]: checks the manual pages: their form, that they have all that the
# public header has and each sysctl, and that the programs in them are those of
# Documentation/examples/; or copies the programs into them.
set -u -o pipefail
. "$(dirname "$0")/../vm/common.sh"

cd "$top_dir/Documentation/man" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
header=$top_dir/uapi/linux/kmonitor.h
accepted='lacks .* entry|manual not found|RETURN VALUES$|out of conventional order'
status=0

fault() {
	echo "$*"
	status=1
}

# The page $1 with the programs that its comments "example: NAME" announce.
with_examples() {
	awk '
	/^\.\\" example: / {
		print
		print ".Bd -literal"
		file = "../examples/" $3
		while ((getline line <file) > 0) {
			gsub(/\\/, "\\e", line)
			gsub(/-/, "\\-", line)
			gsub(/\047/, "\\(aq", line)
			gsub(/`/, "\\(ga", line)
			gsub(/\^/, "\\(ha", line)
			gsub(/~/, "\\(ti", line)
			sub(/^\./, "\\\\\\&.", line)
			print line
		}
		close(file)
		print ".Ed"
		skip = 1
	}
	!skip
	skip && /^\.Ed$/ { skip = 0 }' "$1"
}

for page in *.[1-9]; do
	with_examples "$page" >"$work/$page" || exit 1
	if [ "${1:-}" = update ]; then
		cmp -s "$work/$page" "$page" || cp "$work/$page" "$page"
	else
		diff -u "$page" "$work/$page" || fault "$page: differs from its examples"
	fi
	# The sections are those of Linux's own pages, in their order; what other pages are
	# installed is no fault of this one.
	{ mandoc -T lint -W style "$page" 2>&1 || true; } | grep -vE "$accepted" &&
		fault "$page: mandoc finds fault"
	{ groff -ww -mdoc -Tutf8 -z "$page" 2>&1 || true; } | grep . &&
		fault "$page: groff finds fault"
	mandoc -T utf8 -O width=78 "$page" | col -bx | awk 'length($0) > 80 { print; bad = 1 }
		END { exit bad }' || fault "$page: lines over 80 columns"
done

for example in ../examples/*.c ../examples/lib/*.c; do
	grep -qE "^\\.(\\\\\" example:|Pa) ${example#../examples/}( |\$)" ./*.[237] ||
		fault "no page shows or names $example"
done

for page in kmonitor_init.2 ioctl_kmonitor.2 kmonitor.7 *.3; do
	grep -q '^\.\\" example: ' "$page" || fault "$page has no example"
done

# Every structure is shown as it is.
structures() { sed -n '/^struct kmonitor_[a-z_]* {$/,/^};$/p' "$@" | tr '\n' '@'; }
each() { sed 's/@};@/&\n/g' | LC_ALL=C sort -u; }
structures "$header" | each >"$work/declared"
structures ./*.[27] | each >"$work/shown"
LC_ALL=C comm -23 "$work/declared" "$work/shown" | tr '@' '\n' | grep . &&
	fault "structures that no page shows so"

# Every error of the system call, every constant, and every sysctl is there.
{
	sed -nE 's/^ \* - %-(E[A-Z0-9]+):.*/\1/p' "$top_dir/kernel/syscall.c"
	sed -nE 's/^#define (KMONITOR_[A-Z0-9_]+) .*/\1/p' "$header"
	sed -nE 's/^\t(KMONITOR_TARGET_[A-Z]+) = .*/\1/p' "$header"
	sed -nE 's/^\t\t\.procname = "([a-z_]+)",$/\1/p' "$top_dir/kernel/limits.c"
} | grep -vx KMONITOR_IOC_MAGIC | LC_ALL=C sort -u >"$work/names"
grep -ohE '[A-Za-z0-9_]+' ./*.[27] | LC_ALL=C sort -u >"$work/words"
LC_ALL=C comm -23 "$work/names" "$work/words" | grep . && fault "names that no page has"

exit $status
