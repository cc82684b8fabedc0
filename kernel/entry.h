/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter entry: what one FILTER_ADD made.
 */
#ifndef _KMONITOR_ENTRY_H
#define _KMONITOR_ENTRY_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct cred;
struct kmonitor_conditions;
struct kmonitor_filters;
struct pid;
struct ucounts;

/**
 * struct kmonitor_condition - what a condition is found by
 * @id: Cgroup id or kernel user id; 0 for ALL.
 * @where: The conditions that it belongs to, NULL before it is one of them.
 * @target: CGROUP, UID or ALL.  A long, for a key without holes.
 */
struct kmonitor_condition {
	u64 id;
	struct kmonitor_conditions *where;
	unsigned long target;
};

/**
 * struct kmonitor_totals - what the members of a tree have used
 * @root_status: Status of the root, once it ended.
 * @flags: Bits of KMONITOR_EMPTY_*.
 * @members: Members that ended.
 * @failed: Those with a nonzero status.
 * @utime_ns: Their user CPU time.
 * @stime_ns: Their system CPU time.
 * @maxrss_kib: The largest peak resident set.
 *
 * Written by the exit of each member, read when the last has ended.
 */
struct kmonitor_totals {
	int root_status;
	atomic_t flags;
	atomic_t members;
	atomic_t failed;
	atomic64_t utime_ns;
	atomic64_t stime_ns;
	atomic64_t maxrss_kib;
};

/**
 * enum kmonitor_entry_state - bits of what makes an entry special
 * @KMONITOR_ENTRY_DEAD: It has ended.  Who sets it retires the entry: edit,
 *	close, or the exit of what it names.  Until then the entry's filters are
 *	valid under RCU.
 * @KMONITOR_ENTRY_PICKS: It doesn't want all events of its types: a THREAD, or
 *	FAILED_ONLY.  Changed under the descriptor's filter lock.
 * @KMONITOR_ENTRY_IGNORES: It suppresses records.  Never changes.
 */
enum kmonitor_entry_state {
	KMONITOR_ENTRY_DEAD,
	KMONITOR_ENTRY_PICKS,
	KMONITOR_ENTRY_IGNORES,
};

/**
 * struct kmonitor_entry - a filter entry
 * @state: Bits of &enum kmonitor_entry_state.
 * @events: Event types wanted, or suppressed; written under the descriptor's
 *	filter lock.
 * @flags: Bits of KMONITOR_FILTER_*; written under the descriptor's filter
 *	lock.
 * @refs: Owners: the descriptor's table, each mark set that has the entry.
 * @sets: Mark sets that have the entry, plus one while it is being added.
 *	The last one to go makes the tree empty.
 * @target: One of &enum kmonitor_target.
 * @unprivileged: Its creator doesn't see every task.
 * @may_want: Of marks, all types that @events has had or is about to have;
 *	written under the lock of mark edits once the entry is in a set.
 * @cookie: Written under the descriptor's filter lock.
 * @handle: Its name in the descriptor.
 * @filters: The filter it belongs to.
 * @pid: Thread, process or root of the tree; NULL for conditions.
 * @start_ns: start_ns of that process.
 * @empty_ns: When the tree became empty.
 * @members: Processes that it holds, as fdinfo counts them; the descriptor's
 *	filter lock.
 * @totals: Of a tree.
 * @ucounts: The user that it is charged to while it is in the table.
 * @killer: With whose credentials close kills the members, or NULL; a
 *	reference.  Written under the descriptor's filter lock.
 * @condition: Of CGROUP, UID and ALL; never changes while the entry is alive.
 * @hash: In the table of conditions, of CGROUP and UID.
 * @all: In the list of its conditions, of ALL.
 * @pending: In the list of EMPTY records that wait for room; pending_lock.
 * @retired: In the list of entries to take out of the table.
 * @rcu: Hooks find entries under RCU.
 */
struct kmonitor_entry {
	unsigned long state;
	u32 events;
	u32 flags;
	refcount_t refs;
	atomic_t sets;
	u32 target;
	bool unprivileged;
	u32 may_want;
	u64 cookie;
	u64 handle;
	struct kmonitor_filters *filters;
	struct pid *pid;
	u64 start_ns;
	u64 empty_ns;
	u32 members;
	struct kmonitor_totals totals;
	struct ucounts *ucounts;
	const struct cred *killer;
	struct kmonitor_condition condition;
	union {
		struct rhlist_head hash;
		struct hlist_node all;
	};
	struct list_head pending;
	struct llist_node retired;
	struct rcu_head rcu;
};

struct kmonitor_entry *kmonitor_entry_create(u32 target, struct pid *pid,
					     u64 start_ns);
void kmonitor_entry_put(struct kmonitor_entry *entry);
void kmonitor_entry_account(struct kmonitor_entry *entry, struct pid *pid,
			    const struct kmonitor_exit *exit, bool oom);

static inline bool
kmonitor_entry_is_condition(const struct kmonitor_entry *entry)
{
	return entry->target > KMONITOR_TARGET_TREE;
}

static inline bool kmonitor_entry_ignores(const struct kmonitor_entry *entry)
{
	return test_bit(KMONITOR_ENTRY_IGNORES, &entry->state);
}

static inline bool kmonitor_entry_kill(struct kmonitor_entry *entry)
{
	return !test_and_set_bit(KMONITOR_ENTRY_DEAD, &entry->state);
}

static inline bool kmonitor_entry_alive(const struct kmonitor_entry *entry)
{
	return !test_bit(KMONITOR_ENTRY_DEAD, &entry->state);
}

#endif /* _KMONITOR_ENTRY_H */
