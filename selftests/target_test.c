// SPDX-License-Identifier: GPL-2.0-only
/* Which entry gets which record: targets, events, cookies, overlaps. */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common.h"
#include "monitor_fixture.h"

#define THREAD_TARGET KMONITOR_TARGET_THREAD
#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE
#define ALL KMONITOR_TARGET_ALL

/* A process that waits, then has a child and a thread, and ends. */
static pid_t live_at_gate(int gate[2])
{
	pid_t child = km_fork(), grandchild;

	if (child)
		return child;
	km_gate_wait(gate);
	grandchild = km_fork();
	if (grandchild)
		km_join(grandchild);
	_exit(0);
}

static pid_t live(int gate[2])
{
	pid_t child = live_at_gate(gate);

	km_gate_open(gate);
	km_join(child);
	return child;
}

TEST_F(monitor, a_process_entry_gets_its_process_only)
{
	pid_t child = live_at_gate(self->gate);
	int other[2];

	km_gate(other);
	km_add(self->fd, PROCESS, child, KM_LIFE, 5);
	live(other);
	km_gate_open(self->gate);
	km_join(child);
	km_drain(self->fd, &self->log);
	ASSERT_EQ(3, self->log.nr);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(child, self->log.event[i].tgid);
		EXPECT_EQ(5, self->log.event[i].cookie);
	}
	EXPECT_EQ(KMONITOR_PROCESS_FORK, self->log.event[0].type);
	EXPECT_EQ(KMONITOR_THREAD_EXIT, self->log.event[1].type);
	EXPECT_EQ(KMONITOR_PROCESS_EXIT, self->log.event[2].type);
}

TEST_F(monitor, a_process_entry_goes_with_its_process)
{
	pid_t child = live_at_gate(self->gate);
	uint64_t handle = km_add(self->fd, PROCESS, child, KM_LIFE, 5);

	EXPECT_EQ(1, km_stats(self->fd).filters);
	km_gate_open(self->gate);
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	/* The record may be read while the process has yet to leave its entry. */
	km_join(child);
	EXPECT_EQ(0, km_stats(self->fd).filters);
	EXPECT_EQ(-ENOENT, km_del(self->fd, handle));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_EMPTY, 0));
}

/* Also when nothing of the end is wanted. */
TEST_F(monitor, a_membership_without_events_goes_too)
{
	pid_t child = live_at_gate(self->gate);

	km_add(self->fd, PROCESS, child, 0, 5);
	km_add(self->fd, THREAD_TARGET, child, 0, 5);
	km_gate_open(self->gate);
	km_join(child);
	EXPECT_EQ(0, km_stats(self->fd).filters);
	EXPECT_EQ(0, km_stats(self->fd).matched);
}

struct worker {
	pthread_t thread;
	pid_t tid;
	int ready[2];
	int gate[2];
};

static void *fork_from_worker(void *arg)
{
	struct worker *worker = arg;
	pid_t child;

	worker->tid = gettid();
	km_gate_open(worker->ready);
	km_gate_wait(worker->gate);
	child = km_fork();
	if (!child)
		_exit(0);
	km_join(child);
	return NULL;
}

static void start_worker(struct worker *worker)
{
	km_gate(worker->ready);
	km_gate(worker->gate);
	check(!pthread_create(&worker->thread, NULL, fork_from_worker, worker),
	      "no thread");
	km_gate_wait(worker->ready);
}

