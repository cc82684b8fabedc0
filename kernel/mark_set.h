/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mark sets, and how they are made from others.
 */
#ifndef _KMONITOR_MARK_SET_H
#define _KMONITOR_MARK_SET_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct kmonitor_entry;

/**
 * struct kmonitor_mark_set - the entries that hold a process
 * @users: Owners: each process that points to it, each set whose @inherit it
 *	is, and the edit that makes it.  No more than there are pids, twice: no
 *	need for the checks of refcount_t, which each fork in a tree would pay.
 * @inherit: The set that a child gets: this one if it has only trees, otherwise a
 *	set of its trees, or NULL without any.
 * @rcu: Hooks find sets under RCU.
 * @events: Event types that its entries may want, and those with which they
 *	end.  Grows with what they may want; all else never changes.
 * @nr: Number of @entries.
 * @entries: Those of one descriptor are adjacent: first those that suppress
 *	records, then the most specific first.
 */
struct kmonitor_mark_set {
	atomic_t users;
	struct kmonitor_mark_set *inherit;
	struct rcu_head rcu;
	u32 events;
	u32 nr;
	struct kmonitor_entry *entries[] __counted_by(nr);
};

/**
 * struct kmonitor_mark_edit - a change that is made to many sets
 * @entry: The entry to add, or NULL to drop the dead ones only.
 * @root: The set of the root of the tree to add.
 * @made: Sets replaced before, so that processes go on sharing one.
 * @error: The error that kept a set from being made, or 0.
 * @missing: After -ENOMEM, the size of that set in bytes.
 */
struct kmonitor_mark_edit {
	struct kmonitor_entry *entry;
	const struct kmonitor_mark_set *root;
	struct {
		struct kmonitor_mark_set *old;
		struct kmonitor_mark_set *new;
	} made[16];
	int error;
	size_t missing;
};

void kmonitor_mark_put(struct kmonitor_mark_set *set);
bool kmonitor_mark_set_has(const struct kmonitor_mark_set *set,
			   const struct kmonitor_entry *entry);
bool kmonitor_mark_set_has_dead(const struct kmonitor_mark_set *set);
struct kmonitor_mark_set *
kmonitor_mark_set_replace(struct kmonitor_mark_edit *edit,
			  struct kmonitor_mark_set *old);
void kmonitor_mark_edit_end(struct kmonitor_mark_edit *edit);
void kmonitor_mark_set_widen(struct kmonitor_mark_set *set);

#endif /* _KMONITOR_MARK_SET_H */
