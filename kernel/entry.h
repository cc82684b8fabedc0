/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter table of a descriptor.  An entry is made by one FILTER_ADD.
 */
#ifndef _KMONITOR_ENTRY_H
#define _KMONITOR_ENTRY_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <uapi/linux/kmonitor.h>

#include "access.h"

struct cgroup;
struct cred;
struct kmonitor_conditions;
struct kmonitor_filter_table;
struct pid;
struct pid_namespace;
struct ucounts;
struct user_struct;

/* Events that may be the end which an entry names. */
#define KMONITOR_EXITS (KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_EXIT)

/**
 * enum kmonitor_condition_kind - targets of conditions, the most specific first
 * @KMONITOR_CONDITION_CGROUP: %KMONITOR_TARGET_CGROUP.
 * @KMONITOR_CONDITION_UID: %KMONITOR_TARGET_UID.
 * @KMONITOR_CONDITION_ALL: %KMONITOR_TARGET_ALL, which has no id.
 * @KMONITOR_CONDITION_KINDS: Their number.
 */
enum kmonitor_condition_kind {
	KMONITOR_CONDITION_CGROUP,
	KMONITOR_CONDITION_UID,
	KMONITOR_CONDITION_ALL,
	KMONITOR_CONDITION_KINDS,
};

/**
 * struct kmonitor_wanted - the event types that some conditions want
 * @events: Types that any of them wants.  Hooks read it; written, as @counts,
 *	under the lock of the conditions.
 * @counts: Number of those that want each type.
 */
struct kmonitor_wanted {
	u32 events;
	u32 counts[32];
};

/**
 * struct kmonitor_conditions - conditions of a pid namespace or of a descriptor
 * @wanted: What those of each kind want.
 * @nr: Number of conditions.
 * @unprivileged: The tables of a namespace whose creators may not see every
 *	task.
 * @all: The conditions of target ALL.  Hooks read it; everything is written
 *	under the lock of the conditions.
 * @rcu: Hooks find those of a namespace under RCU.
 */
struct kmonitor_conditions {
	struct kmonitor_wanted wanted[KMONITOR_CONDITION_KINDS];
	u32 nr;
	struct hlist_head unprivileged;
	struct hlist_head all;
	struct rcu_head rcu;
};

/* Event types that conditions with an id want. */
static __always_inline u32
kmonitor_conditions_id_events(const struct kmonitor_conditions *conditions)
{
	const struct kmonitor_wanted *wanted = conditions->wanted;

	return READ_ONCE(wanted[KMONITOR_CONDITION_CGROUP].events) |
	       READ_ONCE(wanted[KMONITOR_CONDITION_UID].events);
}

/**
 * struct kmonitor_condition - the key of a condition
 * @id: Cgroup id or kernel user id; 0 for ALL.
 * @where: The conditions that it belongs to; NULL until it is added to them.
 * @target: CGROUP, UID or ALL.  A long, for a key without holes.
 */
struct kmonitor_condition {
	u64 id;
	struct kmonitor_conditions *where;
	unsigned long target;
};

/**
 * struct kmonitor_totals - the resources that the members of a tree have used
 * @root_status: Exit status of the root.
 * @flags: Bits of KMONITOR_EMPTY_*.
 * @members: Number of members that have ended.
 * @failed: Number of those with a nonzero status.
 * @utime_ns: Their user CPU time.
 * @stime_ns: Their system CPU time.
 * @maxrss_kib: The largest peak resident set.
 *
 * Written by the exit of each member, read when the last has ended.
 */
struct kmonitor_totals {
	int root_status;
	atomic_t flags;
	atomic64_t members;
	atomic64_t failed;
	atomic64_t utime_ns;
	atomic64_t stime_ns;
	atomic64_t maxrss_kib;
};

/**
 * enum kmonitor_entry_state - bits that send an entry down the slow path
 * @KMONITOR_ENTRY_DEAD: It has ended.  The edit, close or exit that sets the bit
 *	retires the entry.  Until then entry->filters is valid under RCU.
 * @KMONITOR_ENTRY_PICKS: It doesn't match all events of its types: a THREAD, or
 *	FAILED_ONLY.  Changed under the lock of the filter table.
 * @KMONITOR_ENTRY_IGNORES: It suppresses records.  Never changes.
 */
enum kmonitor_entry_state {
	KMONITOR_ENTRY_DEAD,
	KMONITOR_ENTRY_PICKS,
	KMONITOR_ENTRY_IGNORES,
};

