// SPDX-License-Identifier: GPL-2.0-only
/* The library's table of processes, against /proc. */

#include "kselftest_harness.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>

#include "../lib/kmon.h"
#include "storm.h"

#define TREE KMONITOR_TARGET_TREE
#define ALL KMONITOR_TARGET_ALL

/* How long the storms go on without kmon.seconds on the kernel's command line. */
#define DEFAULT_SECONDS 8

static char *const unused[] = { "unused", NULL };

static void take_all(int fd, struct kmon_table *table)
{
	struct kmonitor_event event[64];
	int nr;

	while ((nr = km_read(fd, event, 64)) > 0) {
		for (int i = 0; i < nr; i++)
			check(!kmon_table_update(table, &event[i]),
			      "kmon_table_update failed");
	}
	check(nr == -EAGAIN, "read: %s", km_error(nr));
}

static void settle(int fd, struct kmon_table *table)
{
	int ret;

	do {
		take_all(fd, table);
		ret = kmon_table_sync(table);
		check(ret >= 0, "kmon_table_sync: %s", km_error(ret));
	} while (ret);
}

static int is_pid(const struct dirent *entry)
{
	return entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
}

static int is_alive(const struct kmon_process *process, unsigned int depth,
		    void *arg)
{
	const char state = km_state(process->tgid);

	(void)depth;
	(void)arg;
	return state && state != 'Z' ? 0 : process->tgid;
}

/*
 * The process in which the table and /proc differ, 0 if there is none: each
 * process of /proc is in the table, with its start, and no other is.
 */
static pid_t difference(const struct kmon_table *table)
{
	const uint64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
	struct kmon_process process;
	struct dirent **entry;
	int nr = must(scandir("/proc", &entry, is_pid, NULL));
	pid_t differs = 0;

	for (int i = 0; i < nr; i++) {
		pid_t pid = atoi(entry[i]->d_name);

		free(entry[i]);
		if (km_state(pid) != 'Z' &&
		    (kmon_table_find(table, pid, 0, &process) ||
		     process.state != KMON_STATE_ALIVE ||
		     process.start_ns / tick_ns != km_start_ticks(pid)))
			differs = pid;
	}
	free(entry);
	return differs ? differs : kmon_table_walk(table, 0, is_alive, NULL);
}

/* Workers of the kernel come and go: one of several looks must find all equal. */
static void compare_with_proc(struct __test_metadata *_metadata, int fd,
			      struct kmon_table *table)
{
	pid_t differs = 1;

	for (int i = 0; differs && i < 20; i++) {
		settle(fd, table);
		differs = difference(table);
		usleep(10000);
	}
	EXPECT_EQ(0, differs);
}

static pid_t storm(enum storm kind)
{
	pid_t pid = km_fork();

	if (pid)
		return pid;
	for (;;)
		storm_round(kind, unused);
}

static bool has_lost(int fd)
{
	const struct kmonitor_stats stats = km_stats(fd);

	return stats.lost || stats.pending;
}

/* A reader that is too slow for its ring: losses are repaired. */
TEST(the_table_is_as_proc_says_when_all_is_quiet)
{
	struct kmon_table *table;
	struct kmonitor_event event[4];
	struct kmon_process process;
	int fd = km_open(64);
	pid_t pid[2];

	km_add(fd, ALL, 0, KM_LIFE, 0);
	ASSERT_EQ(0, kmon_table_new(fd, 0, &table));
	compare_with_proc(_metadata, fd, table);
	pid[0] = storm(STORM_FORK);
	pid[1] = storm(STORM_GROUP);
	/* It reads little at first, then nothing until something is lost. */
	for (unsigned int i = 0; i < 100 || !has_lost(fd); i++) {
		int nr = i % 8 || i >= 100 ? 0 : km_read(fd, event, 4);

		usleep(2000);
		for (int j = 0; j < nr; j++)
			ASSERT_EQ(0, kmon_table_update(table, &event[j]));
		ASSERT_LE(0, kmon_table_sync(table));
	}
	settle(fd, table);
	EXPECT_LT(0, km_stats(fd).lost);
	EXPECT_EQ(0, kmon_table_find(table, pid[0], 0, &process));
	EXPECT_EQ(getpid(), process.ppid);
	for (int i = 0; i < 2; i++) {
		must(kill(pid[i], SIGKILL));
		km_join(pid[i]);
	}
	compare_with_proc(_metadata, fd, table);
	EXPECT_EQ(0, kmon_table_find(table, pid[0], 0, &process));
	EXPECT_NE(KMON_STATE_ALIVE, process.state);
	if (process.state == KMON_STATE_ENDED)
		EXPECT_EQ(SIGKILL, process.status);
	EXPECT_EQ(-ESRCH, kmon_table_find(table, INT32_MAX, 0, &process));
	kmon_table_free(table);
	close(fd);
}

