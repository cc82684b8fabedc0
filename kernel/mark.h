/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mark sets: the filter entries that hold a process.
 */
#ifndef _KMONITOR_MARK_H
#define _KMONITOR_MARK_H

#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/types.h>

#include "mark_set.h"

struct kmonitor_entry;
struct kmonitor_filter_table;

extern int kmonitor_mark_widenings;

/* Gives a new process a set. */
static __always_inline void kmonitor_mark_share(struct signal_struct *child,
						struct kmonitor_mark_set *set)
{
	atomic_inc(&set->users);
	rcu_assign_pointer(child->kmonitor_marks, set);
	WRITE_ONCE(child->kmonitor_events, READ_ONCE(set->events));
}

void kmonitor_mark_share_widened(struct signal_struct *child,
				 struct kmonitor_mark_set *set);

/**
 * kmonitor_mark_inherit - give a new process the trees of its creator
 * @parent: The creator: the current process.
 * @child: The new process.
 *
 * Context: Write-held tasklist_lock, irqs off: no edit is under way, and the
 *	creator has not exited.
 */
static __always_inline void kmonitor_mark_inherit(struct signal_struct *parent,
						  struct signal_struct *child)
{
	struct kmonitor_mark_set *set;

	set = rcu_dereference_protected(parent->kmonitor_marks,
					lockdep_is_held(&tasklist_lock));
	if (likely(!set || !set->inherit))
		return;
	/* Pairs with tasklist_lock in widen_all_sets(). */
	if (unlikely(READ_ONCE(kmonitor_mark_widenings)))
		kmonitor_mark_share_widened(child, set->inherit);
	else
		kmonitor_mark_share(child, set->inherit);
}

int kmonitor_mark_add(struct task_struct *task, struct kmonitor_entry *entry);
struct kmonitor_entry *
kmonitor_mark_find(struct task_struct *task, u32 target, struct pid *pid,
		   const struct kmonitor_filter_table *filters, bool ignore);
void kmonitor_mark_set_events(struct kmonitor_entry *entry, u32 events);

void kmonitor_mark_count(const struct signal_struct *sig,
			 const struct kmonitor_filter_table *filters);

bool kmonitor_mark_claim(struct signal_struct *sig,
			 struct kmonitor_mark_set **set);
bool kmonitor_process_ended(const struct signal_struct *sig);
bool kmonitor_mark_kill(struct kmonitor_entry *entry);
void kmonitor_mark_retire(struct kmonitor_entry *entry);
void kmonitor_mark_sweep_later(void);

#endif /* _KMONITOR_MARK_H */
