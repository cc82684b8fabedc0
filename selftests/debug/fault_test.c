// SPDX-License-Identifier: GPL-2.0-only
/* Promise 10: a call that gets no memory says so and leaves nothing half-made. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
	int info;
	struct kmonitor_get_pidfd process;
	uint64_t cgroup;
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
	self->info = -1;
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
	close(self->info);
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

/* Does a call with its nth allocation failing; true if it makes that many. */
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

static int add(fault_data *self, struct kmonitor_filter filter,
	       uint64_t *result)
{
	int ret;

	filter.events = KM_LIFE;
	ret = km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, &filter);
	*result = filter.handle;
	return ret;
}

static int run_cgroup(fault_data *self, uint64_t *result)
{
	const struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_CGROUP,
		.id = self->cgroup,
	};

	return add(self, filter, result);
}

static int run_uid(fault_data *self, uint64_t *result)
{
	return km_try_add(self->fd, KMONITOR_TARGET_UID, 0, KM_LIFE, 0, result);
}

static int run_ignored_tree(fault_data *self, uint64_t *result)
{
	const struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_TREE,
		.flags = KMONITOR_FILTER_IGNORE,
	};

	return add(self, filter, result);
}

static int run_ignored_uid(fault_data *self, uint64_t *result)
{
	const struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_UID,
		.flags = KMONITOR_FILTER_IGNORE,
	};

	return add(self, filter, result);
}

static int run_doomed_tree(fault_data *self, uint64_t *result)
{
	const struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_TREE,
		.flags = KMONITOR_FILTER_KILL_ON_CLOSE,
	};

	return add(self, filter, result);
}

static void undo_add(fault_data *self, uint64_t result)
{
	int ret = km_del(self->fd, result);

	check(!ret, "FILTER_DEL: %s", km_error(ret));
}

static int run_pidfd(fault_data *self, uint64_t *result)
{
	*result = km_ioctl(self->fd, KMONITOR_IOC_GET_PIDFD, &self->process);
	return *result;
}

/* The tail, the header and the records. */
static int run_mmap(fault_data *self, uint64_t *result)
{
	void *area =
		mmap(NULL, 2 * KM_PAGE, PROT_READ, MAP_SHARED, self->fd, 0);

	*result = (uintptr_t)area;
	return area == MAP_FAILED ? -errno : 0;
}

static void undo_mmap(fault_data *self, uint64_t result)
{
	(void)self;
	must(munmap((void *)(uintptr_t)result, 2 * KM_PAGE));
}

static int run_async(fault_data *self, uint64_t *result)
{
	(void)result;
	return fcntl(self->fd, F_SETFL, O_NONBLOCK | O_ASYNC) ? -errno : 0;
}

static void undo_async(fault_data *self, uint64_t result)
{
	(void)result;
	must(fcntl(self->fd, F_SETFL, O_NONBLOCK));
}

/* To open it is the business of /proc. */
static int run_info(fault_data *self, uint64_t *result)
{
	char text[4096];
	ssize_t len = pread(self->info, text, sizeof(text) - 1, 0);

	(void)result;
	if (len < 0)
		return -errno;
	text[len] = '\0';
	check(strstr(text, "peak:\t"), "expected all of fdinfo, got %s", text);
	return 0;
}

/* An open descriptor keeps the memory for its records. */
static void undo_info(fault_data *self, uint64_t result)
{
	char path[64];

	(void)result;
	close(self->info);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->fd);
	self->info = must(open(path, O_RDONLY | O_CLOEXEC));
}

/* The identity of this process, as its records have it. */
static void find_self(fault_data *self)
{
	struct kmonitor_event event;
	uint64_t handle;

	handle = km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, 0, 0);
	km_list(self->fd, 0, 1, NULL);
	km_next(self->fd, &event);
	check(event.type == KMONITOR_TASK && event.pid == getpid(), "no TASK");
	self->process.tgid = event.tgid;
	self->process.start_ns = event.start_ns;
	km_next(self->fd, &event);
	undo_add(self, handle);
}

