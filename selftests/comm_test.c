// SPDX-License-Identifier: GPL-2.0-only
/* COMM: renames by prctl(2) and through /proc. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE | KMONITOR_COMM, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

TEST_F(monitor, a_rename_has_both_names)
{
	const struct kmonitor_event *event;
	pid_t child = km_fork();

	if (!child) {
		must(prctl(PR_SET_NAME, "first"));
		must(prctl(PR_SET_NAME, "a name that is too long"));
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	ASSERT_EQ(2, km_count(&self->log, KMONITOR_COMM, child));
	event = km_find(&self->log, KMONITOR_COMM, child);
	EXPECT_STREQ(km_comm(), event->comm_change.old_comm);
	EXPECT_STREQ("first", event->comm);
	EXPECT_STREQ("first", event[1].comm_change.old_comm);
	EXPECT_STREQ("a name that is ", event[1].comm);
	EXPECT_EQ(child, event->tgid);
	EXPECT_EQ(42, event->cookie);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, event->comm_change.reserved[i]);
}

static void *wait_at_gate(void *arg)
{
	int *gate = arg;
	pid_t tid = gettid();

	must(prctl(PR_SET_NAME, "before"));
	must(write(gate[3], &tid, sizeof(tid)));
	km_gate_wait(gate);
	return NULL;
}

TEST_F(monitor, the_subject_is_the_thread_that_was_renamed)
{
	const struct kmonitor_event *event;
	pthread_t thread;
	char path[64];
	int gate[4], file;
	pid_t tid;

	km_gate(gate);
	km_gate(gate + 2);
	check(!pthread_create(&thread, NULL, wait_at_gate, gate), "no thread");
	must(read(gate[2], &tid, sizeof(tid)));
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	file = must(open(path, O_WRONLY | O_CLOEXEC));
	check(write(file, "after", 5) == 5, "can't rename");
	close(file);
	km_drain(self->fd, &self->log);
	event = &self->log.event[self->log.nr - 1];
	EXPECT_EQ(KMONITOR_COMM, event->type);
	EXPECT_EQ(tid, event->pid);
	EXPECT_EQ(getpid(), event->tgid);
	EXPECT_STREQ("before", event->comm_change.old_comm);
	EXPECT_STREQ("after", event->comm);
	km_gate_open(gate);
	pthread_join(thread, NULL);
}

TEST_F(monitor, an_exec_is_no_rename)
{
	char *argv[] = { "quick", NULL };
	char *quick = km_helper("quick");
	pid_t child = km_fork();

	if (!child) {
		execv(quick, argv);
		_exit(127);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_COMM, 0));
	EXPECT_STREQ("quick",
		     km_find(&self->log, KMONITOR_PROCESS_EXEC, child)->comm);
}

struct race {
	bool stop;
	pid_t tid;
};

static void *come_and_go(void *arg)
{
	__atomic_store_n((pid_t *)arg, gettid(), __ATOMIC_RELEASE);
	return NULL;
}

static void *rename_all(void *arg)
{
	struct race *race = arg;
	char path[64];
	pid_t tid;
	int file;

	while (!__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		tid = __atomic_load_n(&race->tid, __ATOMIC_ACQUIRE);
		snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
		file = open(path, O_WRONLY | O_CLOEXEC);
		if (file < 0)
			continue;
		if (write(file, "renamed", 7) < 0 && errno != ESRCH)
			die("rename: %s", km_error(errno));
		close(file);
	}
	return NULL;
}

/* A thread that is renamed while it ends is named rightly or not at all. */
TEST_F(monitor, a_rename_of_an_ending_thread_names_it)
{
	struct race race = {};
	pthread_t renamer, thread;

	check(!pthread_create(&renamer, NULL, rename_all, &race), "no thread");
	for (unsigned int i = 0; i < km_scale(2000, 200); i++) {
		check(!pthread_create(&thread, NULL, come_and_go, &race.tid),
		      "no thread");
		pthread_join(thread, NULL);
		km_drain(self->fd, &self->log);
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	pthread_join(renamer, NULL);
	for (size_t i = 0; i < self->log.nr; i++) {
		if (self->log.event[i].type == KMONITOR_COMM) {
			EXPECT_LT(0, self->log.event[i].pid);
			EXPECT_EQ(getpid(), self->log.event[i].tgid);
			EXPECT_EQ(self->log.event[0].start_ns,
				  self->log.event[i].start_ns);
		}
	}
}

TEST_HARNESS_MAIN
