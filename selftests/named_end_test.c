// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends asked for by name are never lost: PROCESS_EXIT of a PROCESS filter and
 * THREAD_EXIT of a THREAD filter wait for room, with status and usage.
 */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "common.h"

#define RING 4U

/* A small ring that the names of this process fill. */
FIXTURE(monitor)
{
	int fd;
	int gate[2];
	struct kmonitor_event event[3 * RING];
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(RING);
	km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_COMM, 1);
	km_gate(self->gate);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static void rename_self(unsigned int times)
{
	while (times--)
		must(prctl(PR_SET_NAME, "named_end"));
}

/* A child that uses some CPU time and ends with 5 when the gate opens. */
static pid_t fork_worker(int gate[2])
{
	pid_t child = km_fork();

	if (child)
		return child;
	km_gate_wait(gate);
	for (uint64_t end = km_boottime_ns() + 20000000;
	     km_boottime_ns() < end;)
		;
	_exit(5);
}

static uint32_t waiting(int fd)
{
	struct kmonitor_info info;
	const unsigned char *header;
	uint32_t ret;

	check(!km_ioctl(fd, KMONITOR_IOC_INFO, &info), "INFO");
	header = must(mmap(NULL, KM_PAGE, PROT_READ, MAP_SHARED, fd,
			   info.header_offset));
	ret = ((const struct kmonitor_header *)header)->waiting;
	munmap((void *)header, KM_PAGE);
	return ret;
}

static void expect_exit(struct __test_metadata *_metadata,
			const struct kmonitor_event *event, pid_t pid)
{
	EXPECT_EQ(KMONITOR_PROCESS_EXIT, event->type);
	EXPECT_EQ(pid, event->pid);
	EXPECT_EQ(2, event->cookie);
	EXPECT_EQ(5 << 8, event->exit.status);
	EXPECT_LT(0, event->exit.utime_ns + event->exit.stime_ns);
}

TEST_F(monitor, the_end_of_a_process_waits_for_room)
{
	pid_t child = fork_worker(self->gate);

	km_add(self->fd, KMONITOR_TARGET_PROCESS, child, KMONITOR_PROCESS_EXIT,
	       2);
	rename_self(RING);
	km_gate_open(self->gate);
	EXPECT_EQ(5 << 8, km_join(child));
	EXPECT_EQ(1, waiting(self->fd));
	EXPECT_EQ(2, km_stats(self->fd).filters);
	EXPECT_EQ(0, km_stats(self->fd).pending);
	EXPECT_EQ(RING, km_read(self->fd, self->event, RING));
	ASSERT_TRUE(km_readable(self->fd, 0));
	ASSERT_EQ(1, km_read(self->fd, self->event, RING));
	expect_exit(_metadata, self->event, child);
	EXPECT_EQ(RING + 1, self->event[0].seq);
	EXPECT_EQ(0, waiting(self->fd));
	EXPECT_EQ(1, km_stats(self->fd).filters);
	EXPECT_EQ(0, km_stats(self->fd).lost);
}

TEST_F(monitor, the_end_of_a_process_comes_behind_a_loss)
{
	pid_t child = fork_worker(self->gate);

	km_add(self->fd, KMONITOR_TARGET_PROCESS, child, KMONITOR_PROCESS_EXIT,
	       2);
	rename_self(RING + 3);
	km_gate_open(self->gate);
	km_join(child);
	EXPECT_EQ(3, km_stats(self->fd).pending);
	ASSERT_EQ(RING, km_read(self->fd, self->event, RING));
	ASSERT_EQ(2, km_read(self->fd, self->event, RING));
	EXPECT_EQ(KMONITOR_LOST, self->event[0].type);
	EXPECT_EQ(3, self->event[0].lost.count);
	EXPECT_EQ(0, self->event[0].lost.exits);
	expect_exit(_metadata, &self->event[1], child);
}

/* Many ends, and no room for one of them: all come, in their order. */
TEST_F(monitor, many_ends_wait_in_their_order)
{
	enum { NR = 40 };
	pid_t child[NR];
	int nr = 0, got;

	for (int i = 0; i < NR; i++) {
		child[i] = fork_worker(self->gate);
		km_add(self->fd, KMONITOR_TARGET_PROCESS, child[i],
		       KMONITOR_PROCESS_EXIT, 2);
	}
	rename_self(RING + 1);
	for (int i = 0; i < NR; i++)
		km_gate_open(self->gate);
	for (int i = 0; i < NR; i++)
		km_join(child[i]);
	while ((got = km_read(self->fd, self->event, RING)) > 0) {
		for (int i = 0; i < got; i++)
			nr += self->event[i].type == KMONITOR_PROCESS_EXIT;
	}
	EXPECT_EQ(NR, nr);
	EXPECT_EQ(1, km_stats(self->fd).filters);
	EXPECT_EQ(1, km_stats(self->fd).lost);
}

