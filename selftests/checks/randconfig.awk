# SPDX-License-Identifier: GPL-2.0-only
# Chooses n variants of the kernel's configuration from a seed, one a line: the compiler, then
# NAME=y or NAME=n for each symbol. Compilers alternate. The second variant is the opposite of
# the first, so that two cover each symbol both ways; of many candidates for each later one, that
# one is taken which has the most pairs of values that are new.

# Minimal standard generator: the same numbers from any awk.
function random_bit()
{
	state = state * 16807 % 2147483647
	return state % 65536 >= 32768
}

# A symbol that needs another one is off where that one is.
function keep_dependencies(variant)
{
	for (name in needs)
		if (!variant[needs[name]])
			variant[name] = 0
}

function choose_first(variant)
{
	for (i = 2; i <= count; i++)
		variant[symbol[i]] = random_bit()
	for (name in needs)
		variant[name] = variant[needs[name]]
}

function pair(variant, i, j)
{
	return i "=" variant[symbol[i]] "," j "=" variant[symbol[j]]
}

function count_new(variant,    new)
{
	new = 0
	for (i = 1; i <= count; i++)
		for (j = i + 1; j <= count; j++)
			new += !(pair(variant, i, j) in seen)
	return new
}

function choose_next(best,    most, new)
{
	most = -1
	for (try = 0; try < 100; try++) {
		for (i = 2; i <= count; i++)
			candidate[symbol[i]] = random_bit()
		candidate["clang"] = best["clang"]
		keep_dependencies(candidate)
		new = count_new(candidate)
		if (new <= most)
			continue
		most = new
		for (i = 2; i <= count; i++)
			best[symbol[i]] = candidate[symbol[i]]
	}
}

function print_variant(variant)
{
	printf "%s", variant["clang"] ? "clang" : "gcc"
	for (i = 2; i <= count; i++)
		printf " %s=%s", symbol[i], variant[symbol[i]] ? "y" : "n"
	print ""
	for (i = 1; i <= count; i++)
		for (j = i + 1; j <= count; j++)
			seen[pair(variant, i, j)] = 1
}

BEGIN {
	# PERF_EVENTS is not among them: x86 selects it.
	count = split("clang SMP PREEMPT_RT NUMA CGROUPS MEMCG PID_NS USER_NS PROC_SYSCTL " \
		      "IA32_EMULATION IO_URING SECURITY TASKSTATS COREDUMP " \
		      "JUMP_LABEL KMONITOR_KUNIT_TEST", symbol)
	needs["NUMA"] = "SMP"
	needs["MEMCG"] = "CGROUPS"
	# Neighbouring seeds start alike.
	state = seed % 2147483646 + 1
	for (i = 0; i < 8; i++)
		random_bit()

	for (v = 0; v < n; v++) {
		variant["clang"] = v % 2
		if (v == 0)
			choose_first(variant)
		else if (v == 1)
			for (i = 2; i <= count; i++)
				variant[symbol[i]] = !variant[symbol[i]]
		else
			choose_next(variant)
		print_variant(variant)
	}
}
