// SPDX-License-Identifier: GPL-2.0-only
/* Watermark and delay: when a consumer is woken, and when it is left alone. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common.h"

#define PROCESS KMONITOR_TARGET_PROCESS
#define MS 1000U
#define NS_PER_MS 1000000ULL
/* A delay that doesn't expire while a test runs. */
#define NEVER (3600U * 1000 * MS)

static int open_with(uint32_t ring_records, uint32_t wakeup_records,
		     uint32_t delay_us)
{
	struct kmonitor_attr attr = {
		.ring_records = ring_records,
		.wakeup_records = wakeup_records,
		.wakeup_delay_us = delay_us,
	};
	int fd = km_init(&attr, sizeof(attr),
			 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);

	check(fd >= 0, "kmonitor_init: %s", km_error(fd));
	return fd;
}

/* A descriptor for the forks of this process. */
static int open_forks(uint32_t ring_records, uint32_t wakeup_records,
		      uint32_t delay_us)
{
	int fd = open_with(ring_records, wakeup_records, delay_us);

	km_add(fd, PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	return fd;
}

static void make_records(int nr)
{
	while (nr--) {
		pid_t child = km_fork();

		if (!child)
			_exit(0);
		km_join(child);
	}
}

TEST(poll_waits_for_the_watermark_and_a_nonblocking_read_does_not)
{
	struct kmonitor_event event[8];
	int fd = open_forks(64, 4, NEVER);

	make_records(3);
	EXPECT_FALSE(km_readable(fd, 0));
	EXPECT_EQ(3, km_read(fd, event, 8));
	make_records(3);
	EXPECT_FALSE(km_readable(fd, 0));
	make_records(1);
	EXPECT_TRUE(km_readable(fd, 0));
	EXPECT_EQ(1, km_read(fd, event, 1));
	EXPECT_FALSE(km_readable(fd, 0));
	EXPECT_EQ(3, km_read(fd, event, 8));
	close(fd);
}

TEST(the_delay_announces_what_is_below_the_watermark)
{
	const unsigned int delay_ms = 300;
	int fd = open_forks(64, 32, delay_ms * MS);
	struct kmonitor_event event;

	for (int i = 0; i < 3; i++) {
		make_records(2);
		ASSERT_TRUE(km_readable(fd, KM_TIMEOUT_MS));
		/* Until it is drained. */
		EXPECT_TRUE(km_readable(fd, 0));
		ASSERT_EQ(1, km_read(fd, &event, 1));
		EXPECT_LE(event.time_ns + delay_ms * NS_PER_MS,
			  km_boottime_ns());
		EXPECT_TRUE(km_readable(fd, 0));
		ASSERT_EQ(1, km_read(fd, &event, 1));
		EXPECT_FALSE(km_readable(fd, 0));
	}
	close(fd);
}

/* The timer may have been set for one that has been read. */
TEST(the_delay_counts_for_what_a_reader_leaves)
{
	struct kmonitor_event event[8];
	int fd = open_forks(64, 4, 300 * MS);
	uint64_t first_ns;

	make_records(6);
	EXPECT_TRUE(km_readable(fd, 0));
	ASSERT_EQ(4, km_read(fd, event, 4));
	first_ns = event[0].time_ns;
	ASSERT_TRUE(km_readable(fd, KM_TIMEOUT_MS));
	ASSERT_EQ(2, km_read(fd, event, 8));
	EXPECT_LE(first_ns + 300 * NS_PER_MS, km_boottime_ns());
	close(fd);
}

TEST(the_end_of_a_watched_process_is_reported_at_once)
{
	struct kmonitor_event event[8];
	int fd = open_with(64, 32, NEVER);
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		km_gate_wait(gate);
		make_records(1);
		_exit(0);
	}
	km_add(fd, PROCESS, child,
	       KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXIT, 1);
	km_gate_open(gate);
	ASSERT_TRUE(km_readable(fd, KM_TIMEOUT_MS));
	km_join(child);
	EXPECT_EQ(2, km_read(fd, event, 8));
	close(fd);
}

TEST(the_end_of_a_member_waits_and_empty_is_reported_at_once)
{
	struct kmonitor_event event[8];
	int fd = open_with(64, 32, NEVER);
	int gate[2];
	pid_t root;

	km_gate(gate);
	root = km_fork();
	if (!root) {
		km_gate_wait(gate);
		make_records(1);
		km_gate_wait(gate);
		_exit(0);
	}
	km_add(fd, KMONITOR_TARGET_TREE, root, KMONITOR_PROCESS_EXIT, 1);
	km_gate_open(gate);
	while (km_stats(fd).recorded < 1)
		sched_yield();
	EXPECT_FALSE(km_readable(fd, 0));
	km_gate_open(gate);
	ASSERT_TRUE(km_readable(fd, KM_TIMEOUT_MS));
	km_join(root);
	ASSERT_EQ(3, km_read(fd, event, 8));
	EXPECT_EQ(KMONITOR_EMPTY, event[2].type);
	close(fd);
}