static int count_visit(const struct kmon_process *process, unsigned int depth,
		       void *arg)
{
	unsigned int *depths = arg;

	check(process->state == KMON_STATE_ALIVE, "a dead one is visited");
	if (depth < 4)
		depths[depth]++;
	return 0;
}

TEST(a_walk_visits_parents_before_children)
{
	unsigned int depths[4] = {};
	struct kmon_table *table;
	int fd = km_open(0), gate[2], ready[2];
	pid_t root;

	km_gate(gate);
	km_gate(ready);
	root = km_fork();
	if (!root) {
		for (int i = 0; i < 3; i++) {
			if (!km_fork()) {
				km_gate_open(ready);
				km_gate_wait(gate);
				_exit(0);
			}
		}
		km_gate_wait(gate);
		_exit(0);
	}
	for (int i = 0; i < 3; i++)
		km_gate_wait(ready);
	km_add(fd, TREE, root, KM_LIFE, 0);
	ASSERT_EQ(0, kmon_table_new(fd, 0, &table));
	settle(fd, table);
	EXPECT_EQ(0, kmon_table_walk(table, root, count_visit, depths));
	EXPECT_EQ(1, depths[0]);
	EXPECT_EQ(3, depths[1]);
	EXPECT_EQ(-ESRCH, kmon_table_walk(table, 1, count_visit, depths));
	for (int i = 0; i < 4; i++)
		km_gate_open(gate);
	km_join(root);
	kmon_table_free(table);
	close(fd);
}

/* Its descendants are in its group: the storm ends as a whole. */
static pid_t group_storm(enum storm kind)
{
	pid_t pid = km_fork();

	if (!pid) {
		setpgid(0, 0);
		for (;;)
			storm_round(kind, unused);
	}
	setpgid(pid, pid);
	return pid;
}

static void end_storm(pid_t storm)
{
	kill(-storm, SIGKILL);
	km_join(storm);
}

struct sample {
	struct kmon_process process[64];
	unsigned int nr;
	unsigned int skipped;
};

static int take_sample(const struct kmon_process *process, unsigned int depth,
		       void *arg)
{
	struct sample *sample = arg;

	(void)depth;
	/* The newest are visited first, and matter most. */
	if (sample->nr < 64)
		sample->process[sample->nr++] = *process;
	return 0;
}

/*
 * A process that was alive for the table has, if /proc doesn't have it any more, ended
 * before: the record of its end can be read, and then the table
 * has its end, too.  Returns a process for which that is wrong.
 */
static pid_t wrong_identity(int fd, struct kmon_table *table)
{
	const uint64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
	struct sample sample = { .nr = 0 };
	struct kmon_process now;

	kmon_table_walk(table, 0, take_sample, &sample);
	for (unsigned int i = 0; i < sample.nr; i++) {
		const struct kmon_process *process = &sample.process[i];

		/* Also the zombie of a leader, whose threads may live. */
		if (process->start_ns / tick_ns ==
		    km_start_ticks(process->tgid))
			continue;
		settle(fd, table);
		if (!kmon_table_find(table, process->tgid, process->start_ns,
				     &now) &&
		    now.state == KMON_STATE_ALIVE)
			return process->tgid;
	}
	return 0;
}

/* Lets a storm fill the small ring, and then repairs what was lost. */
static void weather(struct __test_metadata *_metadata, int fd,
		    struct kmon_table *table, unsigned int round)
{
	const uint64_t lost = km_stats(fd).lost + km_stats(fd).pending;
	pid_t storm[3] = {
		group_storm(STORM_FORK),
		group_storm(STORM_GROUP),
		group_storm(STORM_VFORK),
	};

	for (unsigned int i = 0; i < 20; i++) {
		settle(fd, table);
		EXPECT_EQ(0, wrong_identity(fd, table));
	}
	/* In some rounds nobody reads until something is lost. */
	while (round % 2 && km_stats(fd).lost + km_stats(fd).pending == lost)
		usleep(1000);
	for (int i = 0; i < 3; i++)
		end_storm(storm[i]);
	compare_with_proc(_metadata, fd, table);
}

/* clang-format off */
FIXTURE(storms) {};
FIXTURE_SETUP(storms) {}
FIXTURE_TEARDOWN(storms) {}
/* clang-format on */

TEST_F_TIMEOUT(storms, the_table_survives_storms_and_losses, KM_STORM_TIMEOUT)
{
	const uint64_t end =
		km_boottime_ns() + km_seconds(DEFAULT_SECONDS) * 1000000000ULL;
	struct kmon_table *table;
	unsigned int round = 0;
	int fd = km_open(256);

	km_add(fd, ALL, 0, KM_LIFE, 0);
	ASSERT_EQ(0, kmon_table_new(fd, 0, &table));
	while (km_boottime_ns() < end || round < 2)
		weather(_metadata, fd, table, round++);
	TH_LOG("%u rounds, %llu records lost", round,
	       (unsigned long long)km_stats(fd).lost);
	EXPECT_NE(0, km_stats(fd).lost);
	kmon_table_free(table);
	close(fd);
}

TEST_HARNESS_MAIN
