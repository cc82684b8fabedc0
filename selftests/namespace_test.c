// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promise 8: ids are those of the creator's namespaces, however deep they nest;
 * times are those of the machine.
 */

#include "kselftest_harness.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "common.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define ALL KMONITOR_TARGET_ALL

/* The initial namespaces and three below them. */
#define LEVELS 4

/* The user id of root, as each level calls it. */
static const uint32_t uids[LEVELS] = { 0, 10, 20, 30 };

struct shared {
	int asked[2];
	int answered[2];
	pid_t pid[LEVELS];
	uint64_t start_ns[LEVELS];
	size_t foreign;
};

/* The ids of the calling process from the initial namespace inwards. */
static void own_ids(pid_t *pid)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	int nr = 0;

	check(file, "/proc/self/status: %s", km_error(errno));
	while (!nr && fgets(line, sizeof(line), file))
		nr = sscanf(line, "NSpid: %d %d %d %d", &pid[0], &pid[1],
			    &pid[2], &pid[3]);
	fclose(file);
	check(nr == LEVELS, "expected %d ids, got %d", LEVELS, nr);
}

/* The records of the task at the bottom that a level must have. */
static void check_level(int level, int fd, struct shared *shared)
{
	const struct kmonitor_event *fork, *exit;
	pid_t pid = shared->pid[level];
	struct km_log log = {};

	km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, pid);
	fork = km_find_fork(&log, pid);
	check(fork, "level %d: no fork of %d", level, pid);
	exit = km_find(&log, KMONITOR_PROCESS_EXIT, pid);
	check(exit->tgid == pid && fork->fork.tgid == pid,
	      "level %d: expected tgid %d", level, pid);
	check(exit->ppid == fork->pid && fork->fork.ppid == fork->pid,
	      "level %d: expected the parent %d, got %d", level, fork->pid,
	      exit->ppid);
	check(exit->uid == uids[level], "level %d: expected uid %u, got %u",
	      level, uids[level], exit->uid);
	check(exit->exit.status == 6 << 8 && !exit->flags,
	      "level %d: expected status 6", level);
	shared->start_ns[level] = exit->start_ns;
	for (size_t i = 0; i < log.nr; i++) {
		check(log.event[i].pid > 0, "level %d: %s without an id", level,
		      km_type_name(log.event[i].type));
		/* The child of the outsider is in the first namespace only. */
		if (log.event[i].type == KMONITOR_PROCESS_EXIT &&
		    log.event[i].exit.status == 9 << 8 && level)
			shared->foreign++;
	}
}

/* In the initial namespaces: forks when the task at the bottom asks for it. */
static void fork_outsider(struct shared *shared)
{
	pid_t child;

	if (km_fork())
		return;
	km_gate_wait(shared->asked);
	child = km_fork();
	if (!child)
		_exit(9);
	km_join(child);
	km_gate_open(shared->answered);
	_exit(0);
}

/* Each level watches all that it can see, and runs the next one. */
static void run(int level, struct shared *shared)
{
	char map[32];
	pid_t child;
	int fd;

	fd = km_open(0);
	km_add(fd, ALL, 0, KM_LIFE, level);
	if (!level)
		fork_outsider(shared);
	if (level < LEVELS - 1) {
		must(unshare(CLONE_NEWUSER | CLONE_NEWPID));
		snprintf(map, sizeof(map), "%u %u 1", uids[level + 1],
			 uids[level]);
		km_must_write("/proc/self/uid_map", map);
		km_must_write("/proc/self/setgroups", "deny");
		km_must_write("/proc/self/gid_map", "0 0 1");
	}
	child = km_fork();
	if (!child && level < LEVELS - 1) {
		run(level + 1, shared);
		_exit(0);
	}
	if (!child) {
		own_ids(shared->pid);
		km_gate_open(shared->asked);
		km_gate_wait(shared->answered);
		_exit(6);
	}
	check(km_join(child) == (level < LEVELS - 1 ? 0 : 6 << 8),
	      "level %d: the next level failed", level);
	check_level(level, fd, shared);
	close(fd);
}

