// SPDX-License-Identifier: GPL-2.0-only
/* UID: the tasks of a real user id, checked at each event. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

#define UID KMONITOR_TARGET_UID
/* The raw call changes the ids of one thread; for 32 bits the old one has 16. */
#ifndef SYS_setresuid32
#define SYS_setresuid32 SYS_setresuid
#endif

#define ONE 1234
#define TWO 2345

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static void become(uid_t uid)
{
	must(setgroups(0, NULL));
	must(setresgid(uid, uid, uid));
	must(setresuid(uid, uid, uid));
	must(prctl(PR_SET_DUMPABLE, 1));
}

static int add(int fd, uint64_t id)
{
	struct kmonitor_filter filter = {
		.target = UID,
		.id = id,
		.events = KM_LIFE,
		.cookie = 5,
	};

	return km_ioctl(fd, KMONITOR_IOC_FILTER_ADD, &filter);
}

/* A child of this user that forks. */
static pid_t live_as(uid_t uid)
{
	pid_t pid = km_fork(), child;

	if (!pid) {
		become(uid);
		child = km_fork();
		if (child)
			km_join(child);
		_exit(0);
	}
	km_join(pid);
	return pid;
}

TEST_F(monitor, tasks_of_the_user_match_and_no_others)
{
	pid_t pid;

	ASSERT_EQ(0, add(self->fd, ONE));
	live_as(TWO);
	pid = live_as(ONE);
	km_drain(self->fd, &self->log);
	ASSERT_EQ(5, self->log.nr);
	EXPECT_EQ(pid, self->log.event[0].pid);
	EXPECT_EQ(KMONITOR_PROCESS_FORK, self->log.event[0].type);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(ONE, self->log.event[i].uid);
		EXPECT_EQ(5, self->log.event[i].cookie);
	}
}

TEST_F(monitor, the_real_id_counts_at_each_event)
{
	pid_t pid;

	ASSERT_EQ(0, add(self->fd, ONE));
	pid = km_fork();
	if (!pid) {
		/* The effective id only: no record. */
		must(setresuid(0, ONE, 0));
		for (int i = 0; i < 2; i++) {
			if (!km_fork())
				_exit(0);
			wait(NULL);
		}
		must(setresuid(ONE, 0, 0));
		if (!km_fork())
			_exit(0);
		wait(NULL);
		must(setresuid(0, 0, 0));
		_exit(0);
	}
	km_join(pid);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(3, self->log.nr);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_FORK, pid));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_PROCESS_EXIT, pid));
}

TEST_F(monitor, ones_own_user_needs_no_privilege)
{
	static const uint64_t others[] = { 0, TWO };
	pid_t pid = km_fork();

	if (!pid) {
		struct km_log log = {};
		int fd;

		become(ONE);
		fd = km_open(0);
		for (int i = 0; i < 2; i++)
			check(add(fd, others[i]) == -EPERM, "expected EPERM");
		/* The descriptor of root can't be aimed either. */
		check(add(self->fd, TWO) == -EPERM, "expected EPERM");
		check(add(self->fd, ONE) == -EPERM, "expected EPERM");
		check(!km_stats(fd).filters, "EPERM left an entry");
		check(!add(fd, ONE), "expected success");
		pid = km_fork();
		if (!pid)
			_exit(3);
		km_join(pid);
		km_drain(fd, &log);
		check(log.nr == 3, "expected 3 records, got %zu", log.nr);
		check(log.event[2].exit.status == 3 << 8, "wrong status");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(pid));
}

/* Promise 9: of the user, but not to be seen by it. */
TEST_F(monitor, tasks_that_the_creator_may_not_see_are_not_reported)
{
	pid_t pid = km_fork();

	if (!pid) {
		struct km_log log = {};
		int fd;

		become(ONE);
		fd = km_open(0);
		check(!add(fd, ONE), "expected success");
		pid = km_fork();
		if (!pid) {
			must(prctl(PR_SET_DUMPABLE, 0));
			if (!km_fork())
				_exit(0);
			wait(NULL);
			_exit(0);
		}
		km_join(pid);
		km_drain(fd, &log);
		check(log.nr == 1 && log.event[0].fork.pid == pid,
		      "expected the fork only, got %zu records", log.nr);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(pid));
}

