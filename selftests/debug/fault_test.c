// SPDX-License-Identifier: GPL-2.0-only
/* Promise 10: a call that gets no memory says so and leaves nothing half-made. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "../common.h"

#define SYSCTL "/proc/sys/kernel/kmonitor/"
#define DEBUGFS "/sys/kernel/debug/"
#define CHILDREN 3

/* Ends the hunt for a call that never gets through. */
#define MAX_NTH 1000

FIXTURE(fault)
{
	int fail_nth;
	int fd;
	int device;
	long max_instances;
	long max_filters;
	int gate[2];
};

/*
 * Lets allocations of all kinds fail, and leaves so few instances and filters
 * that what a failed call doesn't give back is missed soon.
 */
FIXTURE_SETUP(fault)
{
	km_must_write(DEBUGFS "failslab/ignore-gfp-wait", "N");
	km_must_write(DEBUGFS "failslab/verbose", "0");
	km_must_write(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N");
	km_must_write(DEBUGFS "fail_page_alloc/min-order", "0");
	km_must_write(DEBUGFS "fail_page_alloc/verbose", "0");
	self->fail_nth = must(open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC));
	self->max_instances = km_sysctl(SYSCTL "max_user_instances", 3);
	self->max_filters = km_sysctl(SYSCTL "max_user_filters", 3);
	self->device = must(open("/dev/kmonitor", O_RDWR | O_CLOEXEC));
	self->fd = km_open(64);
	km_gate(self->gate);
	for (int i = 0; i < CHILDREN; i++) {
		if (!km_fork()) {
			km_gate_wait(self->gate);
			_exit(0);
		}
	}
}

FIXTURE_TEARDOWN(fault)
{
	for (int i = 0; i < CHILDREN; i++)
		km_gate_open(self->gate);
	while (wait(NULL) > 0)
		;
	close(self->fd);
	close(self->device);
	close(self->fail_nth);
	km_sysctl(SYSCTL "max_user_instances", self->max_instances);
	km_sysctl(SYSCTL "max_user_filters", self->max_filters);
}

typedef FIXTURE_DATA(fault) fault_data;

/* A call under test: 0 or more, or -errno; and what takes it back. */
struct call {
	const char *name;
	int (*run)(fault_data *self, uint64_t *result);
	void (*undo)(fault_data *self, uint64_t result);
	bool allocates;
};

/* Does a call with its nth allocation failing; true if it has so many. */
static bool with_fault(fault_data *self, unsigned int nth,
		       const struct call *call, uint64_t *result, int *ret)
{
	char text[16] = "";

	snprintf(text, sizeof(text), "%u", nth);
	must(pwrite(self->fail_nth, text, strlen(text), 0));
	*ret = call->run(self, result);
	memset(text, 0, sizeof(text));
	must(pread(self->fail_nth, text, sizeof(text) - 1, 0));
	must(pwrite(self->fail_nth, "0", 1, 0));
	return !atoi(text);
}

/* Lets each allocation of a call fail in turn. */
static void try_all(struct __test_metadata *_metadata, fault_data *self,
		    const struct call *call)
{
	uint32_t filters = km_stats(self->fd).filters;
	unsigned int nth = 0, failed = 0;
	uint64_t result;
	bool hit = true;
	int ret;

	while (hit && nth < MAX_NTH) {
		result = 0;
		hit = with_fault(self, ++nth, call, &result, &ret);
		if (ret >= 0) {
			call->undo(self, result);
		} else {
			failed++;
			EXPECT_EQ(-ENOMEM, ret)
			{
				TH_LOG("%s, allocation %u: %s", call->name, nth,
				       km_error(ret));
			}
		}
		EXPECT_EQ(filters, km_stats(self->fd).filters)
		{
			TH_LOG("%s, allocation %u", call->name, nth);
		}
	}
	TH_LOG("%s: %u allocations, %u calls failed", call->name, nth - 1,
	       failed);
	EXPECT_FALSE(hit);
	EXPECT_LE(0, ret);
	EXPECT_EQ(call->allocates, failed > 0);
}

static int run_init(fault_data *self, uint64_t *result)
{
	struct kmonitor_attr attr = { .ring_records = 64 };

	(void)self;
	*result = km_init(&attr, sizeof(attr), 0);
	return *result;
}

static int run_new(fault_data *self, uint64_t *result)
{
	struct kmonitor_attr attr = { .ring_records = 64 };
	struct kmonitor_new new = {
		.attr = (uintptr_t)&attr,
		.size = sizeof(attr),
	};

	*result = km_ioctl(self->device, KMONITOR_IOC_NEW, &new);
	return *result;
}

static void undo_init(fault_data *self, uint64_t result)
{
	(void)self;
	close(result);
}

static int run_thread(fault_data *self, uint64_t *result)
{
	return km_try_add(self->fd, KMONITOR_TARGET_THREAD, 0, KM_LIFE, 0,
			  result);
}

