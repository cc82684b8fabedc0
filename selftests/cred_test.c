// SPDX-License-Identifier: GPL-2.0-only
/* CRED: each change of user and group ids; and what is hidden of a hidden task. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"

#define ALL_EVENTS (KMONITOR_EXEC_FAILED * 2 - 1)

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE | KMONITOR_CRED, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static void expect_ids(struct __test_metadata *_metadata,
		       const struct kmonitor_event *event,
		       const uint32_t expected[12])
{
	ASSERT_EQ(KMONITOR_CRED, event->type);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(expected[i], event->cred.old_uid[i]);
		EXPECT_EQ(expected[3 + i], event->cred.old_gid[i]);
		EXPECT_EQ(expected[6 + i], event->cred.new_uid[i]);
		EXPECT_EQ(expected[9 + i], event->cred.new_gid[i]);
	}
}

TEST_F(monitor, each_change_has_the_ids_before_and_after)
{
	const uint32_t groups[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 8, 9 };
	const uint32_t users[12] = { 0, 0, 0, 7, 8, 9, 4, 5, 6, 7, 8, 9 };
	const struct kmonitor_event *event;
	pid_t child = km_fork();

	if (!child) {
		must(setresgid(7, 8, 9));
		must(setresuid(4, 5, 6));
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	ASSERT_EQ(2, km_count(&self->log, KMONITOR_CRED, child));
	event = km_find(&self->log, KMONITOR_CRED, child);
	expect_ids(_metadata, event, groups);
	EXPECT_EQ(0, event->uid);
	expect_ids(_metadata, event + 1, users);
	EXPECT_EQ(4, event[1].uid);
	EXPECT_EQ(42, event->cookie);
}

TEST_F(monitor, what_changes_no_id_is_no_record)
{
	pid_t child = km_fork();

	if (!child) {
		must(setresuid(0, 0, 0));
		must(setresgid(-1, -1, -1));
		must(prctl(PR_SET_KEEPCAPS, 1));
		must(setgroups(0, NULL));
		must(unshare(CLONE_NEWUSER));
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_CRED, 0));
}

TEST_F(monitor, a_set_uid_program_changes_ids_before_its_exec)
{
	const uint32_t expected[12] = { 5, 5, 5, 0, 0, 0, 5, 0, 0, 0, 0, 0 };
	char path[] = "/tmp/cred_test.XXXXXX";
	int from = must(open(km_helper("quick"), O_RDONLY | O_CLOEXEC));
	int to = must(mkostemp(path, O_CLOEXEC));
	char *argv[] = { "quick", NULL };
	const struct kmonitor_event *event;
	struct stat info;
	pid_t child;

	must(fstat(from, &info));
	check(must(sendfile(to, from, NULL, info.st_size)) == info.st_size,
	      "short copy");
	must(fchmod(to, 04755));
	close(to);
	close(from);
	child = km_fork();
	if (!child) {
		must(setresuid(5, 5, 5));
		execv(path, argv);
		_exit(127);
	}
	EXPECT_EQ(0, km_join(child));
	must(unlink(path));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	ASSERT_EQ(2, km_count(&self->log, KMONITOR_CRED, child));
	event = km_find(&self->log, KMONITOR_CRED, child) + 1;
	expect_ids(_metadata, event, expected);
	EXPECT_EQ(KMONITOR_PROCESS_EXEC, event[1].type);
}

/* Ids are reported as the creator's user namespace knows them. */
TEST_F(monitor, ids_are_mapped_to_the_creators_namespace)
{
	struct km_log log = {};
	int fd, gate[2], map[2];
	pid_t creator, child;
	char path[64];

	km_gate(gate);
	km_gate(map);
	creator = km_fork();
	if (!creator) {
		must(unshare(CLONE_NEWUSER));
		km_gate_open(gate);
		km_gate_wait(map);
		must(setresgid(9, 9, 9));
		must(setresuid(7, 8, 7));
		must(setresuid(7, 7, 7));
		must(prctl(PR_SET_DUMPABLE, 1));
		fd = km_open(0);
		km_add(fd, KMONITOR_TARGET_TREE, 0, KM_LIFE | KMONITOR_CRED, 1);
		child = km_fork();
		if (!child)
			_exit(0);
		km_join(child);
		km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, child);
		check(log.event[0].uid == 7, "expected uid 7, got %u",
		      log.event[0].uid);
		_exit(0);
	}
	km_gate_wait(gate);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", creator,
			 i ? "gid_map" : "uid_map");
		fd = must(open(path, O_WRONLY | O_CLOEXEC));
		check(dprintf(fd, "0 100000 100\n") > 0, "no map");
		close(fd);
	}
	km_gate_open(map);
	EXPECT_EQ(0, km_join(creator));
	/* From outside they are those of the host. */
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, creator);
	ASSERT_NE(NULL, km_find(&self->log, KMONITOR_CRED, creator));
	EXPECT_EQ(100009,
		  km_find(&self->log, KMONITOR_CRED, creator)->cred.new_gid[0]);
}

/* The tests of a single hook don't show that another one asks who may see. */
TEST_F(monitor, a_hidden_task_is_silent_between_fork_and_exit)
{
	char *argv[] = { "nothing", NULL };
	struct km_log log = {};
	pid_t creator, child;
	int fd;

	creator = km_fork();
	if (!creator) {
		must(setresgid(5, 5, 5));
		must(setresuid(5, 5, 5));
		must(prctl(PR_SET_DUMPABLE, 1));
		fd = km_open(0);
		km_add(fd, KMONITOR_TARGET_TREE, 0, ALL_EVENTS, 1);
		child = km_fork();
		if (!child) {
			must(prctl(PR_SET_DUMPABLE, 0));
			must(prctl(PR_SET_NAME, "hidden"));
			must(setsid());
			execv("/nonexistent", argv);
			raise(SIGSEGV);
			_exit(0);
		}
		km_join(child);
		km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, child);
		check(log.nr == 2 &&
			      log.event[0].type == KMONITOR_PROCESS_FORK &&
			      log.event[1].flags == KMONITOR_EVENT_REDACTED,
		      "expected FORK and EXIT, got %zu records", log.nr);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(creator));
}

TEST_HARNESS_MAIN
