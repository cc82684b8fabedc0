// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that never end, as after an oops in do_exit(): their trees end
 * without them, and say so.  They stay until the VM ends.
 */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "../../common.h"

#define STUCK_TID "/proc/sys/kernel/kmonitor/debug_stuck_tid"
#define TREE KMONITOR_TARGET_TREE

/* Two looks of the kernel at the processes that are stuck, and more. */
#define QUIET_MS 2500

/* Threads of a process that leave when they are asked to. */
struct cast {
	pid_t root;
	pid_t member;
	pid_t sibling;
	int root_leaves[2];
	int member_leaves[2];
	int sibling_forks[2];
	int sibling_leaves[2];
	int ready[2];
};

static void *be_sibling(void *arg)
{
	struct cast *cast = arg;

	cast->sibling = gettid();
	must(write(cast->ready[1], cast, sizeof(*cast)));
	km_gate_wait(cast->sibling_forks);
	km_fork_and_join(5);
	km_gate_wait(cast->sibling_leaves);
	syscall(SYS_exit, 0);
	return NULL;
}

/* The member, with a second thread if it is to have one. */
static void be_member(struct cast *cast, bool threads)
{
	pthread_t thread;

	cast->member = getpid();
	if (threads)
		check(!pthread_create(&thread, NULL, be_sibling, cast),
		      "no thread");
	else
		must(write(cast->ready[1], cast, sizeof(*cast)));
	km_gate_wait(cast->member_leaves);
	syscall(SYS_exit, 0);
}

/* What is stuck never closes the descriptor: it must not have it. */
static void raise_cast(struct cast *cast, int fd, bool threads)
{
	km_gate(cast->root_leaves);
	km_gate(cast->member_leaves);
	km_gate(cast->sibling_forks);
	km_gate(cast->sibling_leaves);
	km_gate(cast->ready);
	cast->root = km_fork();
	if (!cast->root) {
		close(fd);
		cast->root = getpid();
		if (!km_fork())
			be_member(cast, threads);
		km_gate_wait(cast->root_leaves);
		_exit(0);
	}
	check(must(read(cast->ready[0], cast, sizeof(*cast))) == sizeof(*cast),
	      "no member");
}

/* Lets a thread leave, which will not get far. */
static void let_get_stuck(pid_t tid, int gate[2])
{
	km_sysctl(STUCK_TID, tid);
	km_gate_open(gate);
	while (km_state(tid) != 'X')
		sched_yield();
	km_sysctl(STUCK_TID, 0);
}

static void let_root_leave(const struct cast *cast)
{
	km_gate_open((int *)cast->root_leaves);
	check(!km_join(cast->root), "the root's status");
}

FIXTURE(stuck)
{
	int fd;
	struct cast cast;
	struct km_log log;
};

FIXTURE_SETUP(stuck)
{
	self->fd = km_open(0);
}

FIXTURE_TEARDOWN(stuck)
{
	close(self->fd);
}

static const struct kmonitor_event *
expect_empty(struct __test_metadata *_metadata, FIXTURE_DATA(stuck) * self,
	     pid_t root, uint32_t members, uint32_t flags)
{
	const struct kmonitor_event *empty;

	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, root);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_EMPTY, root));
	empty = km_find(&self->log, KMONITOR_EMPTY, root);
	EXPECT_EQ(flags, empty->empty.flags);
	EXPECT_EQ(members, empty->empty.members);
	return empty;
}

TEST_F(stuck, a_tree_ends_without_it)
{
	struct cast *cast = &self->cast;

	raise_cast(cast, self->fd, false);
	km_add(self->fd, TREE, cast->root, KM_LIFE, 1);
	let_get_stuck(cast->member, cast->member_leaves);
	EXPECT_FALSE(km_readable(self->fd, QUIET_MS));
	let_root_leave(cast);
	expect_empty(_metadata, self, cast->root, 2, KMONITOR_EMPTY_INCOMPLETE);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

TEST_F(stuck, its_filters_end)
{
	const struct kmonitor_event *empty;
	struct cast *cast = &self->cast;
	uint64_t handle;

	raise_cast(cast, self->fd, false);
	km_add(self->fd, KMONITOR_TARGET_PROCESS, cast->member, KM_LIFE, 1);
	km_add(self->fd, KMONITOR_TARGET_THREAD, cast->member, KM_LIFE, 2);
	km_add(self->fd, TREE, cast->member, KM_LIFE, 3);
	let_get_stuck(cast->member, cast->member_leaves);
	empty = expect_empty(_metadata, self, cast->member, 1,
			     KMONITOR_EMPTY_INCOMPLETE);
	EXPECT_EQ(0, empty->empty.root_status);
	EXPECT_EQ(0, empty->empty.failed);
	/* There is no end, so none is reported. */
	EXPECT_EQ(1, self->log.nr);
	EXPECT_EQ(0, km_stats(self->fd).filters);
	EXPECT_EQ(-ESRCH,
		  km_try_add(self->fd, TREE, cast->member, 0, 0, &handle));
	EXPECT_EQ(-ESRCH, km_try_add(self->fd, KMONITOR_TARGET_PROCESS,
				     cast->member, 0, 0, &handle));
	let_root_leave(cast);
}

TEST_F(stuck, no_snapshot_lists_it)
{
	struct cast *cast = &self->cast;

	raise_cast(cast, self->fd, false);
	km_add(self->fd, TREE, cast->member, 0, 1);
	let_get_stuck(cast->member, cast->member_leaves);
	expect_empty(_metadata, self, cast->member, 1,
		     KMONITOR_EMPTY_INCOMPLETE);
	km_add(self->fd, KMONITOR_TARGET_ALL, 0, 0, 1);
	km_list(self->fd, 0, 1, &self->log);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, cast->root));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_TASK, cast->member));
	let_root_leave(cast);
}

