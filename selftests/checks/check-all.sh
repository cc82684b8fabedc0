#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-all.sh BUILD: all that takes too long for .ci/run: the kernels on which races differ with
# one, two and four processors, each other flavour once, long races, many configurations, each
# patch of the series, the long models. It goes on after a failure, and where it was interrupted:
# what has passed for these very sources is counted from its log. CHECKS=pattern chooses commands,
# so that several of these may share the work. The last line is the sum.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=selftests/checks/count.sh
. selftests/checks/count.sh

sources=$(git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum |
	sha256sum | cut -c1-16)
logs=$1/check-all/$sources
mkdir -p "$logs" || exit 1

is_chosen() {
	# shellcheck disable=SC2053 # a pattern
	[[ $* = ${CHECKS:-*} ]]
}

# count_once COMMAND...: as count, unless it has passed.
count_once() {
	local before=${#faulty[@]} log="$logs/${*//[^a-zA-Z0-9=]/_}"

	is_chosen "$@" || return
	if [ -f "$log" ]; then
		count cat "$log"
		return
	fi
	count "$@"
	[ ${#faulty[@]} != "$before" ] || cp "$count_log" "$log"
}

for flavour in release debug kcsan; do
	for vcpus in 2 1 4; do
		count_once make check KERNEL=$flavour VCPUS=$vcpus
	done
done
for fragment in selftests/vm/config/*.config; do
	flavour=$(basename "$fragment" .config)
	case $flavour in
	base | debug | kcsan) ;;
	*) count_once make check KERNEL="$flavour" ;;
	esac
done

count_once make series
# A million records for each consumer.
count_once env STORM_SECONDS=2400 make check KERNEL=knobs TESTS='debug/in_flight_test'
for flavour in debug kcsan; do
	count_once make stress KERNEL=$flavour MINUTES=10
done
count_once make randconfig N=20
count_once make model MODEL=long
count_once make check-memory
! is_chosen make lint || count_one make lint
print_counts
