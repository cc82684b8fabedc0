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

void kmonitor_wait_for_snapshot(void);
int kmonitor_snapshot(struct kmonitor *mon,
		      const struct kmonitor_snapshot *arg);

/**
 * kmonitor_let_snapshots_pass - put what follows behind the TASK of before
 *
 * A snapshot appends the record of a process under its siglock.  One that has
 * found the current process as it was before is over when this returns; a later
 * one finds it as it is now (partner: append_task()).
 *
 *   snapshot: count itself;  full barrier; look at the process, append
 *   hook:     the change;    full barrier; look whether there is a snapshot
 *
 * At least one sees the other: if the hook sees none, the snapshot sees the
 * change.  The caller has the full barrier between.
 *
 * Context: The process that has changed; its siglock is not held.
 */
static inline void kmonitor_let_snapshots_pass(void)
{
	/* Pairs with the release in kmonitor_snapshot(): what it appended. */
	if (unlikely(atomic_read_acquire(&kmonitor_snapshots)))
		kmonitor_wait_for_snapshot();
}

#endif /* _KMONITOR_SNAPSHOT_H */
