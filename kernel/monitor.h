/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The monitor: filters and ring behind one file.
 */
#ifndef _KMONITOR_MONITOR_H
#define _KMONITOR_MONITOR_H

#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "entry.h"
#include "ring.h"

struct fasync_struct;
struct ucounts;
struct user_struct;

/**
 * struct kmonitor_cursor - the snapshot in progress
 * @lock: Protects the rest, and serialises snapshots.
 * @next: The next process id, in the creator's pid namespace; 0 if no snapshot
 *	is in progress.
 * @handle: The entry whose processes are listed, 0 for all.
 * @token: The name that the caller gave the snapshot.
 */
struct kmonitor_cursor {
	struct mutex lock;
	int next;
	u64 handle;
	u64 token;
};

/**
 * struct kmonitor - a monitor, the private data of its file
 * @filters: The filters.  Hooks reach the monitor through their entries.
 * @ring: The records.
 * @snapshot: The snapshot in progress.
 * @wait: Readers and pollers.
 * @fasync: Receivers of SIGIO, as fasync_helper() keeps them.
 * @wake: Wakes readers and pollers where the timing of the task must not reveal
 *	that there are any, and sends SIGIO.
 * @timer: Announces records below the watermark.
 * @delay_ns: Delay of @timer; never changes.
 * @report: Bits of KMONITOR_REPORT_*; never changes.
 * @decided: Number of the last event that was decided for it, per processor.
 *	Written by the fan-out only.
 * @ucounts: The user that it is charged to.
 * @user: The user that its ring is charged to, or NULL.
 * @free: Frees it a grace period after the last close.
 */
struct kmonitor {
	struct kmonitor_filter_table filters;
	struct kmonitor_ring ring;
	struct kmonitor_cursor snapshot;
	wait_queue_head_t wait;
	struct fasync_struct *fasync;
	struct work_struct wake;
	struct hrtimer timer;
	u64 delay_ns;
	u32 report;
	u64 __percpu *decided;
	struct ucounts *ucounts;
	struct user_struct *user;
	struct rcu_work free;
};

#endif /* _KMONITOR_MONITOR_H */
