/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snapshots: the processes that exist, in the stream of what happens to them.
 */
#ifndef _KMONITOR_SNAPSHOT_H
#define _KMONITOR_SNAPSHOT_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/types.h>

struct kmonitor;
struct kmonitor_snapshot;

/**
 * struct kmonitor_cursor - the snapshot in progress
 * @lock: Protects the rest, and serialises snapshots.
 * @next: The process id to go on with, in the creator's pid namespace; 0 if
 *	no snapshot is in progress.
 * @handle: The entry that is listed, 0 for all.
 * @token: What the snapshot is called.
 */
struct kmonitor_cursor {
	struct mutex lock;
	int next;
	u64 handle;
	u64 token;
};

extern atomic_t kmonitor_snapshots;

int kmonitor_snapshot(struct kmonitor *mon,
		      const struct kmonitor_snapshot *arg);

#endif /* _KMONITOR_SNAPSHOT_H */
