// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes of a plot, as records show them.
 *
 * A process may be known from any record: its fork may be lost, or older than
 * the monitor.  Its parent stays the one that it began with, so that a daemon
 * is drawn below what started it.
 */

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "plot.h"
#include "source.h"

/* The most bytes of arguments that are kept of a process. */
#define ARGS_MAX 1000
/* The longest time from the fork of a command to its first record. */
#define COMMAND_NS NSEC_PER_SEC

/* A record that is damaged may have any time. */
static int64_t ns_of(uint64_t ns)
{
	return ns < INT64_MAX ? (int64_t)ns : INT64_MAX;
}

struct by_pid {
	int32_t pid;
	size_t process;
};

static int compare(const void *a, const void *b)
{
	const struct by_pid *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct by_pid *find(const struct plot *plot, int32_t pid)
{
	const struct by_pid key = { .pid = pid };
	struct by_pid **found = tfind(&key, &plot->by_pid, compare);

	return found ? *found : NULL;
}

static int set_newest(struct plot *plot, int32_t pid, size_t process)
{
	struct by_pid *entry = find(plot, pid);

	if (!entry) {
		entry = malloc(sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->pid = pid;
		if (!tsearch(entry, &plot->by_pid, compare)) {
			free(entry);
			return -ENOMEM;
		}
	}
	entry->process = process;
	return 0;
}

/* Room for twice as many whenever their number is a power of two. */
static void *room(void *array, size_t nr, size_t size)
{
	return nr & (nr - 1) ? array :
			       reallocarray(array, nr ? 2 * nr : 1, size);
}

static struct plot_process *add_process(struct plot *plot, int32_t pid,
					uint64_t start_ns, int32_t ppid)
{
	const struct by_pid *parent = ppid > 0 ? find(plot, ppid) : NULL;
	struct plot_process *processes, *process;

	processes = room(plot->processes, plot->nr, sizeof(*processes));
	if (!processes)
		return NULL;
	plot->processes = processes;
	process = &processes[plot->nr];
	*process = (struct plot_process){
		.pid = pid,
		.ppid = ppid,
		.parent = parent ? parent->process : NO_PROCESS,
		.start_ns = start_ns,
		.begin_ns = ns_of(start_ns),
	};
	if (set_newest(plot, pid, plot->nr))
		return NULL;
	plot->nr++;
	return process;
}

/* The process of a record, new if it was not known. */
static struct plot_process *subject(struct plot *plot,
				    const struct kmonitor_event *event)
{
	const struct by_pid *known = find(plot, event->tgid);
	struct plot_process *process =
		known ? &plot->processes[known->process] : NULL;

	if (process && process->start_ns == event->start_ns)
		return process;
	/* The end of the one that had this id was lost. */
	if (process && process->end == PLOT_ALIVE)
		process->end = PLOT_END_LOST;
	process = add_process(plot, event->tgid, event->start_ns, event->ppid);
	if (process && process->begin_ns > ns_of(event->time_ns))
		process->begin_ns = ns_of(event->time_ns);
	return process;
}

static void set_comm(struct plot_process *process,
		     const struct kmonitor_event *event)
{
	if (event->flags & KMONITOR_EVENT_REDACTED)
		process->redacted = true;
	else
		memcpy(process->comm, event->comm, sizeof(process->comm));
}

/* Cuts between two characters. */
static char *shortened(char *text, bool truncated)
{
	size_t len = strlen(text);
	char *copy;

	if (len > ARGS_MAX) {
		len = ARGS_MAX;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		text[len] = '\0';
		truncated = true;
	}
	return asprintf(&copy, "%s%s", text, truncated ? " ..." : "") < 0 ?
		       NULL :
		       copy;
}

/* The path is the first of the texts. */
static int set_args(struct plot_process *process, const struct shown *shown)
{
	const size_t path_len = strnlen(shown->args, shown->args_len);
	const size_t skip = path_len < shown->args_len ? path_len + 1 :
							 path_len;
	char text[KMON_ARGS_TEXT_MAX];

	free(process->path);
	free(process->args);
	process->path = NULL;
	process->args = NULL;
	if (!shown->args_len)
		return 0;
	kmon_format_args(shown->args, path_len, 0, text, sizeof(text));
	process->path = shortened(text, false);
	kmon_format_args(shown->args + skip, shown->args_len - skip, 0, text,
			 sizeof(text));
	process->args = shortened(text, shown->truncated);
	return process->path && process->args ? 0 : -ENOMEM;
}

int plot_set_command(struct plot *plot, char *const *argv)
{
	char args[KMON_ARGS_MAX], text[KMON_ARGS_TEXT_MAX];
	size_t len = 0, room = sizeof(args);

	for (; *argv && room > 1; argv++) {
		const int n = snprintf(args + len, room, "%s", *argv);
		const size_t used = (size_t)n < room ? (size_t)n + 1 : room;

		len += used;
		room -= used;
	}
	kmon_format_args(args, len, 0, text, sizeof(text));
	plot->command = shortened(text, *argv);
	return plot->command ? 0 : -ENOMEM;
}

static int add_fork(struct plot *plot, const struct kmonitor_event *event)
{
	const struct kmonitor_event child = {
		.time_ns = event->time_ns,
		.tgid = event->fork.tgid,
		.start_ns = event->fork.start_ns,
		.ppid = event->fork.ppid ? event->fork.ppid : event->tgid,
	};
	struct plot_process *process;

	/* The one that forked is at least as old. */
	if (!subject(plot, event))
		return -ENOMEM;
	if (!source_follows_child(event))
		return 0;
	process = subject(plot, &child);
	if (!process)
		return -ENOMEM;
	process->begin_ns = ns_of(event->time_ns);
	set_comm(process, event);
	return 0;
}

static int add_exec(struct plot *plot, const struct shown *shown)
{
	struct plot_process *process = subject(plot, &shown->event);

	if (!process)
		return -ENOMEM;
	if (!process->exec_ns)
		process->exec_ns = shown->event.type == KMONITOR_TASK ?
					   process->begin_ns :
					   ns_of(shown->event.time_ns);
	set_comm(process, &shown->event);
	return set_args(process, shown);
}

static int add_exit(struct plot *plot, const struct kmonitor_event *event)
{
	struct plot_process *process = subject(plot, event);

	if (!process)
		return -ENOMEM;
	/* After an exec the name is that of the program. */
	if (!process->exec_ns || event->flags & KMONITOR_EVENT_REDACTED)
		set_comm(process, event);
	process->end = PLOT_ENDED;
	process->end_ns = ns_of(event->time_ns);
	process->exit = event->exit;
	return 0;
}

static int add_loss(struct plot *plot, const struct kmonitor_event *event)
{
	struct plot_loss *losses;

	losses = room(plot->losses, plot->nr_losses, sizeof(*losses));
	if (!losses)
		return -ENOMEM;
	plot->losses = losses;
	losses[plot->nr_losses++] = (struct plot_loss){
		.first_ns = ns_of(event->lost.first_ns),
		.last_ns = ns_of(event->lost.last_ns),
		.count = event->lost.count,
	};
	return 0;
}

/* The descendants of a root that has no living ones have ended, too. */
static void add_empty(struct plot *plot, const struct kmonitor_event *event)
{
	const struct by_pid *root = find(plot, event->tgid);

	plot->trees_ended++;
	plot->empty = event->empty;
	if (!root)
		return;
	for (size_t i = root->process; i < plot->nr; i++) {
		size_t up = i;

		if (plot->processes[i].end != PLOT_ALIVE)
			continue;
		while (up != NO_PROCESS && up > root->process)
			up = plot->processes[up].parent;
		if (up == root->process)
			plot->processes[i].end = PLOT_END_LOST;
	}
}

static void note_time(struct plot *plot, const struct kmonitor_event *event)
{
	const int64_t now = ns_of(event->time_ns);
	const int64_t start = ns_of(event->start_ns);

	if (!plot->first_ns) {
		plot->first_ns = now;
		if (event->type == KMONITOR_PROCESS_EXEC && start < now &&
		    start >= now - COMMAND_NS)
			plot->first_ns = start;
	}
	if (event->type == KMONITOR_LOST && event->lost.first_ns &&
	    ns_of(event->lost.first_ns) < plot->first_ns)
		plot->first_ns = ns_of(event->lost.first_ns);
	if (now < plot->first_ns)
		plot->first_ns = now;
	if (now > plot->last_ns)
		plot->last_ns = now;
}

int plot_add(struct plot *plot, const struct shown *shown)
{
	const struct kmonitor_event *event = &shown->event;

	note_time(plot, event);
	switch (event->type) {
	case KMONITOR_PROCESS_FORK:
		return add_fork(plot, event);
	case KMONITOR_PROCESS_EXEC:
	case KMONITOR_TASK:
		return add_exec(plot, shown);
	case KMONITOR_PROCESS_EXIT:
		return add_exit(plot, event);
	case KMONITOR_LOST:
		return add_loss(plot, event);
	case KMONITOR_EMPTY:
		add_empty(plot, event);
	}
	return 0;
}

/* An end that was lost is among the losses, at the latest in the last one. */
static void set_end(struct plot *plot, struct plot_process *process)
{
	if (process->end == PLOT_ENDED)
		return;
	process->end_ns = plot->last_ns;
	if (process->end == PLOT_END_LOST && plot->nr_losses)
		process->end_ns = plot->losses[plot->nr_losses - 1].last_ns;
}

static void clip(struct plot *plot, struct plot_process *process)
{
	process->older = process->begin_ns < plot->first_ns;
	if (process->older)
		process->begin_ns = plot->first_ns;
	if (process->end_ns < process->begin_ns)
		process->end_ns = process->begin_ns;
	if (process->exec_ns && process->exec_ns < process->begin_ns)
		process->exec_ns = process->begin_ns;
}

void plot_finish(struct plot *plot, bool one_tree)
{
	plot->members = plot->nr;
	for (size_t i = 0; i < plot->nr; i++) {
		struct plot_process *process = &plot->processes[i];

		set_end(plot, process);
		clip(plot, process);
		plot->cpu_ns += process->exit.utime_ns + process->exit.stime_ns;
		plot->failed += plot_failed(process);
	}
	/* The totals of a single tree include those whose records were lost. */
	if (one_tree && plot->trees_ended == 1 &&
	    plot->empty.members >= plot->nr) {
		plot->members = plot->empty.members;
		plot->failed = plot->empty.failed;
		plot->cpu_ns = plot->empty.utime_ns + plot->empty.stime_ns;
	}
}

void plot_free(struct plot *plot)
{
	for (size_t i = 0; i < plot->nr; i++) {
		free(plot->processes[i].path);
		free(plot->processes[i].args);
	}
	free(plot->processes);
	free(plot->losses);
	free(plot->programs);
	free(plot->command);
	tdestroy(plot->by_pid, free);
}