static const struct call calls[] = {
	{ "kmonitor_init", run_init, undo_init, true },
	{ "NEW", run_new, undo_init, true },
	{ "FILTER_ADD of a thread", run_thread, undo_add, true },
	{ "FILTER_ADD of a process", run_process, undo_add, true },
	{ "FILTER_ADD of a tree", run_tree, undo_add, true },
	{ "FILTER_ADD of all", run_all, undo_add, true },
	{ "FILTER_ADD of a cgroup", run_cgroup, undo_add, true },
	{ "FILTER_ADD of a user", run_uid, undo_add, true },
	{ "FILTER_ADD of an ignored tree", run_ignored_tree, undo_add, true },
	{ "FILTER_ADD of an ignored user", run_ignored_uid, undo_add, true },
	{ "FILTER_ADD of a tree to kill", run_doomed_tree, undo_add, true },
	{ "GET_PIDFD", run_pidfd, undo_init, true },
	{ "mmap", run_mmap, undo_mmap, true },
	{ "O_ASYNC", run_async, undo_async, true },
	{ "read of fdinfo", run_info, undo_info, true },
};

TEST_F(fault, what_makes_something_fails_whole)
{
	struct stat info;

	must(stat("/sys/fs/cgroup", &info));
	self->cgroup = info.st_ino;
	find_self(self);
	undo_info(self, 0);
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
	/* Nothing has changed. */
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

static int run_extend_tree(fault_data *self, uint64_t *result)
{
	return km_try_add(self->fd, KMONITOR_TARGET_TREE, 0,
			  KM_LIFE | KMONITOR_COMM, 1, result);
}

static int run_extend_all(fault_data *self, uint64_t *result)
{
	return km_try_add(self->fd, KMONITOR_TARGET_ALL, 0, KMONITOR_SID, 1,
			  result);
}

static int run_probe(fault_data *self, uint64_t *result)
{
	struct kmonitor_kill arg = { .handle = 1 };
	int ret = km_ioctl(self->fd, KMONITOR_IOC_KILL, &arg);

	(void)result;
	check(ret || arg.signalled == CHILDREN + 1, "%u signalled",
	      arg.signalled);
	return ret;
}

static const struct call known_calls[] = {
	{ "more events of a tree", run_extend_tree, undo_nothing, false },
	{ "more events of all", run_extend_all, undo_nothing, false },
	{ "KILL by no signal", run_probe, undo_nothing, false },
};

TEST_F(fault, what_changes_an_entry_needs_no_memory)
{
	ASSERT_EQ(1, km_add(self->fd, KMONITOR_TARGET_TREE, 0,
			    KMONITOR_PROCESS_EXIT, 0));
	km_add(self->fd, KMONITOR_TARGET_ALL, 0, 0, 0);
	for (size_t i = 0; i < sizeof(known_calls) / sizeof(*calls); i++)
		try_all(_metadata, self, &known_calls[i]);
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

/* Sends a signal to the waiting child, of which the test has the one entry. */
static int send_to_child(fault_data *self, uint64_t handle, int signo)
{
	struct kmonitor_kill arg = { .handle = handle, .signo = signo };
	int ret = km_ioctl(self->fd, KMONITOR_IOC_KILL, &arg);

	check(ret || (arg.signalled == 1 && !arg.refused),
	      "%u signalled, %u refused", arg.signalled, arg.refused);
	return ret;
}

static int run_kill(fault_data *self, uint64_t *result)
{
	return send_to_child(self, *result, SIGTERM);
}

/* Touches the memory that a fork has left to be copied. */
static int run_rehearsal(fault_data *self, uint64_t *result)
{
	return send_to_child(self, *result, 0);
}

/* Without memory for the killer's identity, the killer is reported as unknown. */
static bool check_abort(struct __test_metadata *_metadata,
			const struct kmonitor_event *abort)
{
	bool unknown = abort->abort.flags & KMONITOR_ABORT_SENDER_UNKNOWN;

	EXPECT_EQ(SIGTERM, abort->abort.signo);
	EXPECT_EQ(unknown ? 0 : getpid(), abort->abort.sender_pid);
	EXPECT_EQ(unknown ? 0 : SI_USER, abort->abort.code);
	EXPECT_EQ(unknown, !abort->abort.sender_start_ns);
	return unknown;
}

/* Lets one allocation after the other fail; returns whether the last was met. */
static bool kill_with_faults(struct __test_metadata *_metadata,
			     fault_data *self, unsigned int *known,
			     unsigned int *unknown)
{
	const struct call kill = { "KILL", run_kill, undo_nothing, false };
	const struct call rehearsal = { "KILL by no signal", run_rehearsal,
					undo_nothing, false };
	unsigned int nth = 0;
	uint64_t handle;
	bool hit = true;
	pid_t child;
	int ret;

	while (hit && nth < MAX_NTH) {
		struct km_log log = {};

		child = km_fork();
		if (!child) {
			pause();
			_exit(0);
		}
		handle = km_add(self->fd, KMONITOR_TARGET_TREE, child,
				KMONITOR_PROCESS_ABORT | KMONITOR_PROCESS_EXIT,
				0);
		with_fault(self, MAX_NTH, &rehearsal, &handle, &ret);
		hit = with_fault(self, ++nth, &kill, &handle, &ret);
		EXPECT_EQ(0, ret);
		EXPECT_EQ(SIGTERM, km_join(child));
		km_read_until(self->fd, &log, KMONITOR_EMPTY, child);
		EXPECT_EQ(3, log.nr);
		EXPECT_EQ(KMONITOR_PROCESS_ABORT, log.event[0].type);
		if (check_abort(_metadata, &log.event[0]))
			++*unknown;
		else
			++*known;
		EXPECT_EQ(KMONITOR_PROCESS_EXIT, log.event[1].type);
		EXPECT_EQ(SIGTERM, log.event[1].exit.status);
		free(log.event);
	}
	return hit;
}

/*
 * An allocation that is not made each time, such as for the statistics of a
 * group, may move the one for the killer: out of the sequence, then again; or by
 * one, so that it is met twice.
 */
TEST_F(fault, a_kill_gets_through_and_its_sender_may_not_be_known)
{
	unsigned int known = 0, unknown = 0;

	for (int tries = 0; tries < 10 && !unknown; tries++)
		EXPECT_FALSE(
			kill_with_faults(_metadata, self, &known, &unknown));
	EXPECT_NE(0, unknown);
	EXPECT_NE(0, known);
}

static int open_with_args(void)
{
	struct kmonitor_attr attr = {
		.ring_records = 64,
		.report = KMONITOR_REPORT_EXEC_ARGS,
	};
	int fd = km_init(&attr, sizeof(attr),
			 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);

	check(fd >= 0, "kmonitor_init: %s", km_error(fd));
	return fd;
}

/* Whether the records behind this one are the parts that it should have. */
static bool has_args(const struct km_log *log, const struct kmonitor_event *of)
{
	const struct kmonitor_exec_args *part = (const void *)(of + 1);

	if (of + 1 == log->event + log->nr || part->type != KMONITOR_EXEC_ARGS)
		return false;
	check(part->part == 0 && part->nr_parts == 1, "part %u of %u",
	      part->part, part->nr_parts);
	check((part->flags ^ of->flags) == 0, "flags %#x after %#x",
	      part->flags, of->flags);
	return true;
}

static int run_snapshot(fault_data *self, uint64_t *result)
{
	struct kmonitor_snapshot arg = { .token = *result };

	return km_ioctl(self->fd, KMONITOR_IOC_SNAPSHOT, &arg);
}

/* Arguments may be missing, processes not. */
TEST_F(fault, a_snapshot_is_complete_without_memory)
{
	const struct call snapshot = { "SNAPSHOT", run_snapshot, undo_nothing,
				       false };
	unsigned int nth = 0, with = 0, without = 0;
	const struct kmonitor_event *task;
	int plain = self->fd, ret;
	bool hit = true;
	uint64_t token;

	self->fd = open_with_args();
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, 0, 0);
	while (hit && nth < MAX_NTH) {
		struct km_log log = {};

		token = ++nth;
		hit = with_fault(self, nth, &snapshot, &token, &ret);
		ASSERT_EQ(0, ret);
		km_drain(self->fd, &log);
		ASSERT_EQ(CHILDREN + 1, km_count(&log, KMONITOR_TASK, 0));
		ASSERT_EQ(1, km_count(&log, KMONITOR_SNAPSHOT_END, 0));
		task = km_find(&log, KMONITOR_TASK, getpid());
		ASSERT_NE(NULL, task);
		if (has_args(&log, task))
			with++;
		else
			without++;
		free(log.event);
	}
	EXPECT_FALSE(hit);
	EXPECT_NE(0, with);
	EXPECT_NE(0, without);
	close(self->fd);
	self->fd = plain;
}

TEST_HARNESS_MAIN