TEST(each_level_has_its_own_ids_for_the_same_task)
{
	struct shared *shared =
		must(mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid_t child;

	km_gate(shared->asked);
	km_gate(shared->answered);
	child = km_fork();
	if (!child) {
		run(0, shared);
		_exit(0);
	}
	ASSERT_EQ(0, km_join(child));
	for (int level = 1; level < LEVELS; level++) {
		EXPECT_NE(shared->pid[0], shared->pid[level]);
		EXPECT_EQ(shared->start_ns[0], shared->start_ns[level]);
	}
	EXPECT_EQ(0, shared->foreign);
}

/* Its parent is outside: it has no id for it. */
TEST(a_parent_outside_the_namespace_has_no_id)
{
	struct km_log log = {};
	pid_t child = km_fork();
	int fd;

	if (!child) {
		must(unshare(CLONE_NEWPID));
		child = km_fork();
		if (child)
			_exit(km_join(child) >> 8);
		fd = km_open(0);
		km_add(fd, ALL, 0, KM_LIFE, 0);
		if (!km_fork())
			_exit(0);
		wait(NULL);
		km_drain(fd, &log);
		check(log.nr == 3, "expected 3 records, got %zu", log.nr);
		check(log.event[0].pid == 1 && log.event[0].ppid == 0,
		      "expected process 1 without a parent");
		check(log.event[2].pid == 2 && log.event[2].ppid == 1,
		      "expected process 2, child of 1");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
}

#define DAY_NS 86400000000000ULL

/* The child's life as another descriptor has it, and since that time. */
static void expect_same_times(int fd, int outside, pid_t child, uint64_t since)
{
	const struct kmonitor_event *event, *other;
	struct km_log log = {}, outer = {};

	km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, child);
	km_read_until(outside, &outer, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&log, KMONITOR_PROCESS_EXIT, child);
	other = km_find(&outer, KMONITOR_PROCESS_EXIT, child);
	check(event->start_ns == other->start_ns &&
		      event->time_ns == other->time_ns,
	      "the exit has other times in the namespace");
	check(event->start_ns - since < DAY_NS / 2 &&
		      event->time_ns - since < DAY_NS / 2,
	      "the exit has the times of the namespace");
	event = km_find_fork(&log, child);
	other = km_find_fork(&outer, child);
	check(event && other, "no fork of %d", child);
	check(event->start_ns == other->start_ns &&
		      event->fork.start_ns == other->fork.start_ns &&
		      event->time_ns == other->time_ns,
	      "the fork has other times in the namespace");
	check(event->start_ns - since < DAY_NS / 2 &&
		      event->fork.start_ns - since < DAY_NS / 2 &&
		      event->time_ns - since < DAY_NS / 2,
	      "the fork has the times of the namespace");
}

/* A clock that is a day ahead does not change the times in records. */
TEST(a_time_namespace_shifts_nothing)
{
	uint64_t before = km_boottime_ns();
	int outside = km_open(0), fd;
	pid_t child;

	km_add(outside, KMONITOR_TARGET_TREE, 0, KM_LIFE, 0);
	child = km_fork();
	if (!child) {
		must(unshare(CLONE_NEWTIME));
		km_must_write("/proc/self/timens_offsets", "boottime 86400 0");
		child = km_fork();
		if (child)
			_exit(km_join(child) >> 8);
		check(km_boottime_ns() >= before + DAY_NS,
		      "the clock is not ahead");
		fd = km_open(0);
		km_add(fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 0);
		child = km_fork();
		if (!child)
			_exit(0);
		km_join(child);
		expect_same_times(fd, outside, child, before);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	close(outside);
}

#define HOUR 3600

static void shift_wall_clock(int seconds)
{
	struct timespec now;

	must(clock_gettime(CLOCK_REALTIME, &now));
	now.tv_sec += seconds;
	must(clock_settime(CLOCK_REALTIME, &now));
}

TEST(a_jump_of_the_wall_clock_shifts_nothing)
{
	const struct kmonitor_event *event;
	uint64_t before = km_boottime_ns(), last = before;
	struct km_log log = {};
	int fd = km_open(0);
	pid_t child;

	km_add(fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 0);
	shift_wall_clock(HOUR);
	child = km_fork_and_join(0);
	shift_wall_clock(-HOUR - 24 * HOUR);
	km_fork_and_join(0);
	shift_wall_clock(24 * HOUR);
	km_drain(fd, &log);
	ASSERT_EQ(6, log.nr);
	for (event = log.event; event < log.event + log.nr; event++) {
		EXPECT_LE(last, event->time_ns);
		last = event->time_ns;
	}
	EXPECT_GE(km_boottime_ns(), last);
	event = km_find(&log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_LE(before, event->start_ns);
	EXPECT_GE(event->time_ns, event->start_ns);
	close(fd);
}

TEST_HARNESS_MAIN
