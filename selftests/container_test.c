// SPDX-License-Identifier: GPL-2.0-only
/* Promise 9: the owner of a rootless container sees all of it, and nobody else's. */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
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
static void run_service(const char *program)
{
	must(execl(program, program, "33", NULL));
}

FIXTURE_SETUP(container)
{
	char *program = km_helper("secret");
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
			run_service(program);
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
	bool from_outside;
	uint32_t sub = 0;
	int fd;

	/* As owner, outside of it, without any privilege. */
	km_become(OWNER, OWNER);
	fd = km_open(0);
	km_add(fd, TREE, self->init, KM_LIFE, 1);
	km_gate_open(self->gate);
	km_read_until(fd, &log, KMONITOR_EMPTY, self->init);
	/* Two forks, an exec, and of three processes their ends and threads'. */
	EXPECT_EQ(10, log.nr);
	for (size_t i = 0; i < log.nr - 1; i++) {
		event = &log.event[i];
		EXPECT_EQ(0, event->flags & KMONITOR_EVENT_REDACTED);
		from_outside = event->uid == OWNER &&
			       event->type != KMONITOR_PROCESS_EXEC;
		EXPECT_STREQ(from_outside ? km_comm() : "secret", event->comm);
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

/*
 * A guest that is not dumpable and has not executed a program in the container
 * still has the memory of one from outside: ptrace(2) refuses it to the owner.
 */
TEST_F(container, its_owner_does_not_see_a_secret_from_outside)
{
	char path[64], target[64];
	struct km_log log = {};
	int enter[2], leave[2];
	int inside, fd;
	pid_t guest;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", self->init);
	inside = must(open(path, O_RDONLY | O_CLOEXEC));
	km_gate(enter);
	km_gate(leave);
	guest = km_fork();
	if (!guest) {
		km_become(OWNER, OWNER);
		km_gate_open(leave);
		km_gate_wait(enter);
		must(setns(inside, CLONE_NEWUSER));
		must(prctl(PR_SET_DUMPABLE, 0));
		km_gate_open(leave);
		km_gate_wait(enter);
		km_fork_and_join(0);
		_exit(5);
	}
	km_gate_wait(leave);
	km_become(OWNER, OWNER);
	fd = km_open(0);
	km_add(fd, KMONITOR_TARGET_PROCESS, guest, KM_LIFE, 1);
	km_gate_open(enter);
	km_gate_wait(leave);
	snprintf(path, sizeof(path), "/proc/%d/exe", guest);
	EXPECT_EQ(-1, readlink(path, target, sizeof(target)));
	EXPECT_EQ(EACCES, errno);
	km_gate_open(enter);
	km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, guest);
	/* Neither its name nor the end of its thread, which has memory. */
	EXPECT_EQ(2, log.nr);
	EXPECT_EQ(KMONITOR_PROCESS_FORK, log.event[0].type);
	EXPECT_EQ(KMONITOR_EVENT_REDACTED,
		  log.event[0].flags & KMONITOR_EVENT_REDACTED);
	EXPECT_EQ(5 << 8, km_join(guest));
	close(inside);
	close(fd);
}

TEST_HARNESS_MAIN
