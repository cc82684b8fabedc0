// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From the time of a record to the time of day.
 */

#include <time.h>

#include "kmon.h"

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t kmon_wall_offset(void)
{
	return now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME);
}
