// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that join a pid namespace from outside: their forks are reported to
 * the monitors of that namespace, with nothing of the forker.
 */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"

/* A monitor made by the init of a new pid namespace, which then waits. */
FIXTURE(joined)
{
	int gate[2];
	int socket[2];
	pid_t init;
	int fd;
	int ns;
};

FIXTURE_VARIANT(joined)
{
	uint32_t target;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(joined, all) { KMONITOR_TARGET_ALL };
FIXTURE_VARIANT_ADD(joined, uid) { KMONITOR_TARGET_UID };
/* clang-format on */

static int make_monitor(uint32_t target)
{
	int fd = km_open(0);

	km_add(fd, target, 0, KM_LIFE, 7);
	return fd;
}

FIXTURE_SETUP(joined)
{
	char path[64];

	km_gate(self->gate);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			self->socket));
	self->init = km_raw_clone(CLONE_NEWPID | SIGCHLD);
	if (!self->init) {
		km_send_fd(self->socket[1], make_monitor(variant->target));
		km_gate_wait(self->gate);
		_exit(0);
	}
	self->fd = km_receive_fd(self->socket[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", self->init);
	self->ns = must(open(path, O_RDONLY | O_CLOEXEC));
}

FIXTURE_TEARDOWN(joined)
{
	km_gate_open(self->gate);
	km_join(self->init);
	close(self->fd);
	close(self->ns);
}

/* As nsenter(1): a child of this process is born in the namespace. */
static void fork_into(int ns, uid_t uid)
{
	pid_t child = km_fork();

	if (!child) {
		must(setns(ns, CLONE_NEWPID));
		if (uid)
			km_become(uid, uid);
		child = km_fork_and_join(9);
		_exit(child > 0 ? 3 : 4);
	}
	check(km_join(child) == 3 << 8, "the outsider's status");
}

TEST_F(joined, a_fork_from_outside_is_reported)
{
	const struct kmonitor_event *fork, *exit;
	struct km_log log = {};

	fork_into(self->ns, 0);
	km_drain(self->fd, &log);
	ASSERT_LE(2, log.nr);
	fork = &log.event[0];
	exit = &log.event[log.nr - 1];
	ASSERT_EQ(KMONITOR_PROCESS_FORK, fork->type);
	ASSERT_EQ(KMONITOR_PROCESS_EXIT, exit->type);
	EXPECT_EQ(9 << 8, exit->exit.status);
	EXPECT_EQ(exit->pid, fork->fork.pid);
	EXPECT_EQ(exit->tgid, fork->fork.tgid);
	EXPECT_EQ(exit->start_ns, fork->fork.start_ns);
	EXPECT_EQ(7, fork->cookie);
	/* The forker does not exist there. */
	EXPECT_EQ(0, fork->pid);
	EXPECT_EQ(0, fork->tgid);
	EXPECT_EQ(0, fork->ppid);
	EXPECT_EQ(0, fork->fork.ppid);
	EXPECT_EQ(0, fork->start_ns);
	EXPECT_EQ(0, fork->cgroup_id);
	EXPECT_EQ(0, fork->comm[0]);
	EXPECT_EQ((uint32_t)-1, fork->uid);
	EXPECT_EQ(KMONITOR_EVENT_REDACTED, fork->flags);
	EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_FORK, 0));
}

/* The condition is judged by the child. */
TEST_F(joined, a_fork_from_outside_matches_by_the_child)
{
	const bool all = variant->target == KMONITOR_TARGET_ALL;
	struct km_log log = {};

	fork_into(self->ns, 1234);
	km_drain(self->fd, &log);
	EXPECT_EQ(all, km_count(&log, KMONITOR_PROCESS_FORK, 0));
	EXPECT_EQ(all, km_count(&log, KMONITOR_PROCESS_EXIT, 0));
}

/* No record is missing or too much in the outer namespace. */
TEST_F(joined, the_outer_namespace_sees_forker_and_child)
{
	const struct kmonitor_event *fork;
	struct km_log log = {};
	int fd = km_open(0);

	km_add(fd, variant->target, 0, KM_LIFE, 8);
	fork_into(self->ns, 0);
	km_drain(fd, &log);
	ASSERT_EQ(2, km_count(&log, KMONITOR_PROCESS_FORK, 0));
	for (size_t i = 0; i < log.nr; i++) {
		fork = &log.event[i];
		if (fork->type != KMONITOR_PROCESS_FORK)
			continue;
		EXPECT_LT(0, fork->pid);
		EXPECT_LT(0, fork->fork.pid);
		EXPECT_EQ(0, fork->flags);
	}
	close(fd);
}

TEST_HARNESS_MAIN
