/* SPDX-License-Identifier: GPL-2.0-only */
/* Where records come from: the kernel, of what is followed, or a recording. */
#ifndef KMON_TOOLS_SOURCE_H
#define KMON_TOOLS_SOURCE_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common.h"
#include "kmon.h"

/* Records that no filter asks for. */
#define STREAM_EVENTS                                            \
	(KMONITOR_TASK | KMONITOR_SNAPSHOT_END | KMONITOR_LOST | \
	 KMONITOR_EMPTY | KMONITOR_UNTRACKED | KMONITOR_EXEC_ARGS)

/* The cookie of processes that are followed without their children: "kmon". */
#define COOKIE_ALONE 0x6b6d6f6e

/* A process, tree, cgroup or user, or all, as an option named it. */
struct target {
	struct kmonitor_filter filter;
	const char *option;
	const char *text;
	bool ended;
};

struct source {
	/* Options of the command line: see source_argp. */
	struct target *targets;
	size_t nr_targets;
	const char *from_name;
	const char *record_name;
	int64_t duration_ns;
	uint32_t ring;
	enum kmon_method method;
	bool fail_on_loss;
	char **command;

	/* Requests of the tool. */
	uint32_t events;
	uint32_t filter_flags;
	uint32_t report;
	bool snapshot;
	/* If set, stop when the reader of this pipe goes away. */
	FILE *output;
	/* Each gives 0, or the exit status with which the run ends. */
	int (*take)(void *tool, const struct kmonitor_event *event,
		    int64_t wall_offset);
	int (*idle)(void *tool);
	/* Called each second if it is set. */
	int (*tick)(void *tool);
	void *tool;

	/* The state of the run. */
	int fd;
	struct kmon_reader *reader;
	uint32_t ring_records;
	FILE *from;
	int from_fd;
	/* It is no file but a pipe, say, where more may come. */
	bool from_stream;
	/* The exit status if waiting for one failed. */
	int stream_status;
	FILE *record;
	struct kmon_recording *recording;
	bool running;
	pid_t child;
	uint64_t child_tree;
	bool child_ended;
	bool snapshotting;
	/* There may be more to take at once. */
	bool more;
	/* When to ask who has ended, after a loss, and how long after the time before. */
	int64_t recheck_at;
	int64_t recheck_ns;
	/* A recording whose ids mean nothing on this system, or not now. */
	bool foreign;
	int64_t wall_offset;
	int64_t start_ns;
	int64_t tick_at;
	/* Records left to take once the end has come; negative before. */
	int64_t remaining;
	bool done;
	/* All that was followed has ended, or the signal that ended the run. */
	bool ended;
	int signal;

	/* The totals. */
	uint64_t taken;
	uint64_t lost;
	struct kmonitor_empty totals;
};

/* The options that all tools have that show records, as a child of theirs. */
extern const struct argp source_argp;

#define SOURCE_INIT                                                           \
	{                                                                     \
		.ring = 16384,                                                \
		.events = KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXEC |     \
			  KMONITOR_PROCESS_EXIT,                              \
		.fd = -1, .from_fd = -1, .recheck_at = NEVER, .remaining = -1 \
	}

/* Opens what records come from.  0, or the exit status. */
int source_open(struct source *source);

/* Whether a record of the child, as of its end, will come: it is known by a fork. */
static inline bool source_follows_child(const struct kmonitor_event *fork)
{
	return fork->cookie != COOKIE_ALONE;
}

/* Whether one tree may be all that is followed; of a recording that isn't known. */
static inline bool source_may_be_one_tree(const struct source *source)
{
	return source->nr_targets + !!source->command <= 1;
}

/* The part of a record that is about the process itself. */
static inline struct kmonitor_event
source_subject(const struct kmonitor_event *event)
{
	struct kmonitor_event subject = *event;

	subject.type = KMONITOR_TASK;
	return subject;
}

/*
 * From now on signals end the run as they should; when who reads the output has
 * gone, it ends, too.  Before anything is written, but behind whatever may block:
 * output may be NULL.
 */
int source_begin(struct source *source, FILE *output);

/* Takes records up to the end of what is followed.  0, or the exit status. */
int source_run(struct source *source);

/* The exit status of a run without errors: for losses, of the command, or for a signal. */
int source_status(struct source *source);

/* 0, or the exit status after a complaint that the end of the recording is missing. */
int source_close(struct source *source);

/* Seconds that the run has taken. */
double source_seconds(const struct source *source);

#endif /* KMON_TOOLS_SOURCE_H */