/* Promise 8: ids are those of the creator's user namespace. */
TEST_F(monitor, the_id_is_of_the_creators_user_namespace)
{
	pid_t pid = km_fork();

	if (!pid) {
		int fd;

		become(ONE);
		must(unshare(CLONE_NEWUSER));
		fd = km_open(0);
		/* No user is mapped there yet. */
		check(add(fd, ONE) == -EINVAL, "expected EINVAL");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(pid));
	pid = km_fork();
	if (!pid) {
		struct km_log log = {};
		int fd, map;

		become(ONE);
		must(unshare(CLONE_NEWUSER));
		must(prctl(PR_SET_DUMPABLE, 1));
		map = must(open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC));
		check(dprintf(map, "7 %d 1\n", ONE) > 0, "no map");
		fd = km_open(0);
		check(add(fd, ONE) == -EINVAL, "expected EINVAL");
		check(!add(fd, 7), "expected success");
		pid = km_fork();
		if (!pid)
			_exit(0);
		km_join(pid);
		km_drain(fd, &log);
		check(log.nr == 3, "expected 3 records, got %zu", log.nr);
		check(log.event[0].uid == 7, "expected uid 7");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(pid));
}

/* A thread of another user, which ends when the leader has. */
static void *outlive_leader(void *ready)
{
	must(syscall(SYS_setresuid32, TWO, TWO, TWO));
	km_gate_open(ready);
	while (km_state(getpid()) != 'Z')
		usleep(1000);
	syscall(SYS_exit, 0);
	return NULL;
}

/* The end of a process is that of its leader, whoever comes last. */
TEST_F(monitor, the_last_thread_may_be_of_another_user)
{
	struct km_log log = {};
	pthread_t thread;
	int ready[2];
	pid_t pid;

	km_gate(ready);
	ASSERT_EQ(0, add(self->fd, ONE));
	pid = km_fork();
	if (!pid) {
		check(!pthread_create(&thread, NULL, outlive_leader, ready),
		      "no thread");
		km_gate_wait(ready);
		must(syscall(SYS_setresuid32, ONE, ONE, ONE));
		syscall(SYS_exit, 0);
	}
	EXPECT_EQ(0, km_join(pid));
	km_drain(self->fd, &log);
	EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_EXIT, pid));
}

/* Promise 10: what unprivileged descriptors can make a user's tasks pay. */
TEST_F(monitor, sixteen_unprivileged_entries_watch_a_user_at_most)
{
	pid_t pid = km_fork();

	if (!pid) {
		int fd[17];

		become(ONE);
		for (int i = 0; i < 17; i++) {
			fd[i] = km_open(2);
			check(add(fd[i], ONE) == (i < 16 ? 0 : -ENOSPC),
			      "wrong answer to %d", i);
			check(km_stats(fd[i]).filters == (i < 16),
			      "wrong number of entries");
		}
		close(fd[0]);
		check(!add(fd[16], ONE), "expected success");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(pid));
	EXPECT_EQ(0, add(self->fd, ONE));
}

TEST_F(monitor, adding_again_gives_the_same_entry)
{
	struct kmonitor_filter filter = { .target = UID, .id = ONE };

	for (int i = 0; i < 2; i++) {
		filter.events = i ? KMONITOR_PROCESS_EXIT :
				    KMONITOR_PROCESS_FORK;
		filter.handle = 0;
		ASSERT_EQ(0,
			  km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, &filter));
	}
	EXPECT_EQ(1, km_stats(self->fd).filters);
	live_as(ONE);
	EXPECT_EQ(3, km_stats(self->fd).matched);
	filter.events = KMONITOR_PROCESS_FORK;
	filter.handle = 0;
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_DEL, &filter));
	live_as(ONE);
	EXPECT_EQ(5, km_stats(self->fd).matched);
	filter.events = KMONITOR_PROCESS_EXIT;
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_DEL, &filter));
	EXPECT_EQ(0, km_stats(self->fd).filters);
	live_as(ONE);
	EXPECT_EQ(5, km_stats(self->fd).matched);
}

TEST_HARNESS_MAIN
