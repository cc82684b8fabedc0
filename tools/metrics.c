// SPDX-License-Identifier: GPL-2.0-only
/* The counters of a descriptor as a text file for Prometheus, see metrics.h. */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
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

/* A pipe or a device can't be replaced. */
static bool is_special(const char *name)
{
	struct stat st;

	return !stat(name, &st) && !S_ISREG(st.st_mode);
}

static int write_file(const char *name, const char *mode,
		      const struct kmonitor_stats *stats, int64_t lag_ns)
{
	FILE *file = fopen(name, mode);
	int ret;

	if (!file)
		return -errno;
	put_all(file, stats, lag_ns);
	ret = ferror(file) ? -EIO : 0;
	if (fclose(file))
		ret = -errno;
	return ret;
}

int write_metrics(const char *name, const struct kmonitor_stats *stats,
		  int64_t lag_ns)
{
	char temporary[PATH_MAX];
	int ret;

	if (is_special(name))
		return write_file(name, "we", stats, lag_ns);
	if (snprintf(temporary, sizeof(temporary), "%s.%d", name, getpid()) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	/* Left by a run that died.  Never through a link that another user has put there. */
	unlink(temporary);
	ret = write_file(temporary, "wxe", stats, lag_ns);
	if (!ret && rename(temporary, name))
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}
