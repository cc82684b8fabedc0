// SPDX-License-Identifier: GPL-2.0-only
/* Promise 9: the owner of a rootless container sees all of it, and nobody else's. */

#include "kselftest_harness.h"

#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common.h"

#define OWNER 1234
#define STRANGER 4321
#define SUB_UIDS 100000

#define TREE KMONITOR_TARGET_TREE

FIXTURE(container)
{
	int gate[2];
	pid_t init;
};

/* As newuidmap: 0 inside is the owner, the others are subordinate ids. */
static void map_ids(pid_t pid)
{
	char path[64], map[64];

	snprintf(map, sizeof(map), "0 %d 1\n1 %d 65535\n", OWNER, SUB_UIDS + 1);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	km_must_write(path, map);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	km_must_write(path, map);
}

/* In it: a service of user 33, which is as secret as it can be, and its child. */
static void run_service(void)
{
	must(setresgid(33, 33, 33));
	must(setresuid(33, 33, 33));
	must(prctl(PR_SET_DUMPABLE, 0));
	if (!km_fork())
		_exit(3);
	wait(NULL);
	_exit(4);
}

FIXTURE_SETUP(container)
{
	int ready[2], mapped[2];

	km_gate(self->gate);
	km_gate(ready);
	km_gate(mapped);
	self->init = km_fork();
	if (!self->init) {
		km_become(OWNER, OWNER);
		must(unshare(CLONE_NEWUSER));
		km_gate_open(ready);
		km_gate_wait(mapped);
		must(setresgid(0, 0, 0));
		must(setresuid(0, 0, 0));
		km_gate_open(ready);
		km_gate_wait(self->gate);
		if (!km_fork())
			run_service();
		wait(NULL);
		_exit(0);
	}
	km_gate_wait(ready);
	map_ids(self->init);
	km_gate_open(mapped);
	km_gate_wait(ready);
}

FIXTURE_TEARDOWN(container)
{
	km_gate_open(self->gate);
	waitpid(self->init, NULL, 0);
}

TEST_F(container, its_owner_sees_all_of_it)
{
	const struct kmonitor_event *event;
	struct km_log log = {};
	uint32_t sub = 0;
	int fd;

	/* As owner, outside of it, without any privilege. */
	km_become(OWNER, OWNER);
	fd = km_open(0);
	km_add(fd, TREE, self->init, KM_LIFE, 1);
	km_gate_open(self->gate);
	km_read_until(fd, &log, KMONITOR_EMPTY, self->init);
	/* Two forks, and of three processes the ends and the end of a thread. */
	EXPECT_EQ(9, log.nr);
	for (size_t i = 0; i < log.nr - 1; i++) {
		event = &log.event[i];
		EXPECT_EQ(0, event->flags & KMONITOR_EVENT_REDACTED);
		EXPECT_STREQ(km_comm(), event->comm);
		sub += event->uid == SUB_UIDS + 33;
		EXPECT_TRUE(event->uid == OWNER || event->uid == SUB_UIDS + 33);
	}
	/* A fork, two ends of threads, two of processes. */
	EXPECT_EQ(5, sub);
	EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_EXIT, self->init));
	EXPECT_EQ(3, log.event[log.nr - 1].empty.members);
	EXPECT_EQ(2, log.event[log.nr - 1].empty.failed);
	close(fd);
}

TEST_F(container, a_stranger_sees_nothing_of_it)
{
	uint64_t handle;
	int fd;

	km_become(STRANGER, STRANGER);
	fd = km_open(0);
	EXPECT_EQ(-EPERM,
		  km_try_add(fd, TREE, self->init, KM_LIFE, 1, &handle));
	close(fd);
}

/* One of the subordinate users outside of it is not in the container. */
TEST_F(container, its_owner_sees_no_sub_user_outside_of_it)
{
	uint64_t handle;
	int gate[2], fd;
	pid_t outside;

	km_gate(gate);
	outside = km_fork_as(SUB_UIDS + 33, SUB_UIDS + 33, gate);
	km_become(OWNER, OWNER);
	fd = km_open(0);
	EXPECT_EQ(-EPERM, km_try_add(fd, TREE, outside, KM_LIFE, 1, &handle));
	km_gate_open(gate);
	km_join(outside);
	close(fd);
}

TEST_HARNESS_MAIN