static int run_process(fault_data *self, uint64_t *result)
{
	return km_try_add(self->fd, KMONITOR_TARGET_PROCESS, 0, KM_LIFE, 0,
			  result);
}

static int run_tree(fault_data *self, uint64_t *result)
{
	return km_try_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 0,
			  result);
}

static int run_all(fault_data *self, uint64_t *result)
{
	return km_try_add(self->fd, KMONITOR_TARGET_ALL, 0, KM_LIFE, 0, result);
}

static void undo_add(fault_data *self, uint64_t result)
{
	int ret = km_del(self->fd, result);

	check(!ret, "FILTER_DEL: %s", km_error(ret));
}

static const struct call calls[] = {
	{ "kmonitor_init", run_init, undo_init, true },
	{ "NEW", run_new, undo_init, true },
	{ "FILTER_ADD of a thread", run_thread, undo_add, true },
	{ "FILTER_ADD of a process", run_process, undo_add, true },
	{ "FILTER_ADD of a tree", run_tree, undo_add, true },
	{ "FILTER_ADD of all", run_all, undo_add, true },
};

TEST_F(fault, what_makes_something_fails_whole)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		try_all(_metadata, self, &calls[i]);
}

/* The sets of those who are in other trees already differ from one another. */
TEST_F(fault, a_tree_over_trees_fails_whole)
{
	const struct call add = { "FILTER_ADD of an outer tree", run_tree,
				  undo_add, true };
	struct kmonitor_event event;
	uint64_t inner;
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		km_gate_wait(gate);
		_exit(0);
	}
	inner = km_add(self->fd, KMONITOR_TARGET_TREE, child,
		       KMONITOR_PROCESS_EXIT, 5);
	try_all(_metadata, self, &add);
	/* What held before holds still. */
	km_gate_open(gate);
	km_join(child);
	km_next(self->fd, &event);
	EXPECT_EQ(KMONITOR_PROCESS_EXIT, event.type);
	EXPECT_EQ(child, event.pid);
	EXPECT_EQ(5, event.cookie);
	km_next(self->fd, &event);
	EXPECT_EQ(KMONITOR_EMPTY, event.type);
	EXPECT_EQ(inner, event.empty.handle);
}

static int run_del(fault_data *self, uint64_t *result)
{
	(void)result;
	return km_ioctl(self->fd, KMONITOR_IOC_FILTER_CLEAR, NULL);
}

static int run_stats(fault_data *self, uint64_t *result)
{
	struct kmonitor_stats stats;

	(void)result;
	return km_ioctl(self->fd, KMONITOR_IOC_STATS, &stats);
}

static int run_poll(fault_data *self, uint64_t *result)
{
	(void)result;
	return km_readable(self->fd, 0);
}

static int run_read(fault_data *self, uint64_t *result)
{
	struct kmonitor_event event;
	int ret = km_read(self->fd, &event, 1);

	(void)result;
	return ret == -EAGAIN ? 0 : ret;
}

static void undo_nothing(fault_data *self, uint64_t result)
{
	(void)self;
	(void)result;
}

static const struct call free_calls[] = {
	{ "FILTER_CLEAR", run_del, undo_nothing, false },
	{ "STATS", run_stats, undo_nothing, false },
	{ "poll", run_poll, undo_nothing, false },
	{ "read", run_read, undo_nothing, false },
};

TEST_F(fault, what_takes_something_needs_no_memory)
{
	for (size_t i = 0; i < sizeof(free_calls) / sizeof(*calls); i++)
		try_all(_metadata, self, &free_calls[i]);
}

static int run_fork(fault_data *self, uint64_t *result)
{
	pid_t child = fork();

	(void)self;
	if (!child)
		_exit(0);
	*result = child;
	return child < 0 ? -errno : child;
}

static void undo_fork(fault_data *self, uint64_t result)
{
	(void)self;
	km_join(result);
}

/* Promise 2: of forks that fail there is no record, of those that don't each. */
TEST_F(fault, a_fork_that_fails_leaves_no_record)
{
	const struct call call = { "fork", run_fork, undo_fork, true };
	struct km_log log = {};
	unsigned int nth = 0, forked = 0, failed = 0;
	uint64_t child;
	bool hit = true;
	int ret;

	km_add(self->fd, KMONITOR_TARGET_TREE, 0,
	       KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXIT, 0);
	while (hit && nth < MAX_NTH) {
		hit = with_fault(self, ++nth, &call, &child, &ret);
		if (ret > 0) {
			undo_fork(self, child);
			forked++;
		} else {
			failed++;
		}
		km_drain(self->fd, &log);
		ASSERT_EQ(forked, km_count(&log, KMONITOR_PROCESS_FORK, 0));
		ASSERT_EQ(forked, km_count(&log, KMONITOR_PROCESS_EXIT, 0));
		ASSERT_EQ(2 * forked, log.nr);
	}
	EXPECT_FALSE(hit);
	EXPECT_NE(0, failed);
	EXPECT_NE(0, forked);
}

TEST_HARNESS_MAIN
