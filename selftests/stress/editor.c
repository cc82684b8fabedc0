// SPDX-License-Identifier: GPL-2.0-only
/*
 * The editors: each opens a descriptor, edits its filters in every way, takes
 * some records, and in the end accounts for each of them.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "stress.h"

#define MAX_HANDLES 64
#define BATCH 64

/**
 * struct monitor - a descriptor and what came out of it
 *
 * @arena: Shared by all.
 * @fd: The descriptor.
 * @seq: The last sequence number.
 * @seen: Records but LOST.
 * @lost: Sum of the LOST records.
 * @next: The highest handle that an addition gave.
 * @awaited: For each handle, whether it is a tree that must become empty.
 * @empty: For each handle, its EMPTY records.
 */
struct monitor {
	struct arena *arena;
	int fd;
	uint64_t seq;
	uint64_t seen;
	uint64_t lost;
	uint64_t next;
	bool awaited[MAX_HANDLES];
	unsigned int empty[MAX_HANDLES];
};

static void take(struct monitor *mon, const struct kmonitor_event *event)
{
	uint64_t handle;

	check(event->seq == ++mon->seq, "expected seq %ju, got %ju",
	      (uintmax_t)mon->seq, (uintmax_t)event->seq);
	if (event->type == KMONITOR_LOST) {
		check(event->lost.count, "LOST of nothing");
		mon->lost += event->lost.count;
		return;
	}
	mon->seen++;
	if (event->type != KMONITOR_EMPTY)
		return;
	handle = event->empty.handle;
	check(handle && handle < MAX_HANDLES, "EMPTY of handle %ju",
	      (uintmax_t)handle);
	check(!mon->empty[handle]++, "a second EMPTY of handle %ju",
	      (uintmax_t)handle);
	check(event->empty.members, "EMPTY of a tree without members");
	add_to(&mon->arena->empty, 1);
}

/* Takes up to max batches. */
static void drain(struct monitor *mon, unsigned int max)
{
	struct kmonitor_event event[BATCH];

	while (max--) {
		int nr = km_read(mon->fd, event, 1 + rand() % BATCH);

		if (nr == -EAGAIN)
			return;
		check(nr > 0, "read: %s", km_error(nr));
		for (int i = 0; i < nr; i++)
			take(mon, &event[i]);
	}
}

static uint64_t root_cgroup(void)
{
	struct stat info;

	return stat("/sys/fs/cgroup", &info) ? 1 : info.st_ino;
}

static uint64_t some_id(struct arena *arena, uint32_t target)
{
	unsigned int which = rand() % MOTHERS;

	switch (target) {
	case KMONITOR_TARGET_ALL:
		return 0;
	case KMONITOR_TARGET_UID:
		return rand() % 2 ? NOBODY : 0;
	case KMONITOR_TARGET_CGROUP:
		return rand() % 2 ? root_cgroup() : arena->cgroup;
	}
	if (!(rand() % 8) && arena->inside)
		return arena->inside;
	return rand() % 3 ? arena->newest[which] : arena->mother[which];
}

static bool may_fail_so(int ret)
{
	return !ret || ret == -ESRCH || ret == -EPERM || ret == -ENOSPC;
}

static void add(struct monitor *mon)
{
	static const uint32_t flags[] = { 0, 0, 0, KMONITOR_FILTER_IGNORE,
					  KMONITOR_FILTER_FAILED_ONLY };
	struct kmonitor_filter filter = {
		.target = rand() % 2 ? (uint32_t)KMONITOR_TARGET_TREE :
				       (uint32_t)rand() % 6,
		.flags = flags[rand() % 5],
		.events = rand() % 2 ? KM_LIFE : rand() % 0x2000U,
		.cookie = rand(),
	};
	bool task = filter.target <= KMONITOR_TARGET_TREE;
	int pidfd = -1, ret;

	if (mon->next + 1 >= MAX_HANDLES)
		return;
	filter.id = some_id(mon->arena, filter.target);
	/* 0 is the editor itself, which KILL must not reach. */
	if (task && filter.id <= 1)
		return;
	if (filter.target == KMONITOR_TARGET_TREE && !(rand() % 16))
		filter.flags |= KMONITOR_FILTER_KILL_ON_CLOSE;
	if (task && !(rand() % 4)) {
		pidfd = syscall(SYS_pidfd_open, (pid_t)filter.id, 0);
		if (pidfd < 0)
			return;
		filter.id = pidfd;
		filter.flags |= KMONITOR_FILTER_PIDFD;
	}
	ret = km_ioctl(mon->fd, KMONITOR_IOC_FILTER_ADD, &filter);
	check(may_fail_so(ret), "FILTER_ADD of target %u with %#x: %s",
	      filter.target, filter.flags, km_error(ret));
	if (pidfd >= 0)
		close(pidfd);
	if (!ret && filter.handle > mon->next)
		mon->next = filter.handle;
}

static void remove_some(struct monitor *mon)
{
	uint64_t handle = 1 + rand() % (mon->next + 1);
	int ret = km_del(mon->fd, handle);

	check(!ret || ret == -ENOENT, "FILTER_DEL: %s", km_error(ret));
}

