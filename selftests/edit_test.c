// SPDX-License-Identifier: GPL-2.0-only
/* What edits of the filter must not do to entries, limits and records. */

#include "kselftest_harness.h"

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

TEST_HARNESS_MAIN
