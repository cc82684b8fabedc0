/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of kmon-wait. */
#ifndef KMON_TOOLS_WAIT_H
#define KMON_TOOLS_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmon.h"
#include "output.h"

#define EXIT_UNKNOWN 4
#define EXIT_WAIT_FAILED 125

/* An operand, -t or -N. */
struct request {
	const char *name;
	pid_t pid;
	uint32_t kind;
};

struct target {
	uint32_t kind;
	pid_t pid;
	uint64_t handle;
	bool ended;
	/* The filter is gone, and no record has reported the end so far. */
	bool missing;
	/* Its record in the snapshot; for a name that the end doesn't have. */
	struct kmonitor_event listed;
};

struct wait {
	/* Options of the command line. */
	struct request *requests;
	size_t nr_requests;
	int64_t timeout_ns;
	bool any;
	bool verbose;
	bool json;
	bool quiet;
	bool fail_on_loss;

	/* The targets by cookie; one that is named twice is there twice. */
	struct target **targets;
	size_t nr_cookies;
	size_t nr_targets;
	void *by_handle;

	/* The state of the run. */
	int fd;
	struct output output;
	int64_t timeout_at;
	/* Records were lost since the filters were looked at. */
	bool loss;

	/* The results. */
	size_t nr_ended;
	size_t nr_failed;
	size_t nr_unknown;
	/* Had ended before. */
	size_t nr_gone;
	size_t nr_errors;
	uint64_t lost;
	bool timed_out;
};

/* Adds what is asked for to the filter: 0 or EXIT_WAIT_FAILED. */
int wait_add_targets(struct wait *wait);

/* Whether the creator may not see how it ended. */
static inline bool wait_is_redacted(const struct kmonitor_event *event)
{
	return event->flags & KMONITOR_EVENT_REDACTED;
}

/*
 * Writes what is asked for of an end, whose record is NULL if it was lost.
 * 0 or EXIT_WAIT_FAILED.
 */
int wait_write_end(const struct wait *wait, const struct target *target,
		   const struct kmonitor_event *event);

#endif /* KMON_TOOLS_WAIT_H */