TEST_F(monitor, a_thread_entry_gets_its_thread_only)
{
	struct worker worker[2];

	start_worker(&worker[0]);
	start_worker(&worker[1]);
	km_add(self->fd, THREAD_TARGET, worker[1].tid, KM_LIFE, 5);
	for (int i = 0; i < 2; i++) {
		km_gate_open(worker[i].gate);
		pthread_join(worker[i].thread, NULL);
	}
	km_drain(self->fd, &self->log);
	ASSERT_EQ(2, self->log.nr);
	EXPECT_EQ(KMONITOR_PROCESS_FORK, self->log.event[0].type);
	EXPECT_EQ(KMONITOR_THREAD_EXIT, self->log.event[1].type);
	EXPECT_EQ(worker[1].tid, self->log.event[0].pid);
	EXPECT_EQ(worker[1].tid, self->log.event[1].pid);
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

TEST_F(monitor, id_0_as_a_thread_is_the_calling_thread)
{
	struct worker worker;

	km_add(self->fd, THREAD_TARGET, 0, KM_LIFE, 5);
	start_worker(&worker);
	km_gate_open(worker.gate);
	pthread_join(worker.thread, NULL);
	km_drain(self->fd, &self->log);
	/* Only the creation of the worker is this thread's doing. */
	ASSERT_EQ(1, self->log.nr);
	EXPECT_EQ(KMONITOR_THREAD_CREATE, self->log.event[0].type);
	EXPECT_EQ(getpid(), self->log.event[0].pid);
}

/* The threads of a process, one of which runs a program. */
enum { LEADER, SECOND, THIRD, TRIO };

struct trio {
	int caller;
	pid_t tid[TRIO];
	int ready[2];
	int gate[2];
	int input[2];
	int output[2];
};

/* The caller among them runs the program that ends with its input. */
static void live_as(struct trio *trio, int who)
{
	char *argv[] = { km_helper("wait"), NULL };

	trio->tid[who] = gettid();
	km_gate_open(trio->ready);
	if (who == trio->caller) {
		km_gate_wait(trio->gate);
		must(dup2(trio->input[0], STDIN_FILENO));
		must(dup2(trio->output[1], STDOUT_FILENO));
		execv(argv[0], argv);
		_exit(127);
	}
	for (;;)
		pause();
}

static void *live_as_second(void *trio)
{
	live_as(trio, SECOND);
	return NULL;
}

static void *live_as_third(void *trio)
{
	live_as(trio, THIRD);
	return NULL;
}

static pid_t fork_trio(struct trio *trio)
{
	pthread_t thread;
	pid_t child;

	km_gate(trio->ready);
	km_gate(trio->gate);
	km_gate(trio->input);
	km_gate(trio->output);
	child = km_fork();
	if (!child) {
		check(!pthread_create(&thread, NULL, live_as_second, trio) &&
			      !pthread_create(&thread, NULL, live_as_third,
					      trio),
		      "no thread");
		live_as(trio, LEADER);
	}
	for (int i = 0; i < TRIO; i++)
		km_gate_wait(trio->ready);
	return child;
}

/*
 * The thread that runs the program gets EXEC by its old id.  The thread that is left has
 * the leader's id: only the leader's own entry, if it is the caller, stays.
 */
TEST_F(monitor, a_thread_entry_ends_with_the_exec_of_its_thread)
{
	struct trio *trio = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	const struct kmonitor_event *event;

	for (int caller = LEADER; caller <= SECOND; caller++) {
		struct km_log log[TRIO] = {};
		int fd[TRIO];
		pid_t pid;

		trio->caller = caller;
		pid = fork_trio(trio);
		for (int i = 0; i < TRIO; i++) {
			fd[i] = km_open(0);
			km_add(fd[i], THREAD_TARGET, trio->tid[i], KM_LIFE, i);
		}
		km_gate_open(trio->gate);
		/* The new program says so. */
		km_gate_wait(trio->output);
		for (int i = 0; i < TRIO; i++) {
			EXPECT_EQ(i == LEADER && i == caller,
				  km_stats(fd[i]).filters);
			km_drain(fd[i], &log[i]);
			ASSERT_EQ(1, log[i].nr);
			event = log[i].event;
			EXPECT_EQ(i, event->cookie);
			EXPECT_EQ(pid, event->tgid);
			EXPECT_EQ(i == caller ? KMONITOR_PROCESS_EXEC :
						KMONITOR_THREAD_EXIT,
				  event->type);
			EXPECT_EQ(i == caller ? pid : trio->tid[i], event->pid);
		}
		EXPECT_EQ(trio->tid[caller], log[caller].event->exec.old_pid);

		close(trio->input[0]);
		close(trio->input[1]);
		EXPECT_EQ(0, km_join(pid));
		for (int i = 0; i < TRIO; i++) {
			EXPECT_EQ(0, km_stats(fd[i]).filters);
			km_drain(fd[i], &log[i]);
			EXPECT_EQ(i == LEADER && i == caller ? 2 : 1,
				  log[i].nr);
			close(fd[i]);
		}
		if (caller == LEADER) {
			event = &log[LEADER].event[log[LEADER].nr - 1];
			EXPECT_EQ(KMONITOR_THREAD_EXIT, event->type);
			EXPECT_EQ(pid, event->pid);
		}
	}
}

TEST_F(monitor, all_gets_processes_that_nobody_named)
{
	struct km_log named = {};
	int other = km_open(0);
	pid_t child;

	km_add(self->fd, ALL, 0, KM_LIFE, 5);
	km_add(other, PROCESS, getpid(), KM_LIFE, 6);
	child = live(self->gate);
	km_drain(self->fd, &self->log);
	km_drain(other, &named);
	EXPECT_EQ(2,
		  km_count(&self->log, KMONITOR_PROCESS_EXIT, child) +
			  km_count(&self->log, KMONITOR_PROCESS_FORK, child));
	EXPECT_EQ(1, named.nr);
	close(other);
}

TEST_F(monitor, only_the_wanted_events_come)
{
	static const uint32_t events[] = { KMONITOR_PROCESS_FORK,
					   KMONITOR_THREAD_EXIT,
					   KMONITOR_PROCESS_EXIT,
					   KMONITOR_PROCESS_FORK |
						   KMONITOR_PROCESS_EXIT };
	static const size_t expected[] = { 1, 1, 1, 2 };

	for (int i = 0; i < 4; i++) {
		struct km_log log = {};
		int fd = km_open(0);
		pid_t child = live_at_gate(self->gate);

		km_add(fd, PROCESS, child, events[i], 5);
		km_gate_open(self->gate);
		km_join(child);
		km_drain(fd, &log);
		EXPECT_EQ(expected[i], log.nr);
		EXPECT_EQ(expected[i], km_count(&log, events[i], child));
		close(fd);
	}
}

/* Promise 6: one record, with the cookie of the most specific entry. */
TEST_F(monitor, overlapping_entries_give_one_record)
{
	static const struct {
		uint32_t target;
		uint64_t cookie;
	} entries[] = {
		{ ALL, 1 }, { TREE, 2 }, { PROCESS, 3 }, { THREAD_TARGET, 4 }
	};

	for (int forward = 0; forward < 2; forward++) {
		struct km_log log = {};
		pid_t child = live_at_gate(self->gate);
		int fd = km_open(0);

		for (int i = 0; i < 4; i++) {
			int at = forward ? i : 3 - i;

			km_add(fd, entries[at].target,
			       entries[at].target == ALL ? 0 : child, KM_LIFE,
			       entries[at].cookie);
		}
		km_gate_open(self->gate);
		km_join(child);
		km_drain(fd, &log);
		EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_FORK, child));
		EXPECT_EQ(4,
			  km_find(&log, KMONITOR_PROCESS_FORK, child)->cookie);
		EXPECT_EQ(1, km_count(&log, KMONITOR_THREAD_EXIT, child));
		EXPECT_EQ(4,
			  km_find(&log, KMONITOR_THREAD_EXIT, child)->cookie);
		/* The thread's entry is gone, the process's is there. */
		EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_EXIT, child));
		EXPECT_EQ(3,
			  km_find(&log, KMONITOR_PROCESS_EXIT, child)->cookie);
		/* The grandchild is of the tree, this process of ALL only. */
		for (size_t i = 0; i < log.nr; i++) {
			if (log.event[i].type == KMONITOR_EMPTY ||
			    log.event[i].tgid == child)
				continue;
			EXPECT_EQ(log.event[i].tgid == getpid() ? 1 : 2,
				  log.event[i].cookie);
		}
		close(fd);
	}
}