TEST(a_loss_is_reported_at_once)
{
	struct kmonitor_event event[8];
	int fd = open_forks(4, 2, NEVER);

	make_records(7);
	ASSERT_EQ(3, km_read(fd, event, 3));
	/* One record, and the loss behind it. */
	EXPECT_TRUE(km_readable(fd, 0));
	make_records(1);
	ASSERT_EQ(1, km_read(fd, event, 1));
	EXPECT_TRUE(km_readable(fd, 0));
	ASSERT_EQ(1, km_read(fd, event, 1));
	EXPECT_EQ(KMONITOR_LOST, event[0].type);
	EXPECT_EQ(3, event[0].lost.count);
	EXPECT_FALSE(km_readable(fd, 0));
	ASSERT_EQ(1, km_read(fd, event, 8));
	/* A loss with nothing after it. */
	make_records(6);
	ASSERT_EQ(4, km_read(fd, event, 4));
	EXPECT_TRUE(km_readable(fd, 0));
	ASSERT_EQ(1, km_read(fd, event, 8));
	EXPECT_EQ(2, event[0].lost.count);
	close(fd);
}

/* A thread that waits for the descriptor: it makes no records. */
struct waiter {
	pthread_t thread;
	int fd;
	bool read;
	pid_t tid;
	int result;
	struct kmonitor_event event[8];
};

static void *wait_for_records(void *arg)
{
	struct waiter *w = arg;
	int result;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	if (w->read)
		result = km_read(w->fd, w->event, 8);
	else
		result = km_readable(w->fd, -1);
	__atomic_store_n(&w->result, result, __ATOMIC_RELEASE);
	return NULL;
}

static void wait_until_it_sleeps(const struct waiter *w)
{
	pid_t tid;

	while (!(tid = __atomic_load_n(&w->tid, __ATOMIC_ACQUIRE)) ||
	       km_state(tid) != 'S')
		sched_yield();
}

static void start_waiter(struct waiter *w, int fd, bool read)
{
	*w = (struct waiter){ .fd = fd, .read = read };
	check(!pthread_create(&w->thread, NULL, wait_for_records, w),
	      "no thread");
	wait_until_it_sleeps(w);
}

/* How often the thread has gone to sleep. */
static long sleeps(const struct waiter *w)
{
	char path[64], line[128];
	long count = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", w->tid);
	file = fopen(path, "r");
	check(file, "%s", path);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "voluntary_ctxt_switches: %ld", &count);
	fclose(file);
	check(count >= 0, "no count in %s", path);
	return count;
}

TEST(a_blocking_read_waits_as_poll_does)
{
	int fd = open_forks(64, 3, NEVER);
	struct waiter w;
	long count;

	must(fcntl(fd, F_SETFL, 0));
	start_waiter(&w, fd, true);
	count = sleeps(&w);
	make_records(2);
	EXPECT_EQ(count, sleeps(&w));
	EXPECT_EQ(0, __atomic_load_n(&w.result, __ATOMIC_ACQUIRE));
	make_records(1);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(3, w.result);
	EXPECT_EQ(3, w.event[2].seq);
	close(fd);
}

/* Promise of the watermark: over several delays nobody is woken in vain. */
TEST(a_consumer_that_keeps_up_costs_no_wake_up)
{
	const unsigned int delay_ms = km_scale(1000, 3000);
	int fd = open_forks(256, 64, delay_ms * MS);
	uint64_t end = km_boottime_ns() + 3 * delay_ms * NS_PER_MS;
	struct kmonitor_event event[64];
	unsigned int records = 0;
	struct waiter w;
	long count;

	start_waiter(&w, fd, false);
	count = sleeps(&w);
	while (km_boottime_ns() < end || records < 200) {
		make_records(1);
		ASSERT_EQ(1, km_read(fd, event, 64));
		records++;
	}
	EXPECT_EQ(count, sleeps(&w));
	EXPECT_EQ(0, __atomic_load_n(&w.result, __ATOMIC_ACQUIRE));
	TH_LOG("%u records", records);
	make_records(64);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(1, w.result);
	close(fd);
}

/* Every record comes, whether the watermark or the delay announces it. */
TEST(no_wake_up_is_missed_below_a_watermark)
{
	const int rounds = km_scale(600, 150);
	int fd = open_forks(1024, 4, 2 * MS);
	pid_t producer_pid = getpid();
	struct kmonitor_event event[3];
	pid_t consumer = km_fork();
	int nr, consumed = 0;

	/* The fork of the consumer is the first record. */
	if (!consumer) {
		while (consumed < rounds + 1) {
			check(km_readable(fd, KM_TIMEOUT_MS),
			      "no wake-up after %d of %d records", consumed,
			      rounds);
			nr = km_read(fd, event, 3);
			check(nr > 0, "readable, but: %s", km_error(nr));
			for (int i = 0; i < nr; i++)
				check(event[i].seq == consumed + i + 1ULL &&
					      event[i].tgid == producer_pid,
				      "a wrong record");
			consumed += nr;
		}
		_exit(0);
	}
	for (int i = 0; i < rounds; i++) {
		if (i % 50 == 49)
			usleep(10000);
		make_records(1);
	}
	EXPECT_EQ(0, km_join(consumer));
	close(fd);
}

TEST_HARNESS_MAIN
