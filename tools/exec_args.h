/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts a record and the arguments that follow it together. */
#ifndef KMON_TOOLS_EXEC_ARGS_H
#define KMON_TOOLS_EXEC_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmon.h"

/* A record as it is shown: @args has texts, each ended by a NUL. */
struct shown {
	struct kmonitor_event event;
	int64_t wall_offset;
	char args[KMON_ARGS_MAX];
	size_t args_len;
	bool truncated;
};

struct exec_args {
	/* Called with each record when it is whole. */
	int (*take)(void *tool, const struct shown *shown);
	void *tool;
	/* Whether arguments are asked for; otherwise none is waited for, nor given. */
	bool wanted;
	/* A record whose arguments may still come. */
	bool held;
	struct shown shown;
};

/*
 * Takes the next record.  Arguments come right behind theirs, but an exec or
 * task that says that some are missing may have none: it waits for the next
 * record, or for exec_args_flush().
 */
int exec_args_take(struct exec_args *args, const struct kmonitor_event *event,
		   int64_t wall_offset);

int exec_args_flush(struct exec_args *args);

#endif /* KMON_TOOLS_EXEC_ARGS_H */
