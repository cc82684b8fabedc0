/* SPDX-License-Identifier: GPL-2.0-only */
/* Holding a thread up in the kernel, between two steps of what it does there. */
#ifndef KMONITOR_SELFTESTS_DEBUG_WINDOW_H
#define KMONITOR_SELFTESTS_DEBUG_WINDOW_H

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>

#include "../common.h"

#define KNOB "/proc/sys/kernel/kmonitor/debug_"

/* How long where the thread must not sleep, and where it may. */
#define SPIN_US 300000
#define SLEEP_US 60000000

/* How many windows the thread has come to since it was to be held. */
static inline unsigned int count_windows(void)
{
	int fd = must(open(KNOB "windows", O_RDONLY | O_CLOEXEC));
	char text[16] = "";

	must(read(fd, text, sizeof(text) - 1));
	close(fd);
	return strtoul(text, NULL, 10);
}

static inline void let_go(void)
{
	km_sysctl(KNOB "window_tid", 0);
}

/* Holds a thread up in the nth window that it comes to, until it is let go. */
static inline void hold_in_window(pid_t tid, unsigned int nr, unsigned int us)
{
	let_go();
	km_sysctl(KNOB "windows", 0);
	km_sysctl(KNOB "window_nr", nr);
	km_sysctl(KNOB "window_us", us);
	km_sysctl(KNOB "window_tid", tid);
}

/* Returns false if the thread doesn't come to that window in time. */
static inline bool is_in_window(unsigned int nr, unsigned int timeout_ms)
{
	const uint64_t deadline = km_boottime_ns() + timeout_ms * 1000000ULL;

	while (count_windows() < nr) {
		if (km_boottime_ns() > deadline)
			return false;
		sched_yield();
	}
	return true;
}

#endif /* KMONITOR_SELFTESTS_DEBUG_WINDOW_H */