/**
 * struct kmonitor_entry - an entry of the filter table
 * @state: Bits of &enum kmonitor_entry_state.
 * @events: Event types wanted, or suppressed; written under the lock of the
 *	filter table.
 * @flags: Bits of KMONITOR_FILTER_*; written under the lock of the filter
 *	table.
 * @refs: Owners: the descriptor's table, each mark set that has the entry.
 * @sets: Mark sets that have the entry, plus one while it is being added.
 *	The tree is empty when it drops to zero.
 * @target: One of &enum kmonitor_target.
 * @unprivileged: Its creator may not see every task.
 * @owner: The user who answers for that creator.
 * @may_want: For marks: all types that @events has had or is about to have;
 *	written under the lock of the filter table.
 * @cookie: Copied into its records; written under the lock of the filter table.
 * @handle: Its name in the descriptor.
 * @filters: The table that it belongs to.
 * @pid: Thread, process or root of the tree; NULL for conditions.
 * @start_ns: start_ns of that process.
 * @empty_ns: When the tree became empty.
 * @members: Number of processes with this mark, as fdinfo counts them; under
 *	the lock of the filter table.
 * @totals: For a tree, the usage of its members.
 * @ucounts: The user that it is charged to while it is in the table.
 * @kill_cred: The credentials with which close kills the members, with a
 *	reference, or NULL.  Written under the lock of the filter table.
 * @kill_ns: The pid namespace from which it does, likewise.
 * @condition: For CGROUP, UID and ALL; never changes while the entry is alive.
 * @cgroup: For CGROUP that wants records, with a reference while it is one of
 *	the conditions.
 * @user: For UID, likewise.
 * @hash: For CGROUP and UID, in the table of conditions.
 * @all: For ALL, in the list of its conditions.
 * @pending: In the list of entries whose last record waits for room;
 *	pending_lock.
 * @rcu: Hooks find entries under RCU.
 * @end: For THREAD and PROCESS, memory for the end that they name while it
 *	waits; written by the exit hook that kills the entry.
 */
struct kmonitor_entry {
	unsigned long state;
	u32 events;
	u32 flags;
	refcount_t refs;
	atomic_t sets;
	u32 target;
	bool unprivileged;
	kuid_t owner;
	u32 may_want;
	u64 cookie;
	u64 handle;
	struct kmonitor_filter_table *filters;
	struct pid *pid;
	u64 start_ns;
	u64 empty_ns;
	u32 members;
	struct kmonitor_totals totals;
	struct ucounts *ucounts;
	const struct cred *kill_cred;
	struct pid_namespace *kill_ns;
	struct kmonitor_condition condition;
	union {
		struct cgroup *cgroup;
		struct user_struct *user;
	};
	union {
		struct rhlist_head hash;
		struct hlist_node all;
	};
	struct list_head pending;
	struct rcu_head rcu;
	struct kmonitor_event end[];
};

/**
 * struct kmonitor_filter_table - the filters of a descriptor
 * @lock: Serialises edits.
 * @creator: Decides on ids and permissions; never changes.
 * @entries: Entries by handle, one reference each.  Added under @lock.
 * @checked: Event types that need more than a copy of a record: @always, those
 *	that @ignored may suppress, and exits while an end waits for room.
 *	Written under @pending_lock.
 * @always: All, unless its creator is a plain one.  For a plain one execs whose
 *	arguments are reported, and @named_ends once it has an entry that names
 *	an end.  Written under @pending_lock.
 * @named_ends: Exits, if the end that an entry names must be announced.
 * @suppressed: Event types that @ignored wants; under its lock.
 * @ignored: Conditions whose records are suppressed.
 * @nr_conditions: Number of those that want records, if the creator may not see
 *	every task.  Under the lock of the conditions.
 * @unprivileged: In the list of such tables of the namespace; likewise.
 * @next_handle: Under @lock.
 * @nr: Number of @entries, under their lock.
 * @kills_on_close: An entry has had KILL_ON_CLOSE.  Under @lock.
 * @pending_lock: Protects @pending, and keeps an EMPTY record and the end of its
 *	entry together.  Inside @lock and that of conditions.
 * @pending: Entries whose last record waits for room in the ring.
 */
struct kmonitor_filter_table {
	struct mutex lock;
	struct kmonitor_creator creator;
	struct xarray entries;
	u32 checked;
	u32 always;
	u32 named_ends;
	u32 suppressed;
	struct kmonitor_conditions ignored;
	u32 nr_conditions;
	struct hlist_node unprivileged;
	u64 next_handle;
	u32 nr;
	bool kills_on_close;
	spinlock_t pending_lock;
	struct list_head pending;
};

struct kmonitor_entry *kmonitor_entry_create(u32 target, struct pid *pid,
					     u64 start_ns);
void kmonitor_entry_put_killer(struct kmonitor_entry *entry);
void kmonitor_entry_put(struct kmonitor_entry *entry);
void kmonitor_entry_discard(struct kmonitor_entry *entry);
void kmonitor_entry_account(struct kmonitor_entry *entry, struct pid *pid,
			    const struct kmonitor_exit *exit, bool oom);

void kmonitor_filter_table_init(struct kmonitor_filter_table *filters);
void kmonitor_filter_table_destroy(struct kmonitor_filter_table *filters);
int kmonitor_filter_table_add(struct kmonitor_filter_table *filters,
			      struct kmonitor_entry *entry);
void kmonitor_filter_table_settle(struct kmonitor_filter_table *filters);
void kmonitor_filter_table_update_checked(struct kmonitor_filter_table *filters);
void kmonitor_filter_table_check_always(struct kmonitor_filter_table *filters,
					u32 events);
u32 kmonitor_filter_table_count(struct kmonitor_filter_table *filters);
struct kmonitor_entry *
kmonitor_filter_table_next(struct kmonitor_filter_table *filters,
			   unsigned long *handle);
struct kmonitor_entry *
kmonitor_filter_table_get(struct kmonitor_filter_table *filters, u64 handle);

static inline bool
kmonitor_entry_is_condition(const struct kmonitor_entry *entry)
{
	return entry->target > KMONITOR_TARGET_TREE;
}

/* Whether it names a process or thread whose end is never lost. */
static inline bool kmonitor_target_names_end(u32 target)
{
	return target < KMONITOR_TARGET_TREE;
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
