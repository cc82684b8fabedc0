// SPDX-License-Identifier: GPL-2.0-only
/* Promise 9: what a security module hides from its creator, an fd doesn't show. */

#include "kselftest_harness.h"

#include <linux/landlock.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE
#define ALL KMONITOR_TARGET_ALL

/* Confines the calling thread and its descendants to a domain of their own. */
static void confine(void)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK,
	};
	int fd = must(
		syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(syscall(SYS_landlock_restrict_self, fd, 0));
	close(fd);
}

static int add(int fd, uint32_t target, pid_t id)
{
	uint64_t handle;

	return km_try_add(fd, target, id, KM_LIFE, 1, &handle);
}

/* A confined child of root's makes a descriptor, and waits. */
static pid_t confined_creator(int *fd, int gate[2])
{
	int sockets[2];
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = km_fork();
	if (!child) {
		confine();
		km_send_fd(sockets[0], km_open(0));
		km_gate_wait(gate);
		_exit(0);
	}
	*fd = km_receive_fd(sockets[1]);
	close(sockets[0]);
	close(sockets[1]);
	return child;
}

/* Root is both creator and caller, but for the domain. */
TEST(a_confined_creator_can_t_aim_outside_its_domain)
{
	int gate[2], fd;
	pid_t creator;

	km_gate(gate);
	creator = confined_creator(&fd, gate);
	EXPECT_EQ(-EPERM, add(fd, ALL, 0));
	EXPECT_EQ(-EPERM, add(fd, PROCESS, 0));
	EXPECT_EQ(-EPERM, add(fd, TREE, 1));
	EXPECT_EQ(0, km_stats(fd).filters);
	EXPECT_EQ(0, add(fd, TREE, creator));
	km_gate_open(gate);
	km_join(creator);
	close(fd);
}

TEST(a_confined_caller_can_t_aim_outside_its_domain)
{
	int fd = km_open(0);
	pid_t child = km_fork();

	if (!child) {
		confine();
		check(add(fd, ALL, 0) == -EPERM, "expected ALL to be refused");
		check(add(fd, TREE, 1) == -EPERM, "expected 1 to be refused");
		check(!add(fd, TREE, 0), "expected itself to be allowed");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	close(fd);
}

/* Its children are in its domain, deeper ones too. */
TEST(a_confined_creator_sees_its_own_tree)
{
	pid_t child = km_fork();
	struct km_log log = {};
	int fd;

	if (!child) {
		confine();
		fd = km_open(0);
		km_add(fd, TREE, 0, KM_LIFE, 1);
		child = km_fork();
		if (!child) {
			confine();
			_exit(5);
		}
		km_join(child);
		km_drain(fd, &log);
		check(log.nr == 3, "expected 3 records, got %zu", log.nr);
		for (size_t i = 0; i < log.nr; i++)
			check(!(log.event[i].flags & KMONITOR_EVENT_REDACTED),
			      "expected no redaction");
		check(km_find(&log, KMONITOR_PROCESS_EXIT, child)->exit.status ==
			      5 << 8,
		      "expected status 5");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
}

static void fork_and_exit(void)
{
	pid_t child = km_fork();

	if (!child)
		_exit(0);
	km_join(child);
}

/*
 * The init of a pid namespace is confined, and so sees all of it; but for whom
 * root brings in from outside the domain.
 */
TEST(all_leaves_out_who_is_not_in_the_domain)
{
	int gate[2], ready[2], sockets[2];
	struct km_log log = {};
	pid_t init, outsider;
	int fd;

	km_gate(gate);
	km_gate(ready);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	must(unshare(CLONE_NEWPID));
	init = km_fork();
	if (!init) {
		confine();
		fd = km_open(0);
		km_add(fd, ALL, 0, KM_LIFE, 1);
		km_send_fd(sockets[0], fd);
		km_gate_wait(gate);
		fork_and_exit();
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	fd = km_receive_fd(sockets[1]);
	/* Children are born there since the unshare. */
	outsider = km_fork();
	if (!outsider) {
		fork_and_exit();
		_exit(0);
	}
	EXPECT_EQ(0, km_join(outsider));
	km_drain(fd, &log);
	EXPECT_EQ(0, log.nr);

	km_gate_open(gate);
	km_gate_wait(ready);
	km_drain(fd, &log);
	EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_FORK, 1));
	EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_EQ(3, log.nr);
	km_gate_open(gate);
	km_join(init);
	close(fd);
}

/* Filters that a root creator added before it was confined stay. */
TEST(a_descriptor_is_worth_what_its_creator_was)
{
	int fd = km_open(0), gate[2];
	struct km_log log = {};
	pid_t subject, reader;

	km_gate(gate);
	subject = km_fork();
	if (!subject) {
		km_gate_wait(gate);
		_exit(0);
	}
	km_add(fd, PROCESS, subject, KM_LIFE, 1);
	reader = km_fork();
	if (!reader) {
		confine();
		km_gate_open(gate);
		km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, subject);
		check(!log.event[log.nr - 1].flags, "expected no flags");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(reader));
	km_join(subject);
	close(fd);
}

TEST_HARNESS_MAIN