TEST_F(stuck, each_tree_that_it_is_in_says_so_and_no_other)
{
	struct cast *cast = &self->cast;
	int gate[2];
	pid_t other;

	km_gate(gate);
	other = km_fork_at_gate(gate);
	raise_cast(cast, self->fd, false);
	km_add(self->fd, TREE, cast->root, 0, 1);
	km_add(self->fd, TREE, cast->member, 0, 2);
	km_add(self->fd, TREE, other, 0, 3);
	let_get_stuck(cast->member, cast->member_leaves);
	expect_empty(_metadata, self, cast->member, 1,
		     KMONITOR_EMPTY_INCOMPLETE);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_EMPTY, cast->root));
	let_root_leave(cast);
	expect_empty(_metadata, self, cast->root, 2, KMONITOR_EMPTY_INCOMPLETE);
	km_gate_open(gate);
	expect_empty(_metadata, self, other, 1, 0);
	EXPECT_EQ(0, km_join(other));
}

/* A tree that is added later has never had it. */
TEST_F(stuck, it_is_no_member_of_a_later_tree)
{
	const uint64_t deadline = km_boottime_ns() + KM_TIMEOUT_MS * 1000000ULL;
	struct cast *cast = &self->cast;
	uint64_t handle;

	raise_cast(cast, self->fd, false);
	let_get_stuck(cast->member, cast->member_leaves);
	/* It has no marks when it is found, and must not get any. */
	usleep(500000);
	while (km_try_add(self->fd, KMONITOR_TARGET_PROCESS, cast->member, 0, 0,
			  &handle) != -ESRCH)
		check(km_boottime_ns() < deadline, "it gets marks");
	km_add(self->fd, TREE, cast->root, 0, 1);
	let_root_leave(cast);
	expect_empty(_metadata, self, cast->root, 1, 0);
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

/* The process is a member as long as a thread of it runs. */
TEST_F(stuck, a_process_lives_on_with_its_other_thread)
{
	struct cast *cast = &self->cast;

	raise_cast(cast, self->fd, true);
	km_add(self->fd, TREE, cast->member, KM_LIFE, 1);
	let_get_stuck(cast->member, cast->member_leaves);
	EXPECT_FALSE(km_readable(self->fd, QUIET_MS));
	km_gate_open(cast->sibling_forks);
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, 0);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_FORK, 0));
	EXPECT_EQ(5 << 8, self->log.event[self->log.nr - 1].exit.status);
	EXPECT_FALSE(km_readable(self->fd, QUIET_MS));
	km_gate_open(cast->sibling_leaves);
	expect_empty(_metadata, self, cast->member, 2,
		     KMONITOR_EMPTY_INCOMPLETE);
	/* One thread has ended, and the process has not. */
	EXPECT_NE(NULL,
		  km_find(&self->log, KMONITOR_THREAD_EXIT, cast->sibling));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_PROCESS_EXIT, cast->member));
	let_root_leave(cast);
}

TEST_F(stuck, both_threads_can_be)
{
	struct cast *cast = &self->cast;

	raise_cast(cast, self->fd, true);
	km_add(self->fd, TREE, cast->member, KM_LIFE, 1);
	km_gate_open(cast->sibling_forks);
	let_get_stuck(cast->sibling, cast->sibling_leaves);
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, 0);
	EXPECT_FALSE(km_readable(self->fd, QUIET_MS));
	EXPECT_EQ(NULL, km_find(&self->log, KMONITOR_EMPTY, 0));
	let_get_stuck(cast->member, cast->member_leaves);
	expect_empty(_metadata, self, cast->member, 2,
		     KMONITOR_EMPTY_INCOMPLETE);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_PROCESS_EXIT, cast->member));
	let_root_leave(cast);
}

TEST_HARNESS_MAIN
