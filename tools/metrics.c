// SPDX-License-Identifier: GPL-2.0-only
/* The counters of a descriptor as a text file for Prometheus, see metrics.h. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common.h"
#include "metrics.h"

static void put(FILE *file, const char *name, const char *type,
		const char *help, double value)
{
	fprintf(file, "# HELP kmonitor_%s %s\n# TYPE kmonitor_%s %s\n", name,
		help, name, type);
	fprintf(file, "kmonitor_%s %.15g\n", name, value);
}

static void put_all(FILE *file, const struct kmonitor_stats *stats,
		    int64_t lag_ns)
{
	put(file, "records_matched_total", "counter",
	    "Records that the filter selected.", stats->matched);
	put(file, "records_recorded_total", "counter",
	    "Records that were put into the ring.", stats->recorded);
	put(file, "records_lost_total", "counter",
	    "Records that found no room in the ring.",
	    (double)stats->lost + stats->pending);
	put(file, "ring_depth_records", "gauge",
	    "Records in the ring that were not taken yet.", stats->depth);
	put(file, "ring_peak_records", "gauge",
	    "The most records that were in the ring at once.", stats->peak);
	put(file, "lag_seconds", "gauge",
	    "Age of the newest record when it was taken.",
	    (double)lag_ns / NSEC_PER_SEC);
}

int write_metrics(const char *name, const struct kmonitor_stats *stats,
		  int64_t lag_ns)
{
	char temporary[PATH_MAX];
	FILE *file;
	int ret = 0;

	if (snprintf(temporary, sizeof(temporary), "%s.%d", name, getpid()) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	file = fopen(temporary, "we");
	if (!file)
		return -errno;
	put_all(file, stats, lag_ns);
	if (ferror(file))
		ret = -EIO;
	if (fclose(file))
		ret = -errno;
	if (!ret && rename(temporary, name))
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}
