// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long others are kept from running, with 100,000 members.
 *
 * A thread of higher priority wants to run all the time for a moment, and notes by
 * how much it comes late.  On one processor that is the longest stretch with
 * preemption or interrupts off; as the holder of a spinning lock, as tasklist_lock
 * is, can't be preempted, no such lock is held for longer.
 */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "../common.h"
#include "measure.h"
#include "stall.h"

/* What a stretch may be longer by than the probe sees. */
#define PERIOD_NS 10000

/* By how much the probe comes late at most: one nanosecond an instruction. */
static volatile long latest;

static long difference_ns(struct timespec a, struct timespec b)
{
	return (a.tv_sec - b.tv_sec) * 1000000000 + a.tv_nsec - b.tv_nsec;
}

static void *probe(void *arg)
{
	struct timespec next, now;

	set_priority(0, 2 * PRIORITY);
	must(clock_gettime(CLOCK_MONOTONIC, &now));
	for (;;) {
		long late;

		next = now;
		next.tv_nsec += PERIOD_NS;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		must(clock_gettime(CLOCK_MONOTONIC, &now));
		late = difference_ns(now, next);
		if (late > latest)
			latest = late;
	}
	return arg;
}

struct subject {
	pid_t crowd;
	int fd;
	uint64_t handle;
};

static void do_nothing(struct subject *subject)
{
	(void)subject;
	pause_ms(10);
}

static void add_tree(struct subject *subject)
{
	subject->handle = km_add(subject->fd, KMONITOR_TARGET_TREE,
				 subject->crowd, KMONITOR_PROCESS_EXEC, 0);
}

static void widen_tree(struct subject *subject)
{
	km_add(subject->fd, KMONITOR_TARGET_TREE, subject->crowd,
	       KMONITOR_PROCESS_FORK, 0);
}

static void signal_tree(struct subject *subject)
{
	struct kmonitor_kill kill = { .handle = subject->handle };
	int ret = km_ioctl(subject->fd, KMONITOR_IOC_KILL, &kill);

	check(!ret && kill.signalled == MEMBERS + 1, "%u signalled",
	      kill.signalled);
}

static void list_tree(struct subject *subject)
{
	struct km_log log = {};

	km_list(subject->fd, subject->handle, 1, &log);
}

/* A sweep comes a second later. */
static void delete_tree(struct subject *subject)
{
	check(!km_del(subject->fd, subject->handle), "no filter");
	pause_ms(HOOKS_OFF_MS);
}

static void close_and_kill(struct subject *subject)
{
	close(subject->fd);
}

struct operation {
	const char *name;
	void (*run)(struct subject *subject);
};

static const struct operation operations[] = {
	{ "nothing", do_nothing },
	{ "FILTER_ADD of a TREE", add_tree },
	{ "FILTER_ADD of more events", widen_tree },
	{ "KILL with signal 0", signal_tree },
	{ "SNAPSHOT", list_tree },
	{ "FILTER_DEL and the sweep", delete_tree },
};

static void measure(const char *name, const struct operation *operation,
		    struct subject *subject)
{
	char row[80];

	pause_ms(1);
	latest = 0;
	operation->run(subject);
	snprintf(row, sizeof(row), "longest stretch: %s", name);
	report(row, latest);
}

void measure_stalls(void)
{
	const struct operation kill = { .run = close_and_kill };
	struct subject subject = { .crowd = start_crowd(MEMBERS) };
	struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_TREE,
		.flags = KMONITOR_FILTER_KILL_ON_CLOSE,
		.id = subject.crowd,
	};
	pthread_t thread;

	subject.fd = km_open(4096);
	check(!pthread_create(&thread, NULL, probe, NULL), "no thread");
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		measure(operations[i].name, &operations[i], &subject);
	check(!km_ioctl(subject.fd, KMONITOR_IOC_FILTER_ADD, &filter),
	      "FILTER_ADD failed");
	measure("close with KILL_ON_CLOSE", &kill, &subject);
	km_join(subject.crowd);
}
