// SPDX-License-Identifier: GPL-2.0-only
/* The totals of EMPTY, compared with wait4() and the cgroup. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"
#include "monitor_fixture.h"

#define TREE KMONITOR_TARGET_TREE
#define CGROUP_PATH "/sys/fs/cgroup/totals_test"
#define MIB (1UL << 20)

static const struct kmonitor_event *empty_of(int fd, struct km_log *log,
					     pid_t root)
{
	km_read_until(fd, log, KMONITOR_EMPTY, root);
	check(km_count(log, KMONITOR_EMPTY, root) == 1,
	      "expected one EMPTY of %d", root);
	return km_find(log, KMONITOR_EMPTY, root);
}

/* Uses user and system time, and memory. */
static void work(size_t bytes, unsigned int rounds)
{
	char *memory = must(mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (size_t i = 0; i < bytes; i += KM_PAGE)
		memory[i] = 1;
	for (volatile unsigned int i = 0; i < rounds * 1000000; i++)
		;
	for (unsigned int i = 0; i < rounds * 1000; i++)
		getppid();
}

static uint64_t ns_of(struct timeval time)
{
	return time.tv_sec * 1000000000ULL + time.tv_usec * 1000ULL;
}

/* Uses both kinds of CPU time, 0.1 s at least. */
static void burn(void)
{
	const uint64_t enough = 100000000;
	struct rusage usage;

	do
		must(getrusage(RUSAGE_SELF, &usage));
	while (ns_of(usage.ru_utime) < enough ||
	       ns_of(usage.ru_stime) < enough);
}

/*
 * A process that waits for its children has their time in its own rusage.
 * Between its last record and wait4 it has used some more.
 */
TEST_F(monitor, time_and_memory_are_those_of_wait4)
{
	const struct kmonitor_event *empty;
	uint64_t total, expected;
	struct rusage usage;
	int status;
	pid_t root;

	root = km_fork();
	if (!root) {
		km_gate_wait(self->gate);
		for (int i = 1; i < 4; i++) {
			pid_t child = km_fork();

			if (!child) {
				work(i * 8 * MIB, i);
				_exit(i);
			}
			km_join(child);
		}
		work(MIB, 2);
		burn();
		_exit(9);
	}
	km_add(self->fd, TREE, root, 0, 5);
	km_gate_open(self->gate);
	must(wait4(root, &status, 0, &usage));
	empty = empty_of(self->fd, &self->log, root);
	EXPECT_EQ(status, empty->empty.root_status);
	EXPECT_EQ(4, empty->empty.members);
	EXPECT_EQ(4, empty->empty.failed);
	EXPECT_EQ(usage.ru_maxrss, (long)empty->empty.maxrss_kib);
	EXPECT_LE(24 * MIB / 1024, empty->empty.maxrss_kib);
	total = empty->empty.utime_ns + empty->empty.stime_ns;
	expected = ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
	EXPECT_LE(100000000, empty->empty.utime_ns);
	EXPECT_LE(100000000, empty->empty.stime_ns);
	EXPECT_GE(expected + 1000, total);
	/* Four ends of processes, on a machine that may be busy. */
	EXPECT_LE(expected, total + expected / 4 + 100000000);
}

/* A child that is not waited for is in no rusage, but in the totals. */
TEST_F(monitor, orphans_and_daemons_count)
{
	const struct kmonitor_event *empty;
	struct rusage usage;
	int status;
	pid_t root;

	root = km_fork();
	if (!root) {
		km_gate_wait(self->gate);
		if (!km_fork()) {
			setsid();
			if (!km_fork()) {
				work(32 * MIB, 3);
				_exit(1);
			}
			_exit(2);
		}
		_exit(0);
	}
	km_add(self->fd, TREE, root, 0, 5);
	km_gate_open(self->gate);
	must(wait4(root, &status, 0, &usage));
	empty = empty_of(self->fd, &self->log, root);
	EXPECT_EQ(3, empty->empty.members);
	EXPECT_EQ(2, empty->empty.failed);
	EXPECT_EQ(0, empty->empty.root_status);
	EXPECT_LE(32 * MIB / 1024, empty->empty.maxrss_kib);
	EXPECT_GT(32 * MIB / 1024, usage.ru_maxrss);
}

static void write_file(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CLOEXEC));

	must(write(fd, text, strlen(text)));
	close(fd);
}

