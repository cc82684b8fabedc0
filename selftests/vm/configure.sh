#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# configure.sh FLAVOUR TREE OUT: merges the flavour's fragments over allnoconfig and
# fails when a symbol that they ask for did not come out as asked.
set -eu
. "$(dirname "$0")/common.sh"

flavour=$1 tree=$2 out=$3
fragments=$vm_dir/config/base.config
[ "$flavour" = release ] || fragments="$fragments $vm_dir/config/$flavour.config"

mkdir -p "$out"
# The last word on a symbol wins, as in the kernel's own merge_config.sh.
# shellcheck disable=SC2086 # a list of words
awk '{
	name = ""
	if (/^CONFIG_/) name = substr($0, 1, index($0, "=") - 1)
	if (/^# CONFIG_.* is not set$/) name = $2
	if (name == "") next
	if (!(name in last)) order[n++] = name
	last[name] = $0
}
END { for (i = 0; i < n; i++) print last[order[i]] }' $fragments >"$out/asked.config"

KCONFIG_ALLCONFIG=$out/asked.config "$vm_dir/kernel-make.sh" "$tree" "$out" -s allnoconfig >&2

bad=0
while read -r line; do
	case $line in
	"#"*) name=${line#\# }; name=${name%% *}
		! grep -q "^$name=" "$out/.config" || { say "set against the wish: $name"; bad=1; } ;;
	*) grep -qxF "$line" "$out/.config" || { say "missing: $line"; bad=1; } ;;
	esac
done <"$out/asked.config"
[ $bad = 0 ] || die "the kernel's configuration lacks what the fragments ask for"
