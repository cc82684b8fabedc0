/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snapshots: a TASK record for each existing process, in order with its events.
 */
#ifndef _KMONITOR_SNAPSHOT_H
#define _KMONITOR_SNAPSHOT_H

#include <linux/atomic.h>
#include <linux/compiler.h>

struct kmonitor;
struct kmonitor_event_data;
struct kmonitor_snapshot;

extern atomic_t kmonitor_snapshots;

void kmonitor_wait_for_snapshot(void);
void kmonitor_report_before_exit(struct kmonitor_event_data *data);
int kmonitor_snapshot(struct kmonitor *mon,
		      const struct kmonitor_snapshot *arg);

/**
 * kmonitor_snapshot_barrier - order later records after TASK of the old state
 *
 * A snapshot appends the record of a process under its siglock.  If it found the
 * current process before the change, it has appended TASK when this returns;
 * otherwise it finds the process after the change (partner: append_task()).
 *
 *   snapshot: count itself;  full barrier; look at the process, append
 *   hook:     the change;    full barrier; test for snapshots
 *
 * At least one sees the other: if the hook sees no snapshot, the snapshot sees
 * the change.  The caller provides the full barrier of the hook.
 *
 * Context: The process that has changed; its siglock is not held.
 */
static inline void kmonitor_snapshot_barrier(void)
{
	/* Pairs with the release in kmonitor_snapshot(): what it appended. */
	if (unlikely(atomic_read_acquire(&kmonitor_snapshots)))
		kmonitor_wait_for_snapshot();
}

#endif /* _KMONITOR_SNAPSHOT_H */