static void *end_at_gate(void *arg)
{
	int *gate = arg;

	__atomic_store_n(&gate[2], gettid(), __ATOMIC_RELEASE);
	km_gate_wait(gate);
	return NULL;
}

TEST_F(monitor, the_end_of_a_thread_waits_and_precedes_its_process)
{
	int gate[3] = { self->gate[0], self->gate[1], 0 };
	int report[2], end[2];
	pthread_t thread;
	pid_t child, tid;

	km_gate(report);
	km_gate(end);
	child = km_fork();
	if (!child) {
		check(!pthread_create(&thread, NULL, end_at_gate, gate),
		      "no thread");
		while (!(tid = __atomic_load_n(&gate[2], __ATOMIC_ACQUIRE)))
			sched_yield();
		must(write(report[1], &tid, sizeof(tid)));
		pthread_join(thread, NULL);
		km_gate_wait(end);
		_exit(5);
	}
	must(read(report[0], &tid, sizeof(tid)));
	km_add(self->fd, KMONITOR_TARGET_THREAD, tid, KMONITOR_THREAD_EXIT, 3);
	km_add(self->fd, KMONITOR_TARGET_TREE, child, KMONITOR_PROCESS_EXIT, 2);
	rename_self(RING);
	km_gate_open(self->gate);
	while (!waiting(self->fd))
		sched_yield();
	km_gate_open(end);
	EXPECT_EQ(5 << 8, km_join(child));
	ASSERT_EQ(RING, km_read(self->fd, self->event, RING));
	/* The end of the process comes behind it, or not at all. */
	ASSERT_EQ(3, km_read(self->fd, self->event, 3 * RING));
	EXPECT_EQ(KMONITOR_LOST, self->event[0].type);
	EXPECT_EQ(1, self->event[0].lost.count);
	EXPECT_EQ(1, self->event[0].lost.exits);
	EXPECT_EQ(KMONITOR_THREAD_EXIT, self->event[1].type);
	EXPECT_EQ(tid, self->event[1].pid);
	EXPECT_EQ(3, self->event[1].cookie);
	EXPECT_EQ(KMONITOR_EMPTY, self->event[2].type);
}

TEST_F(monitor, an_end_that_waits_wakes_below_the_watermark)
{
	const struct kmonitor_attr attr = {
		.ring_records = 8,
		.wakeup_records = 4,
		.wakeup_delay_us = 3600 * 1000000U,
	};
	int fd = km_init(&attr, sizeof(attr),
			 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	pid_t child = fork_worker(self->gate);

	ASSERT_LE(0, fd);
	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_COMM, 1);
	km_add(fd, KMONITOR_TARGET_PROCESS, child, KMONITOR_PROCESS_EXIT, 2);
	rename_self(8);
	km_gate_open(self->gate);
	km_join(child);
	ASSERT_EQ(8, km_read(fd, self->event, 8));
	ASSERT_TRUE(km_readable(fd, 0));
	ASSERT_EQ(1, km_read(fd, self->event, 8));
	expect_exit(_metadata, self->event, child);
	close(fd);
}

TEST_F(monitor, a_waiting_end_outlives_edits_and_goes_with_its_descriptor)
{
	pid_t child = fork_worker(self->gate);
	uint64_t handle;
	int fd;

	handle = km_add(self->fd, KMONITOR_TARGET_PROCESS, child,
			KMONITOR_PROCESS_EXIT, 2);
	fd = km_open(RING);
	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_COMM, 1);
	km_add(fd, KMONITOR_TARGET_PROCESS, child, KMONITOR_PROCESS_EXIT, 2);
	rename_self(RING);
	km_gate_open(self->gate);
	km_join(child);
	EXPECT_EQ(1, waiting(fd));
	close(fd);
	EXPECT_EQ(-ENOENT, km_del(self->fd, handle));
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_CLEAR, NULL));
	EXPECT_EQ(1, waiting(self->fd));
	ASSERT_EQ(RING, km_read(self->fd, self->event, RING));
	ASSERT_EQ(1, km_read(self->fd, self->event, RING));
	expect_exit(_metadata, self->event, child);
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

TEST_HARNESS_MAIN