static void snapshot(struct monitor *mon)
{
	struct kmonitor_snapshot arg = {
		.handle = rand() % 2 ? 0 : 1 + rand() % (mon->next + 1),
		.token = rand(),
	};
	int ret;

	for (int i = 0; i < 20; i++) {
		ret = km_ioctl(mon->fd, KMONITOR_IOC_SNAPSHOT, &arg);
		check(!ret || ret == 1 || ret == -ENOENT, "SNAPSHOT: %s",
		      km_error(ret));
		if (ret != 1)
			return;
		drain(mon, 4);
	}
}

static void kill_some(struct monitor *mon)
{
	struct kmonitor_kill arg = {
		.handle = 1 + rand() % (mon->next + 1),
		.signo = rand() % 4 ? 0 : SIGKILL,
	};
	int ret = km_ioctl(mon->fd, KMONITOR_IOC_KILL, &arg);

	/* EINVAL is for entries that are no process and no tree. */
	check(!ret || ret == -ENOENT || ret == -EINVAL, "KILL: %s",
	      km_error(ret));
	if (!ret && arg.signo)
		add_to(&mon->arena->killed, arg.signalled);
}

static void edit(struct monitor *mon)
{
	char text[4096];
	int fd;

	switch (rand() % 12) {
	case 0:
	case 1:
		remove_some(mon);
		break;
	case 2:
		snapshot(mon);
		break;
	case 3:
		kill_some(mon);
		break;
	case 4:
		snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", mon->fd);
		fd = must(open(text, O_RDONLY | O_CLOEXEC));
		while (must(read(fd, text, sizeof(text))) > 0)
			;
		close(fd);
		break;
	case 5:
	case 6:
		drain(mon, 2);
		break;
	default:
		add(mon);
	}
}

/* Trees of processes that end soon: of each one EMPTY must come. */
static void await_trees(struct monitor *mon)
{
	uint64_t deadline = km_boottime_ns() + KM_TIMEOUT_MS * 1000000ULL;
	uint64_t handle;

	for (int i = 0; i < MOTHERS; i++) {
		pid_t pid = mon->arena->newest[i];

		if (pid > 1 && !km_try_add(mon->fd, KMONITOR_TARGET_TREE, pid,
					   KM_LIFE, i, &handle))
			mon->awaited[handle] = true;
	}
	for (int i = 0; i < MAX_HANDLES; i++) {
		while (mon->awaited[i] && !mon->empty[i]) {
			check(km_boottime_ns() < deadline,
			      "no EMPTY of handle %d", i);
			km_readable(mon->fd, 100);
			drain(mon, 100);
		}
	}
	check(!km_stats(mon->fd).filters, "EMPTY left an entry");
}

/*
 * Once no event is under way, each record has come out or is in a LOST.  A tree
 * that became empty before the CLEAR may still be about to say so.
 */
static void settle(struct monitor *mon)
{
	uint64_t deadline = km_boottime_ns() + KM_TIMEOUT_MS * 1000000ULL;
	struct kmonitor_stats stats;

	check(!km_ioctl(mon->fd, KMONITOR_IOC_FILTER_CLEAR, NULL), "CLEAR");
	for (;;) {
		drain(mon, 1000);
		stats = km_stats(mon->fd);
		if (stats.recorded == mon->seen && stats.lost == mon->lost &&
		    !stats.pending && !stats.filters)
			break;
		check(km_boottime_ns() < deadline,
		      "seen %ju of %ju, lost %ju of %ju, %ju pending, %u filters",
		      (uintmax_t)mon->seen, (uintmax_t)stats.recorded,
		      (uintmax_t)mon->lost, (uintmax_t)stats.lost,
		      (uintmax_t)stats.pending, stats.filters);
		usleep(1000);
	}
	check(stats.matched == mon->seen + mon->lost, "matched %ju",
	      (uintmax_t)stats.matched);
}

void be_an_editor(struct arena *arena, int which)
{
	if (which == 1)
		km_become(NOBODY, NOBODY);
	srand(getpid());
	while (!arena->stop) {
		struct kmonitor_attr attr = {
			.ring_records = 2U << rand() % 12,
			.report = rand() % 2 ? KMONITOR_REPORT_EXEC_ARGS : 0,
		};
		struct monitor mon = { .arena = arena };
		unsigned int edits = rand() % 100;

		if (attr.ring_records > 8 && rand() % 2) {
			attr.wakeup_records = attr.ring_records / 4;
			attr.wakeup_delay_us = 1 + rand() % 10000;
		}
		mon.fd = km_init(&attr, sizeof(attr),
				 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
		check(mon.fd >= 0, "kmonitor_init: %s", km_error(mon.fd));
		if (rand() % 4) {
			while (edits--)
				edit(&mon);
		} else {
			await_trees(&mon);
		}
		/* The others close in the midst of it. */
		if (rand() % 4)
			settle(&mon);
		close(mon.fd);
		add_to(&arena->cycles, 1);
		add_to(&arena->records, mon.seen);
		add_to(&arena->lost, mon.lost);
	}
	_exit(0);
}
