// SPDX-License-Identifier: GPL-2.0-only
/* The marks of a time axis. */

#include "common.h"
#include "plot.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR (60 * MINUTE)

static int64_t decimal_tick(int64_t least)
{
	static const int steps[] = { 1, 2, 5 };
	int64_t unit = 1;

	for (;; unit *= 10) {
		for (unsigned int i = 0; i < 3; i++) {
			if (steps[i] * unit >= least)
				return steps[i] * unit;
		}
	}
}

int64_t plot_tick(int64_t span_ns, unsigned int max)
{
	static const int64_t clock[] = {
		15 * NSEC_PER_SEC, 30 * NSEC_PER_SEC, MINUTE,
		2 * MINUTE,	   5 * MINUTE,	      10 * MINUTE,
		15 * MINUTE,	   30 * MINUTE,	      HOUR,
		2 * HOUR,	   6 * HOUR,	      12 * HOUR,
		24 * HOUR,
	};
	const int64_t least = span_ns / max + (span_ns % max > 0);

	if (span_ns <= 2 * MINUTE)
		return decimal_tick(least);
	for (unsigned int i = 0; i < sizeof(clock) / sizeof(*clock); i++) {
		if (clock[i] >= least)
			return clock[i];
	}
	return 24 * HOUR * decimal_tick(least / (24 * HOUR) + 1);
}

/* Enough digits behind the point to distinguish two marks. */
static int decimals(int64_t tick_ns, int64_t unit_ns)
{
	int digits = 0;

	for (; unit_ns > tick_ns; unit_ns /= 10)
		digits++;
	return digits;
}

void plot_tick_words(int64_t ns, int64_t tick_ns, char words[PLOT_WORDS_MAX])
{
	const long long seconds = ns / NSEC_PER_SEC;

	if (tick_ns < 1000000)
		snprintf(words, PLOT_WORDS_MAX, "%.*f ms",
			 decimals(tick_ns, 1000000), (double)ns / 1e6);
	else if (tick_ns <= 10 * NSEC_PER_SEC)
		snprintf(words, PLOT_WORDS_MAX, "%.*f s",
			 decimals(tick_ns, NSEC_PER_SEC), (double)ns / 1e9);
	else if (ns < HOUR)
		snprintf(words, PLOT_WORDS_MAX, "%lld:%02lld", seconds / 60,
			 seconds % 60);
	else
		snprintf(words, PLOT_WORDS_MAX, "%lld:%02lld:%02lld",
			 seconds / 3600, seconds / 60 % 60, seconds % 60);
}
