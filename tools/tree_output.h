/* SPDX-License-Identifier: GPL-2.0-only */
/* The output of kmon-tree: lines for people, or JSON. */
#ifndef KMON_TOOLS_TREE_OUTPUT_H
#define KMON_TOOLS_TREE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "kmon.h"
#include "output.h"

struct tree_output {
	/* Options of the command line. */
	bool json;
	bool quiet;
	struct output to;

	int64_t wall_offset;
};

struct tree_totals {
	bool empty;
	uint64_t processes;
	uint64_t failed;
	/* Those that live. */
	uint64_t left;
	/* Ends and records that were lost. */
	uint64_t unknown;
	uint64_t lost;
	uint64_t wall_ns;
	uint64_t utime_ns;
	uint64_t stime_ns;
	uint64_t maxrss_kib;
};

/* Each gives 0, or the exit status after a complaint. */
int write_header(struct tree_output *output);

/* A line on a process that lives. */
int write_life(struct tree_output *output, int32_t pid, const char comm[16],
	       unsigned int depth, const char *what);

int write_loss(struct tree_output *output, uint64_t count);

/* An end, or, if it was lost, what is known of it. */
int write_end(struct tree_output *output, const struct kmonitor_event *event,
	      unsigned int depth, bool known);

int write_totals(struct tree_output *output, const struct tree_totals *totals);

#endif /* KMON_TOOLS_TREE_OUTPUT_H */
