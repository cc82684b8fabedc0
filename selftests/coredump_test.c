// SPDX-License-Identifier: GPL-2.0-only
/* COREDUMP: before the core, after the abort. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common.h"

#define WANTED (KM_LIFE | KMONITOR_PROCESS_ABORT | KMONITOR_COREDUMP)

FIXTURE(monitor)
{
	int fd;
	char directory[32];
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	const struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };

	strcpy(self->directory, "/tmp/coredump_test.XXXXXX");
	check(mkdtemp(self->directory), "mkdtemp: %s", km_error(errno));
	must(chdir(self->directory));
	must(setrlimit(RLIMIT_CORE, &core));
	must(prctl(PR_SET_DUMPABLE, 1));
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, WANTED, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	char remove[64];

	close(self->fd);
	snprintf(remove, sizeof(remove), "rm -r %s", self->directory);
	check(!system(remove), "can't remove %s", self->directory);
}

static void expect_core(struct __test_metadata *_metadata, int fd,
			struct km_log *log, pid_t child)
{
	const struct kmonitor_event *event, *abort;

	km_read_until(fd, log, KMONITOR_PROCESS_EXIT, child);
	ASSERT_EQ(1, km_count(log, KMONITOR_COREDUMP, 0));
	ASSERT_EQ(1, km_count(log, KMONITOR_PROCESS_ABORT, 0));
	event = km_find(log, KMONITOR_COREDUMP, child);
	abort = km_find(log, KMONITOR_PROCESS_ABORT, child);
	ASSERT_NE(NULL, event);
	ASSERT_NE(NULL, abort);
	EXPECT_LT(abort, event);
	EXPECT_LT(event, km_find(log, KMONITOR_THREAD_EXIT, 0));
	EXPECT_EQ(child, event->tgid);
	EXPECT_EQ(0,
		  memcmp(&abort->abort, &event->abort, sizeof(abort->abort)));
	EXPECT_NE(0, event->abort.flags & KMONITOR_ABORT_CORE);
}

TEST_F(monitor, a_core_is_announced_with_its_signal_and_sender)
{
	const struct kmonitor_event *event;
	pid_t child = km_fork();

	if (!child)
		for (;;)
			pause();
	must(kill(child, SIGQUIT));
	ASSERT_TRUE(WCOREDUMP(km_join(child)));
	expect_core(_metadata, self->fd, &self->log, child);
	event = km_find(&self->log, KMONITOR_COREDUMP, child);
	EXPECT_EQ(SIGQUIT, event->abort.signo);
	EXPECT_EQ(SI_USER, event->abort.code);
	EXPECT_EQ(getpid(), event->abort.sender_pid);
}

static void *fault(void *arg)
{
	*(volatile char *)arg = 0;
	return NULL;
}

TEST_F(monitor, the_fault_of_a_thread_is_one_core_of_the_process)
{
	const struct kmonitor_event *event;
	pthread_t thread;
	pid_t child = km_fork();

	if (!child) {
		check(!pthread_create(&thread, NULL, fault, (void *)16),
		      "no thread");
		for (;;)
			pause();
	}
	ASSERT_TRUE(WCOREDUMP(km_join(child)));
	expect_core(_metadata, self->fd, &self->log, child);
	event = km_find(&self->log, KMONITOR_COREDUMP, child);
	EXPECT_EQ(SIGSEGV, event->abort.signo);
	EXPECT_EQ(SEGV_MAPERR, event->abort.code);
	EXPECT_EQ(0, event->abort.sender_pid);
	EXPECT_EQ(KMONITOR_ABORT_CORE, event->abort.flags);
}

TEST_F(monitor, what_may_not_be_dumped_announces_no_core)
{
	pid_t child = km_fork();

	if (!child) {
		must(prctl(PR_SET_DUMPABLE, 0));
		raise(SIGABRT);
		_exit(0);
	}
	EXPECT_EQ(SIGABRT, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_COREDUMP, 0));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_ABORT, child));
}

TEST_F(monitor, a_signal_without_core_announces_none)
{
	pid_t child = km_fork();

	if (!child)
		for (;;)
			pause();
	must(kill(child, SIGTERM));
	EXPECT_EQ(SIGTERM, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_COREDUMP, 0));
}

/* The program that takes the core is the kernel's, not the process's. */
TEST_F(monitor, a_core_for_a_program_is_in_the_status)
{
	static const char pattern[] = "/proc/sys/kernel/core_pattern";
	const struct rlimit tiny = { 2, 2 };
	char old[130] = "";
	int file = must(open(pattern, O_RDONLY | O_CLOEXEC));
	int status;
	pid_t child;

	must(read(file, old, sizeof(old) - 1));
	close(file);
	km_must_write(pattern, "|/bin/dd of=/dev/null");
	child = km_fork();
	if (!child) {
		must(setrlimit(RLIMIT_CORE, &tiny));
		raise(SIGSEGV);
		_exit(0);
	}
	status = km_join(child);
	km_must_write(pattern, old);
	ASSERT_TRUE(WCOREDUMP(status));
	expect_core(_metadata, self->fd, &self->log, child);
	EXPECT_EQ(
		status,
		km_find(&self->log, KMONITOR_PROCESS_EXIT, child)->exit.status);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
}

TEST_HARNESS_MAIN
