#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel boots, and the KUnit tests that it has, @SUITES@, have passed.
set -u

. "$(dirname "$0")/helpers/checks.sh"

read -ra suites <<<"@SUITES@"

equal "$(uname -s)" Linux
for suite in "${suites[@]}"; do
	results=/sys/kernel/debug/kunit/$suite/results
	equal "$(grep -cE '^    not ok ' "$results") failures of $suite" "0 failures of $suite"
	equal "$(grep -cE '^    ok ' "$results") of $suite" \
		"$(sed -n 's/^    1\.\.//p' "$results") of $suite"
done

finish