TEST_F(monitor, an_entry_that_does_not_want_it_yields)
{
	pid_t child = live_at_gate(self->gate);

	km_add(self->fd, THREAD_TARGET, child, KMONITOR_PROCESS_EXEC, 4);
	km_add(self->fd, PROCESS, child, KMONITOR_PROCESS_EXIT, 3);
	km_add(self->fd, TREE, child, KMONITOR_PROCESS_FORK, 2);
	km_add(self->fd, ALL, 0, KMONITOR_THREAD_EXIT, 1);
	km_gate_open(self->gate);
	km_join(child);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(2, km_find(&self->log, KMONITOR_PROCESS_FORK, child)->cookie);
	EXPECT_EQ(1, km_find(&self->log, KMONITOR_THREAD_EXIT, child)->cookie);
	EXPECT_EQ(3, km_find(&self->log, KMONITOR_PROCESS_EXIT, child)->cookie);
}

TEST_F(monitor, adding_again_adds_events_and_replaces_the_cookie)
{
	static const uint32_t targets[] = { THREAD_TARGET, PROCESS, TREE, ALL };

	for (int i = 0; i < 4; i++) {
		struct km_log log = {};
		int fd = km_open(0);
		uint64_t handle;

		handle = km_add(fd, targets[i], 0, KMONITOR_PROCESS_EXEC, 1);
		EXPECT_EQ(handle,
			  km_add(fd, targets[i], 0, KMONITOR_PROCESS_FORK, 2));
		EXPECT_EQ(handle, km_add(fd, targets[i], 0, 0, 3));
		EXPECT_EQ(1, km_stats(fd).filters);
		live(self->gate);
		km_drain(fd, &log);
		ASSERT_LE(1, log.nr);
		EXPECT_EQ(KMONITOR_PROCESS_FORK, log.event[0].type);
		EXPECT_EQ(3, log.event[0].cookie);
		close(fd);
	}
}