TEST_F(monitor, the_oom_killer_is_named)
{
	const struct kmonitor_event *empty, *exit;
	pid_t root, other;

	must(mkdir(CGROUP_PATH, 0755));
	write_file(CGROUP_PATH "/memory.max", "33554432");
	root = km_fork();
	if (!root) {
		km_gate_wait(self->gate);
		root = km_fork();
		if (!root) {
			write_file(CGROUP_PATH "/cgroup.procs", "0");
			work(256 * MIB, 0);
			_exit(0);
		}
		km_join(root);
		_exit(0);
	}
	/* Another tree, where none was chosen. */
	other = km_fork();
	if (!other) {
		km_gate_wait(self->gate);
		_exit(0);
	}
	km_add(self->fd, TREE, root, KMONITOR_PROCESS_EXIT, 5);
	km_add(self->fd, TREE, other, KMONITOR_PROCESS_EXIT, 5);
	km_gate_open(self->gate);
	km_gate_open(self->gate);
	km_join(root);
	km_join(other);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, other);
	empty = empty_of(self->fd, &self->log, root);
	EXPECT_EQ(KMONITOR_EMPTY_OOM, empty->empty.flags);
	EXPECT_EQ(0, empty->empty.root_status);
	EXPECT_EQ(1, empty->empty.failed);
	for (size_t i = 0; i < self->log.nr; i++) {
		exit = self->log.event + i;
		if (exit->type == KMONITOR_EMPTY || exit->pid == root ||
		    exit->pid == other)
			continue;
		EXPECT_EQ(KMONITOR_EVENT_OOM, exit->flags);
		EXPECT_EQ(SIGKILL, exit->exit.status);
	}
	EXPECT_EQ(0, km_find(&self->log, KMONITOR_EMPTY, other)->empty.flags);
	EXPECT_EQ(0, km_find(&self->log, KMONITOR_PROCESS_EXIT, root)->flags);
	must(rmdir(CGROUP_PATH));
}

/* Each tree has its own totals, nested or overlapping. */
TEST_F(monitor, nested_trees_add_up_their_own_members)
{
	const struct kmonitor_event *outer, *inner;
	int answer[2];
	pid_t root, child;

	must(pipe(answer));
	root = km_fork();
	if (!root) {
		child = km_fork();
		if (!child) {
			child = getpid();
			must(write(answer[1], &child, sizeof(child)));
			km_gate_wait(self->gate);
			work(16 * MIB, 1);
			_exit(1);
		}
		km_join(child);
		if (!km_fork()) {
			work(32 * MIB, 1);
			_exit(1);
		}
		wait(NULL);
		_exit(0);
	}
	must(read(answer[0], &child, sizeof(child)));
	km_add(self->fd, TREE, root, 0, 1);
	km_add(self->fd, TREE, child, 0, 2);
	km_gate_open(self->gate);
	km_join(root);
	outer = empty_of(self->fd, &self->log, root);
	inner = empty_of(self->fd, &self->log, child);
	EXPECT_EQ(3, outer->empty.members);
	EXPECT_EQ(2, outer->empty.failed);
	EXPECT_EQ(0, outer->empty.root_status);
	EXPECT_EQ(1, inner->empty.members);
	EXPECT_EQ(1, inner->empty.failed);
	EXPECT_EQ(1 << 8, inner->empty.root_status);
	EXPECT_LT(inner->empty.maxrss_kib, outer->empty.maxrss_kib);
	EXPECT_LT(inner->empty.utime_ns + inner->empty.stime_ns,
		  outer->empty.utime_ns + outer->empty.stime_ns);
}

TEST_HARNESS_MAIN
