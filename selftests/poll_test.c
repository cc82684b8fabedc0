// SPDX-License-Identifier: GPL-2.0-only
/* Notification of records: poll and epoll, level- and edge-triggered. */

#include "kselftest_harness.h"

#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	int epoll;
};

/* The forks of this process, and nothing else. */
FIXTURE_SETUP(monitor)
{
	self->fd = km_open(64);
	km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	self->epoll = must(epoll_create1(EPOLL_CLOEXEC));
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->epoll);
	close(self->fd);
}

static void watch(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

/* The events that epoll reports now, 0 for none. */
static uint32_t reported(int epoll, int timeout_ms)
{
	struct epoll_event event = {};

	must(epoll_wait(epoll, &event, 1, timeout_ms));
	return event.events;
}

TEST_F(monitor, readable_is_all_that_poll_reports)
{
	struct pollfd pollfd = { .fd = self->fd, .events = 0xff };

	EXPECT_EQ(0, poll(&pollfd, 1, 0));
	km_fork_and_join(0);
	EXPECT_EQ(1, poll(&pollfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLRDNORM, pollfd.revents);
}

TEST_F(monitor, level_triggered_epoll_reports_until_drained)
{
	struct kmonitor_event event;

	watch(self->epoll, self->fd, EPOLLIN);
	EXPECT_EQ(0, reported(self->epoll, 0));
	km_fork_and_join(0);
	km_fork_and_join(0);
	EXPECT_EQ(EPOLLIN, reported(self->epoll, 0));
	EXPECT_EQ(EPOLLIN, reported(self->epoll, 0));
	ASSERT_EQ(1, km_read(self->fd, &event, 1));
	EXPECT_EQ(EPOLLIN, reported(self->epoll, 0));
	ASSERT_EQ(1, km_read(self->fd, &event, 1));
	EXPECT_EQ(0, reported(self->epoll, 0));
}

TEST_F(monitor, edge_triggered_epoll_reports_each_refill_once)
{
	struct kmonitor_event event[4];

	watch(self->epoll, self->fd, EPOLLIN | EPOLLET);
	EXPECT_EQ(0, reported(self->epoll, 0));
	for (int i = 0; i < 3; i++) {
		km_fork_and_join(0);
		EXPECT_EQ(EPOLLIN, reported(self->epoll, 0));
		EXPECT_EQ(0, reported(self->epoll, 0));
		ASSERT_EQ(1, km_read(self->fd, event, 4));
		EXPECT_EQ(0, reported(self->epoll, 0));
	}
}

TEST_F(monitor, edge_triggered_epoll_reports_what_was_there_before)
{
	km_fork_and_join(0);
	watch(self->epoll, self->fd, EPOLLIN | EPOLLET);
	EXPECT_EQ(EPOLLIN, reported(self->epoll, 0));
	EXPECT_EQ(0, reported(self->epoll, 0));
}

/* Waits as an edge-triggered consumer must: sleep, then drain to EAGAIN. */
static void consume_edges(int fd, int epoll, unsigned int *consumed,
			  unsigned int expected)
{
	struct kmonitor_event event[2];
	int nr;

	while (*consumed < expected) {
		check(reported(epoll, KM_TIMEOUT_MS),
		      "no wake-up after %u of %u records", *consumed, expected);
		while ((nr = km_read(fd, event, 2)) > 0)
			__atomic_add_fetch(consumed, nr, __ATOMIC_RELEASE);
		check(nr == -EAGAIN, "read: %s", km_error(nr));
	}
}

/*
 * The producer makes the next record at the very moment in which the consumer
 * finds the ring empty: a wake-up that is missed is one that never comes.
 */
TEST_F(monitor, no_wake_up_is_missed)
{
	const unsigned int rounds = km_scale(300, 100);
	unsigned int *consumed =
		must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	int fd = km_open(4096);
	pid_t consumer = km_fork();
	pid_t child;

	if (!consumer) {
		watch(self->epoll, fd, EPOLLIN | EPOLLET);
		consume_edges(fd, self->epoll, consumed, rounds);
		_exit(0);
	}
	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	for (unsigned int i = 0; i < rounds; i++) {
		while (__atomic_load_n(consumed, __ATOMIC_ACQUIRE) + 2 < i &&
		       km_state(consumer) != 'Z')
			sched_yield();
		child = vfork();
		if (!child)
			_exit(0);
		km_join(child);
	}
	EXPECT_EQ(0, km_join(consumer));
	EXPECT_EQ(rounds, *consumed);
}

/* The last loss is announced without a record after it. */
TEST_F(monitor, a_loss_at_the_end_is_announced_when_drained)
{
	struct kmonitor_event event[4];
	int fd = km_open(2);

	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 7);
	watch(self->epoll, fd, EPOLLIN | EPOLLET);
	for (int i = 0; i < 5; i++)
		km_fork_and_join(0);
	EXPECT_EQ(3, km_stats(fd).pending);
	EXPECT_EQ(EPOLLIN, reported(self->epoll, 0));
	ASSERT_EQ(1, km_read(fd, event, 1));
	ASSERT_EQ(1, km_read(fd, event, 1));
	EXPECT_EQ(2, event[0].seq);
	EXPECT_TRUE(km_readable(fd, 0));
	ASSERT_EQ(1, km_read(fd, event, 4));
	EXPECT_EQ(KMONITOR_LOST, event[0].type);
	EXPECT_EQ(3, event[0].seq);
	EXPECT_EQ(3, event[0].lost.count);
	EXPECT_LE(event[0].lost.first_ns, event[0].lost.last_ns);
	EXPECT_FALSE(km_readable(fd, 0));
	EXPECT_EQ(5, km_stats(fd).matched);
	EXPECT_EQ(2, km_stats(fd).recorded);
	EXPECT_EQ(3, km_stats(fd).lost);
	EXPECT_EQ(0, km_stats(fd).pending);
	close(fd);
}

/* With room for one record the loss comes first, so nothing new fits. */
TEST_F(monitor, a_loss_stands_where_the_records_are_missing)
{
	struct kmonitor_event event[8];
	int fd = km_open(4);

	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 7);
	for (int i = 0; i < 6; i++)
		km_fork_and_join(0);
	ASSERT_EQ(2, km_read(fd, event, 2));
	km_fork_and_join(0);
	ASSERT_EQ(4, km_read(fd, event, 8));
	EXPECT_EQ(KMONITOR_PROCESS_FORK, event[0].type);
	EXPECT_EQ(KMONITOR_PROCESS_FORK, event[1].type);
	EXPECT_EQ(KMONITOR_LOST, event[2].type);
	EXPECT_EQ(2, event[2].lost.count);
	EXPECT_EQ(KMONITOR_PROCESS_FORK, event[3].type);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i + 3, event[i].seq);
	EXPECT_EQ(-EAGAIN, km_read(fd, event, 8));
	close(fd);
}

TEST_HARNESS_MAIN
