// SPDX-License-Identifier: GPL-2.0-only
/* SID: new sessions. */

#include "kselftest_harness.h"

#include <pthread.h>

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE | KMONITOR_SID, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static void expect_session(struct __test_metadata *_metadata, int fd,
			   struct km_log *log, pid_t child)
{
	const struct kmonitor_event *event;

	EXPECT_EQ(0, km_join(child));
	km_read_until(fd, log, KMONITOR_PROCESS_EXIT, child);
	ASSERT_EQ(1, km_count(log, KMONITOR_SID, 0));
	event = km_find(log, KMONITOR_SID, child);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(child, event->tgid);
	EXPECT_EQ(child, event->session.sid);
	EXPECT_EQ(child, event->session.pgid);
	EXPECT_EQ(42, event->cookie);
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(0, event->session.reserved[i]);
}

TEST_F(monitor, a_new_session_is_reported_once)
{
	pid_t child = km_fork();

	if (!child) {
		must(setsid());
		check(setsid() == -1 && errno == EPERM, "expected EPERM");
		_exit(0);
	}
	expect_session(_metadata, self->fd, &self->log, child);
}

static void *lead_session(void *arg)
{
	must(setsid());
	return arg;
}

TEST_F(monitor, the_leader_of_a_session_is_the_leader_of_its_process)
{
	pthread_t thread;
	pid_t child = km_fork();

	if (!child) {
		check(!pthread_create(&thread, NULL, lead_session, NULL),
		      "no thread");
		pthread_join(thread, NULL);
		_exit(0);
	}
	expect_session(_metadata, self->fd, &self->log, child);
}

TEST_F(monitor, a_process_group_is_no_session)
{
	pid_t child = km_fork();

	if (!child) {
		must(setpgid(0, 0));
		check(setsid() == -1 && errno == EPERM, "expected EPERM");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_SID, 0));
}

TEST_HARNESS_MAIN
