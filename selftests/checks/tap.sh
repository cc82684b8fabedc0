# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Lines of TAP for checks that are commands.

passed=0 failed=0

# report STATUS NAME: one check, which has passed if the status is 0.
report() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) $2"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) $2"
	fi
}
