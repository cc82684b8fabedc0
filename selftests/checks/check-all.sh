#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-all.sh: all that takes too long for .ci/run: each kernel flavour with one, two and four
# processors, long races, many configurations, each patch of the series, the long models. It goes
# on after a failure; the last line is the sum.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=selftests/checks/count.sh
. selftests/checks/count.sh

# release and each fragment; up has one processor, off nothing whose behaviour depends on them.
flavours=(release)
for fragment in selftests/vm/config/*.config; do
	flavour=$(basename "$fragment" .config)
	case $flavour in base | up | off) ;; *) flavours+=("$flavour") ;; esac
done

for vcpus in 1 2 4; do
	for flavour in "${flavours[@]}"; do
		count make check KERNEL="$flavour" VCPUS=$vcpus
	done
done
count make check KERNEL=up
count make check KERNEL=off

for flavour in debug kcsan; do
	count make stress KERNEL=$flavour MINUTES=10
done

count make randconfig N=20
count make model MODEL=long
count make check-memory
count make series
count_one make lint
print_counts
