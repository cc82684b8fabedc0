// SPDX-License-Identifier: GPL-2.0-only
/* Edits of filters must not harm other filters, limits and records. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"

#define PROCESS KMONITOR_TARGET_PROCESS
#define ALL KMONITOR_TARGET_ALL

TEST(deleting_by_handle_looks_at_nothing_else)
{
	int fd = km_open(0);
	struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_CGROUP,
		.id = ~0ULL,
		.events = ~0U,
		.cookie = 1,
	};

	filter.handle = km_add(fd, PROCESS, 0, KM_LIFE, 0);
	EXPECT_EQ(0, km_ioctl(fd, KMONITOR_IOC_FILTER_DEL, &filter));
	EXPECT_EQ(0, km_stats(fd).filters);
	EXPECT_EQ(-ENOENT, km_ioctl(fd, KMONITOR_IOC_FILTER_DEL, &filter));
	close(fd);
}

/* Also if its own descriptor is not edited any more. */
TEST(an_ended_entry_counts_no_more)
{
	const char *sysctl = "/proc/sys/kernel/kmonitor/max_user_filters";
	int reader = km_open(0), other = km_open(0);
	long before = km_sysctl(sysctl, 1);
	struct kmonitor_event event;
	uint64_t handle;
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		km_gate_wait(gate);
		_exit(0);
	}
	km_add(reader, PROCESS, child, KMONITOR_PROCESS_EXIT, 0);
	EXPECT_EQ(-ENOSPC, km_try_add(other, PROCESS, 0, 0, 0, &handle));
	km_gate_open(gate);
	EXPECT_EQ(0, km_join(child));
	km_next(reader, &event);
	EXPECT_EQ(0, km_try_add(other, PROCESS, 0, 0, 0, &handle));
	km_sysctl(sysctl, before);
	close(reader);
	close(other);
}

/*
 * A descriptor wants the forks of a process both through ALL and by an entry
 * that comes, changes and goes: each fork is one record all the same.
 */
TEST(edits_neither_double_nor_drop_records)
{
	const unsigned int forks = km_scale(3000, 300);
	int fd = km_open(1 << 16);
	struct km_log log = {};
	int gate[2], status;
	uint64_t handle;
	pid_t forker;

	km_gate(gate);
	forker = km_fork();
	if (!forker) {
		km_gate_wait(gate);
		for (unsigned int i = 0; i < forks; i++) {
			if (!vfork())
				_exit(0);
			must(wait(NULL));
		}
		_exit(0);
	}
	km_add(fd, ALL, 0, KMONITOR_PROCESS_FORK, 1);
	km_gate_open(gate);
	while (!must(waitpid(forker, &status, WNOHANG))) {
		if (km_try_add(fd, PROCESS, forker, 0, 2, &handle))
			continue;
		if (km_try_add(fd, PROCESS, forker, KMONITOR_PROCESS_FORK, 2,
			       &handle))
			continue;
		km_del(fd, handle);
	}
	km_drain(fd, &log);
	EXPECT_EQ(forks, km_count(&log, KMONITOR_PROCESS_FORK, forker));
	EXPECT_EQ(0, km_count(&log, KMONITOR_LOST, 0));
	close(fd);
}

#define CGROUP_PATH "/sys/fs/cgroup/edit_test"

/* An entry of a process has room for its end, and more. */
#define ENTRY ((long)sizeof(struct kmonitor_event))

static long slab_bytes(void)
{
	FILE *file = fopen(CGROUP_PATH "/memory.stat", "re");
	char name[64];
	long value;

	check(file, "no memory.stat");
	while (fscanf(file, "%63s %ld", name, &value) == 2) {
		if (!strcmp(name, "slab")) {
			fclose(file);
			return value;
		}
	}
	die("no slab in memory.stat");
}

/* The statistics come late: waits until they have at least so many bytes. */
static long wait_for_slab_bytes(long bytes)
{
	for (int tries = 0; tries < KM_TIMEOUT_MS / 250; tries++) {
		if (slab_bytes() >= bytes)
			break;
		usleep(250000);
	}
	return slab_bytes();
}

/*
 * A deleted entry leaves the mark sets of what it held, though that lives on:
 * here each process keeps a live mark, on which many dead ones would pile up.
 */
TEST(deleted_entries_give_their_memory_back)
{
	const int rounds = 8, nr = 400;
	int kept = km_open(2), gate[2], procs;
	long before, live = 0, now = 0;
	pid_t child[400];

	km_gate(gate);
	must(mkdir(CGROUP_PATH, 0755));
	for (int i = 0; i < nr; i++) {
		child[i] = km_fork();
		if (!child[i]) {
			km_gate_wait(gate);
			_exit(0);
		}
		km_add(kept, PROCESS, child[i], 0, 0);
	}
	procs = must(open(CGROUP_PATH "/cgroup.procs", O_WRONLY | O_CLOEXEC));
	must(write(procs, "0", 1));
	before = slab_bytes();
	for (int round = 0; round < rounds; round++) {
		int fd = km_open(2);

		for (int i = 0; i < nr; i++)
			km_add(fd, PROCESS, child[i], 0, 0);
		if (!round)
			live = wait_for_slab_bytes(before + nr * ENTRY) -
			       before;
		close(fd);
	}
	/* A sweep is a second away, and what it frees goes some seconds later. */
	for (int tries = 0; tries < KM_TIMEOUT_MS / 250; tries++) {
		usleep(250000);
		now = slab_bytes() - before;
		if (now < live / 2)
			break;
	}
	TH_LOG("%d rounds of %ld bytes, then %ld", rounds, live, now);
	EXPECT_LT(0, live);
	/* The set that a process keeps is charged to who has remade it. */
	EXPECT_GT(live / 2, now);
	for (int i = 0; i < nr; i++)
		km_gate_open(gate);
	for (int i = 0; i < nr; i++)
		km_join(child[i]);
	EXPECT_EQ(0, km_stats(kept).filters);
	close(kept);
	close(procs);
	procs = must(open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC));
	must(write(procs, "0", 1));
	close(procs);
	must(rmdir(CGROUP_PATH));
}

/* A mark that is dropped from a set takes nothing along that lives. */
TEST(a_sweep_keeps_live_entries_and_their_empty)
{
	const int rounds = km_scale(6, 3);
	int fd = km_open(0), gate[2], dead;
	struct km_log log = {};
	pid_t root, child = 0;

	km_gate(gate);
	root = km_fork();
	if (!root) {
		/* New members all the time, through all sweeps. */
		for (;;) {
			child = km_fork();
			if (!child)
				_exit(0);
			km_join(child);
		}
	}
	km_add(fd, KMONITOR_TARGET_TREE, root, 0, 7);
	for (int i = 0; i < rounds; i++) {
		dead = km_open(2);
		km_add(dead, KMONITOR_TARGET_TREE, root, 0, 0);
		km_add(dead, PROCESS, root, 0, 0);
		km_add(dead, KMONITOR_TARGET_TREE, 0, 0, 0);
		close(dead);
		usleep(400000);
		EXPECT_EQ(1, km_stats(fd).filters);
		EXPECT_EQ(0, km_stats(fd).matched);
	}
	must(kill(root, SIGKILL));
	km_join(root);
	km_read_until(fd, &log, KMONITOR_EMPTY, root);
	EXPECT_EQ(1, log.nr);
	EXPECT_EQ(7, log.event[0].cookie);
	EXPECT_LT(1, log.event[0].empty.members);
	close(fd);
}

TEST_HARNESS_MAIN
