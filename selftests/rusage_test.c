// SPDX-License-Identifier: GPL-2.0-only
/* The usage in PROCESS_EXIT against what wait4(2) gives for the same process. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static void burn(unsigned int ms)
{
	struct timespec spent;

	do
		must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent));
	while (spent.tv_sec * 1000 + spent.tv_nsec / 1000000 < (long)ms);
}

static void touch(size_t pages)
{
	volatile char *memory =
		must(mmap(NULL, pages * KM_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (size_t i = 0; i < pages; i++)
		memory[i * KM_PAGE] = 1;
}

static uint64_t us_of(struct timeval time)
{
	return time.tv_sec * 1000000ULL + time.tv_usec;
}

struct sum {
	uint64_t utime_ns;
	uint64_t stime_ns;
	uint64_t maxrss_kib;
	uint64_t min_flt;
	uint64_t maj_flt;
	uint64_t time_ns;
};

/* The usage of all processes of the log, as wait4() adds it up. */
static struct sum sum_of(const struct km_log *log)
{
	struct sum sum = {};

	for (size_t i = 0; i < log->nr; i++) {
		const struct kmonitor_event *event = &log->event[i];

		if (event->type != KMONITOR_PROCESS_EXIT)
			continue;
		sum.utime_ns += event->exit.utime_ns;
		sum.stime_ns += event->exit.stime_ns;
		sum.min_flt += event->exit.min_flt;
		sum.maj_flt += event->exit.maj_flt;
		if (event->exit.maxrss_kib > sum.maxrss_kib)
			sum.maxrss_kib = event->exit.maxrss_kib;
		if (!sum.time_ns)
			sum.time_ns = event->time_ns;
	}
	return sum;
}

/* The longest tick that a kernel has. */
#define TICK_US 10000

/*
 * Faults and memory are the same to the digit: there is no mm any more.  CPU
 * time still runs when the record is made: wait4() gives not less, and no more
 * than the clock has advanced on each of the processes since.  The scheduler's
 * own clock may be behind that by a tick.
 */
static void expect_usage(struct __test_metadata *_metadata, int fd,
			 struct km_log *log, pid_t child,
			 unsigned int processes)
{
	struct rusage usage;
	uint64_t now, more;
	struct sum sum;

	must(wait4(child, NULL, 0, &usage));
	now = km_boottime_ns();
	km_read_until(fd, log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(processes, km_count(log, KMONITOR_PROCESS_EXIT, 0));
	sum = sum_of(log);
	EXPECT_EQ((uint64_t)usage.ru_maxrss, sum.maxrss_kib);
	EXPECT_EQ((uint64_t)usage.ru_minflt, sum.min_flt);
	EXPECT_EQ((uint64_t)usage.ru_majflt, sum.maj_flt);
	EXPECT_GE(us_of(usage.ru_utime), sum.utime_ns / 1000);
	EXPECT_GE(us_of(usage.ru_stime), sum.stime_ns / 1000);
	more = us_of(usage.ru_utime) + us_of(usage.ru_stime) + 2 -
	       (sum.utime_ns + sum.stime_ns) / 1000;
	EXPECT_GE(processes * ((now - sum.time_ns) / 1000 + TICK_US), more);
}

TEST_F(monitor, a_process_has_used_what_wait4_says)
{
	pid_t child = km_fork();

	if (!child) {
		touch(1000);
		burn(50);
		_exit(0);
	}
	expect_usage(_metadata, self->fd, &self->log, child, 1);
	EXPECT_LE(1000, km_find(&self->log, KMONITOR_PROCESS_EXIT, child)
				->exit.min_flt);
}

static void *work(void *arg)
{
	touch(100);
	burn(20);
	return arg;
}

TEST_F(monitor, a_process_has_used_what_its_threads_used)
{
	const struct kmonitor_event *event;
	pthread_t threads[5];
	pid_t child = km_fork();

	if (!child) {
		for (int i = 0; i < 5; i++)
			check(!pthread_create(&threads[i], NULL, work, NULL),
			      "no thread");
		/* Some end before the process, some with it. */
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		_exit(0);
	}
	expect_usage(_metadata, self->fd, &self->log, child, 1);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_LE(200, event->exit.min_flt);
	EXPECT_LE(39000000, event->exit.utime_ns + event->exit.stime_ns);
}

TEST_F(monitor, a_process_and_its_children_have_used_what_wait4_says)
{
	pid_t child = km_fork();

	if (!child) {
		for (int i = 0; i < 3; i++) {
			pid_t grandchild = km_fork();

			if (!grandchild) {
				touch(200 * (i + 1));
				burn(10);
				_exit(0);
			}
			km_join(grandchild);
		}
		_exit(0);
	}
	expect_usage(_metadata, self->fd, &self->log, child, 4);
}

TEST_F(monitor, a_program_has_used_what_the_process_used_before)
{
	char *argv[] = { "quick", NULL };
	char *quick = km_helper("quick");
	pid_t child = km_fork();

	if (!child) {
		touch(500);
		execv(quick, argv);
		_exit(127);
	}
	expect_usage(_metadata, self->fd, &self->log, child, 1);
	EXPECT_LE(500, km_find(&self->log, KMONITOR_PROCESS_EXIT, child)
			       ->exit.min_flt);
}

/* A tree that wants no exits still adds up their usage. */
TEST_F(monitor, a_tree_has_used_what_its_members_used)
{
	struct kmonitor_event event;
	struct sum sum = {};
	int gate[2], fd = km_open(0);
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		pid_t grandchild;

		km_gate_wait(gate);
		grandchild = km_fork();
		if (!grandchild) {
			touch(300);
			burn(20);
			_exit(0);
		}
		km_join(grandchild);
		burn(10);
		_exit(0);
	}
	km_add(fd, KMONITOR_TARGET_TREE, child, 0, 7);
	km_gate_open(gate);
	km_join(child);
	km_next(fd, &event);
	ASSERT_EQ(KMONITOR_EMPTY, event.type);
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	sum = sum_of(&self->log);
	EXPECT_EQ(sum.utime_ns, event.empty.utime_ns);
	EXPECT_EQ(sum.stime_ns, event.empty.stime_ns);
	EXPECT_EQ(sum.maxrss_kib, event.empty.maxrss_kib);
	EXPECT_LE(29000000, sum.utime_ns + sum.stime_ns);
	close(fd);
}

TEST_HARNESS_MAIN
