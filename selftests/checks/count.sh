# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sums up the counts of many checks; a failure does not keep the next one from running.

passed=0 failed=0 skipped=0 faulty=()
count_log=$(mktemp)
trap 'rm -f "$count_log"' EXIT

# count COMMAND...: runs what ends in a line of counts; no such line is a failure, as is a command
# that fails and counts none.
count() {
	local line p f s

	echo "== $*"
	{ "$@" 2>&1 || echo "== FAILED: $*"; } | tee "$count_log"
	line=$(grep -xE '[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' "$count_log" | tail -n 1)
	read -r p _ f _ s _ <<<"${line:-0 passed, 1 failed, 0 skipped}"
	[ "$f" != 0 ] || ! grep -qxF "== FAILED: $*" "$count_log" || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ "$f" = 0 ] || faulty+=("$*")
}

# count_one COMMAND...: counts the command itself as one check.
count_one() {
	echo "== $*"
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		faulty+=("$*")
	fi
}

# Names what failed and prints the sum. Returns whether all passed.
print_counts() {
	[ ${#faulty[@]} = 0 ] || printf 'FAULTY: %s\n' "${faulty[@]}"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
