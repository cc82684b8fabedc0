/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mark sets: which filter entries hold a process.
 */
#ifndef _KMONITOR_MARK_H
#define _KMONITOR_MARK_H

#include <linux/atomic.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/types.h>

struct kmonitor_entry;

/**
 * struct kmonitor_mark_set - the entries that hold a process
 * @users: Owners: each process that points to it, each set whose @inherit it
 *	is, and the edit that makes it.  No more than there are pids, twice: no
 *	need for the checks of refcount_t, which each fork in a tree would pay.
 * @inherit: What a child gets: this set if it has only trees, else a set of
 *	its trees, or NULL without any.
 * @rcu: Hooks find sets under RCU.
 * @events: Event types that its entries may want, and those with which they
 *	end.  Changed by mark edits only; all else never changes.
 * @nr: Number of @entries.
 * @entries: Those of one descriptor stand together: first those that suppress
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

/* For those under RCU, whom release_task() doesn't wait for. */
static inline bool kmonitor_task_alive(const struct task_struct *task)
{
	/* It changes once, and what is done with the answer bears both. */
	return data_race(pid_alive(task));
}

/**
 * kmonitor_mark_inherit - give a new process what its creator's children get
 * @parent: The creator: the current process.
 * @child: The new process.
 *
 * With no edit under way, who has events has a set.
 *
 * Context: Write-held tasklist_lock, irqs off: no edit is under way, and the
 *	creator has not exited.
 */
static __always_inline void kmonitor_mark_inherit(struct signal_struct *parent,
						  struct signal_struct *child)
{
	struct kmonitor_mark_set *set;

	if (!parent->kmonitor_events)
		return;
	set = rcu_dereference_protected(parent->kmonitor_marks,
					lockdep_is_held(&tasklist_lock))
		      ->inherit;
	if (!set)
		return;
	atomic_inc(&set->users);
	child->kmonitor_events = set->events;
	rcu_assign_pointer(child->kmonitor_marks, set);
}

int kmonitor_mark_add(struct task_struct *task, struct kmonitor_entry *entry);
struct kmonitor_entry *kmonitor_mark_find(struct task_struct *task, u32 target,
					  struct pid *pid, const void *filters,
					  bool ignore);
void kmonitor_mark_set_events(struct kmonitor_entry *entry, u32 events);

void kmonitor_mark_count(const struct signal_struct *sig, const void *filters);

struct kmonitor_mark_set *kmonitor_mark_take(struct signal_struct *sig);
void kmonitor_mark_sweep_later(void);

/* mark_set.c */
void kmonitor_mark_put(struct kmonitor_mark_set *set);

#endif /* _KMONITOR_MARK_H */
