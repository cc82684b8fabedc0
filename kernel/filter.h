/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter of a descriptor: its entries, and what edits them.
 */
#ifndef _KMONITOR_FILTER_H
#define _KMONITOR_FILTER_H

#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <uapi/linux/kmonitor.h>

#include "access.h"
#include "condition.h"

struct kmonitor_entry;
struct task_struct;

/* What this kernel supports; INFO says so, FILTER_ADD refuses the rest. */
#define KMONITOR_EVENTS (KMONITOR_EXEC_FAILED * 2 - 1)
#define KMONITOR_STREAM_EVENTS                            \
	(KMONITOR_LOST | KMONITOR_EMPTY | KMONITOR_TASK | \
	 KMONITOR_SNAPSHOT_END | KMONITOR_EXEC_ARGS)
#define KMONITOR_TARGETS                                                \
	(1U << KMONITOR_TARGET_THREAD | 1U << KMONITOR_TARGET_PROCESS | \
	 1U << KMONITOR_TARGET_TREE |                                   \
	 (u32)IS_ENABLED(CONFIG_CGROUPS) << KMONITOR_TARGET_CGROUP |    \
	 1U << KMONITOR_TARGET_UID | 1U << KMONITOR_TARGET_ALL)
#define KMONITOR_FILTER_FLAGS                             \
	(KMONITOR_FILTER_PIDFD | KMONITOR_FILTER_IGNORE | \
	 KMONITOR_FILTER_FAILED_ONLY | KMONITOR_FILTER_KILL_ON_CLOSE)

/**
 * struct kmonitor_filters - the filter of a descriptor
 * @lock: Serialises edits.
 * @creator: Whose ids and whose entitlement count; never changes.
 * @entries: Entries by handle, one reference each.  Under @lock.
 * @judged: Event types whose records are not simply those of all plain creators:
 *	all, unless its creator is one; else those that @ignored may suppress.
 * @ignored: Conditions whose records are suppressed.
 * @next_handle: Under @lock.
 * @nr: Number of live and retired entries in @entries.  Under @lock.
 * @retired: Entries that ended by themselves, to be taken out of @entries by
 *	the next edit.
 * @pending_lock: Protects @pending, and keeps an EMPTY record and the end of its
 *	entry together.  Inside @lock.
 * @pending: Trees whose EMPTY record waits for room in the ring.
 */
struct kmonitor_filters {
	struct mutex lock;
	struct kmonitor_creator creator;
	struct xarray entries;
	u32 judged;
	struct kmonitor_conditions ignored;
	u64 next_handle;
	u32 nr;
	struct llist_head retired;
	spinlock_t pending_lock;
	struct list_head pending;
};

void kmonitor_filters_init(struct kmonitor_filters *filters);
void kmonitor_filters_close(struct kmonitor_filters *filters);
void kmonitor_filters_destroy(struct kmonitor_filters *filters);

int kmonitor_filter_add(struct kmonitor_filters *filters,
			struct kmonitor_filter *arg, bool *created);
int kmonitor_filter_del(struct kmonitor_filters *filters,
			const struct kmonitor_filter *arg);
int kmonitor_filter_clear(struct kmonitor_filters *filters);
u32 kmonitor_filter_count(struct kmonitor_filters *filters);
struct kmonitor_entry *kmonitor_filter_get(struct kmonitor_filters *filters,
					   u64 handle);

void kmonitor_entry_discard(struct kmonitor_entry *entry);
void kmonitor_entry_retire(struct kmonitor_entry *entry);
void kmonitor_entry_leave(struct kmonitor_entry *entry);

/* empty.c: where filter and ring meet */
void kmonitor_tree_empty(struct kmonitor_filters *filters,
			 struct kmonitor_entry *entry);

#endif /* _KMONITOR_FILTER_H */
