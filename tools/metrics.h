/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of a descriptor as a text file for Prometheus. */
#ifndef KMON_TOOLS_METRICS_H
#define KMON_TOOLS_METRICS_H

#include <stdint.h>

#include "kmon.h"

/*
 * Replaces the file as a whole, so that who reads it never sees half of it; what is no
 * regular file is written to.
 * lag_ns: how old the newest record was when it was taken.  0, or a negative
 * errno value.
 */
int write_metrics(const char *name, const struct kmonitor_stats *stats,
		  int64_t lag_ns);

#endif /* KMON_TOOLS_METRICS_H */
