#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# configure.sh OUT TREE FRAGMENT...: merges fragments over allnoconfig with the kernel's own
# merge_config.sh and fails when a symbol that they ask for did not come out as asked.
set -eu
. "$(dirname "$0")/common.sh"

out=$1 tree=$2
shift 2

mkdir -p "$out"
# merge_config.sh calls a plain make: in OUT, where the first configuration leaves a Makefile.
if ! grep -qsF "$tree/Makefile" "$out/Makefile"; then
	"$vm_dir/kernel-make.sh" "$tree" "$out" -s allnoconfig >&2
fi
(
	cd "$out"
	"$vm_dir/kernel-make.sh" --run "$tree/scripts/kconfig/merge_config.sh" -Q -n "$@"
) >"$out/merge.log" 2>&1 || { cat "$out/merge.log" >&2; die "merge_config.sh failed"; }

# A symbol that is to be off and does not exist is off.
gawk '
/^Value requested / { symbol = $0 }
/^Requested value: / { requested = $0 }
/^Actual value: / && (requested !~ / is not set$/ || NF > 2) {
	print symbol "\n" requested "\n" $0
	lacking = 1
}
END { exit lacking }' "$out/merge.log" >&2 ||
	die "the kernel's configuration lacks what the fragments ask for"
