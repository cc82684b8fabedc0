#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# randconfig.sh BUILD [N]: compiles kmonitor, and the files of the kernel that it patches, under N
# variants of the configuration, without a warning. SEED= repeats the variants of an earlier
# run. Prints TAP, and counts at the end.
set -u -o pipefail
. "$(dirname "$0")/../vm/common.sh"

build=$(mkdir -p "$1/randconfig" && cd "$1/randconfig" && pwd) || exit 1
variants=${2:-20}
seed=${SEED:-$(date +%s)}
"$vm_dir/packages.sh" kernel randconfig || exit 1
source=$("$vm_dir/kernel-source.sh") || exit 1
tree=$source/tree
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

mapfile -t patched < <(sed -n 's|^+++ b/\(.*\)\.c$|\1.o|p' "$top_dir/kernel/hooks.patch")

# Turns NAME=y and NAME=n into a fragment.
write_fragment() {
	local word

	# What some of the symbols need.
	printf 'CONFIG_%s=y\n' KUNIT NET SYSFS
	for word in "$@"; do
		case $word in
		PREEMPT_RT=y) printf '# CONFIG_PREEMPT is not set\nCONFIG_PREEMPT_RT=y\n' ;;
		*=y) echo "CONFIG_$word" ;;
		*=n) echo "# CONFIG_${word%=n} is not set" ;;
		esac
	done
}

# Fails when a symbol cannot be as the variant wants it: it would be varied in name only.
check_config() {
	local word status=0

	for word in "$@"; do
		case $word in
		*=y) grep -qx "CONFIG_$word" "$out/.config" ;;
		*=n) ! grep -q "^CONFIG_${word%=n}=" "$out/.config" ;;
		esac || { echo "did not come out: $word"; status=1; }
	done
	return $status
}

# All that is wrong with a variant, not only the first of it.
make_kernel() { "$vm_dir/kernel-make.sh" "$tree" "$out" -s -k "$@"; }

# compile_variant COMPILER NAME=VALUE...: objects only, in one directory a compiler, so that ccache
# and make leave little to do. The source is locked for one variant at a time.
compile_variant() {
	local objects=(kernel/kmonitor/) object
	export KERNEL_CC=$1
	out=$source/build-randconfig-$1
	shift

	lock "$source/build.lock"
	"$vm_dir/sync-source.sh" "$source" "$work/tree"
	mkdir -p "$out"
	write_fragment "$@" >"$work/fragment"
	(cd "$work" && "$tree/scripts/kconfig/merge_config.sh" -Q -m -O "$out" \
		"$vm_dir/config/base.config" "$work/fragment") >/dev/null
	make_kernel olddefconfig
	check_config "$@"
	for object in "${patched[@]}"; do
		case $object in
		fs/coredump.o) grep -qx CONFIG_COREDUMP=y "$out/.config" ;;
		security/landlock/*) grep -qx CONFIG_SECURITY_LANDLOCK=y "$out/.config" ;;
		esac && objects+=("$object")
	done
	rm -rf "$out/kernel/kmonitor"
	make_kernel W=1 "${objects[@]}"
}

[ "$variants" -ge 2 ] || die "N=$variants: two variants at least have each symbol on and off"
say "compiling $variants variants, SEED=$seed"
awk -v n="$variants" -v seed="$seed" -f "$checks_dir/randconfig.awk" >"$work/variants" || exit 1
"$series_dir/make-patches.sh" "$source" "$work/patches" "$work/tree" || exit 1

rm -f "$build"/*
while read -ra words <&3; do
	number=$((passed + failed + 1))
	log=$build/$number.log
	# A subshell of its own: set -e counts for nothing in a condition.
	(set -e; compile_variant "${words[@]}") >"$log" 2>&1
	status=$?
	cp "$source/build-randconfig-${words[0]}/.config" "$build/$number.config"
	if [ $status = 0 ] && ! grep -E 'warning|error' "$log" >/dev/null; then
		passed=$((passed + 1))
		echo "ok $number ${words[*]}"
	else
		failed=$((failed + 1))
		grep -v '^make' "$log" | grep -E -A5 'warning|error|did not come out' |
			head -n 40 | sed 's/^/# /'
		echo "not ok $number ${words[*]}, see $log"
	fi
done 3<"$work/variants"
echo "1..$variants"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