TEST_F(monitor, del_by_target_and_id_clears_events)
{
	struct kmonitor_filter filter = {
		.target = PROCESS,
		.id = getpid(),
		.events = KMONITOR_PROCESS_EXEC | KMONITOR_THREAD_EXIT,
	};
	const unsigned int del = KMONITOR_IOC_FILTER_DEL;

	km_add(self->fd, PROCESS, 0,
	       KMONITOR_PROCESS_FORK | KMONITOR_THREAD_EXIT, 1);
	EXPECT_EQ(0, km_ioctl(self->fd, del, &filter));
	EXPECT_EQ(1, km_stats(self->fd).filters);
	live(self->gate);
	EXPECT_EQ(1, km_stats(self->fd).matched);

	/* The last event takes the entry along. */
	filter.events = KMONITOR_PROCESS_FORK;
	EXPECT_EQ(0, km_ioctl(self->fd, del, &filter));
	EXPECT_EQ(0, km_stats(self->fd).filters);
	EXPECT_EQ(-ENOENT, km_ioctl(self->fd, del, &filter));
	live(self->gate);
	EXPECT_EQ(1, km_stats(self->fd).matched);

	/* An entry that wants nothing needs no event to go. */
	km_add(self->fd, PROCESS, 0, 0, 1);
	filter.events = 0;
	EXPECT_EQ(0, km_ioctl(self->fd, del, &filter));
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

TEST_F(monitor, nothing_comes_after_del_or_clear)
{
	static const uint32_t targets[] = { THREAD_TARGET, PROCESS, TREE, ALL };
	uint64_t handle;

	for (int i = 0; i < 4; i++) {
		handle = km_add(self->fd, targets[i], 0, KM_LIFE, 1);
		EXPECT_EQ(0, km_del(self->fd, handle));
		live(self->gate);
		EXPECT_EQ(0, km_stats(self->fd).matched);
	}
	for (int i = 0; i < 4; i++)
		km_add(self->fd, targets[i], 0, KM_LIFE, 1);
	EXPECT_EQ(4, km_stats(self->fd).filters);
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_CLEAR, NULL));
	live(self->gate);
	EXPECT_EQ(0, km_stats(self->fd).matched);
	EXPECT_FALSE(km_readable(self->fd, 0));
}

TEST_HARNESS_MAIN
