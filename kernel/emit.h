/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fan-out of a record.
 */
#ifndef _KMONITOR_EMIT_H
#define _KMONITOR_EMIT_H

#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/types.h>

#include "condition.h"
#include "mark_set.h"
#include "task_pid.h"

struct kmonitor_event_data;

/**
 * enum kmonitor_interest - whether any filter may match
 * @KMONITOR_NO_INTEREST: None.
 * @KMONITOR_INTEREST: kmonitor_emit() may find a descriptor.
 * @KMONITOR_INTEREST_IN_IDS: Only if the user or a cgroup of the task is the one
 *	that a condition names.
 */
enum kmonitor_interest {
	KMONITOR_NO_INTEREST,
	KMONITOR_INTEREST,
	KMONITOR_INTEREST_IN_IDS,
};

static __always_inline enum kmonitor_interest
kmonitor_interest_of_conditions(const struct pid *pid, u32 types)
{
	const struct pid_namespace *ns = pid->numbers[pid->level].ns;
	u32 all = 0, any = 0;

	do {
		any |= READ_ONCE(ns->kmonitor_events);
	} while ((ns = ns->parent));
	if (likely(!(any & types)))
		return KMONITOR_NO_INTEREST;
	for (ns = pid->numbers[pid->level].ns; ns; ns = ns->parent)
		all |= READ_ONCE(ns->kmonitor_all_events);
	return all & types ? KMONITOR_INTEREST : KMONITOR_INTEREST_IN_IDS;
}

/**
 * kmonitor_interest_in - find out whether any filter may match a process
 * @sig: The process of the subject.
 * @pid: Its pid namespaces are those that the event is visible in.
 * @types: Event types.
 *
 * This is the whole cost for a task that no filter selects, unless filters of
 * other users and cgroups want the types: one load of the types that its marks
 * want, and for each pid namespace that it is visible in (most often one) a load
 * of those that conditions there want.
 *
 * Context: Any.
 * Return: What holds for all of its threads.
 */
static __always_inline enum kmonitor_interest
kmonitor_interest_in(const struct signal_struct *sig, const struct pid *pid,
		     u32 types)
{
	if (unlikely(READ_ONCE(sig->kmonitor_events) & types))
		return KMONITOR_INTEREST;
	return kmonitor_interest_of_conditions(pid, types);
}

/**
 * kmonitor_may_match - test whether any filter may match
 * @task: The subject.
 * @types: Event types.
 *
 * If there are conditions with an id, those that name the user or a cgroup of
 * the task count.
 *
 * Context: Any.
 * Return: False if kmonitor_emit() would find no descriptor.
 */
static __always_inline bool kmonitor_may_match(struct task_struct *task,
					       u32 types)
{
	const struct pid *pid = kmonitor_task_pid(task);
	enum kmonitor_interest interest;

	if (!pid)
		return false;
	interest = kmonitor_interest_in(task->signal, pid, types);
	return interest == KMONITOR_INTEREST ||
	       (unlikely(interest == KMONITOR_INTEREST_IN_IDS) &&
		kmonitor_id_may_match(task, types));
}

/*
 * The fan-out runs under RCU, and with preemption off: a reader that is woken may
 * preempt the task, which would then leave the RCU section late.  Preemption off
 * is an RCU section by itself; only lockdep needs to see one.  On PREEMPT_RT a
 * waker must be preemptible.
 */
static inline void kmonitor_enter(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		rcu_read_lock();
		/* As in the guard of RCU: sparse looks at each function alone. */
		__release(RCU);
	} else {
		preempt_disable();
		rcu_lock_acquire(&rcu_lock_map);
	}
}

static inline void kmonitor_leave(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		__acquire(RCU);
		rcu_read_unlock();
	} else {
		rcu_lock_release(&rcu_lock_map);
		preempt_enable();
	}
}

void kmonitor_emit_fork(struct kmonitor_event_data *data,
			const struct kmonitor_mark_set *set);
void kmonitor_emit(struct kmonitor_event_data *data,
		   const struct kmonitor_mark_set *set);
void kmonitor_report(struct kmonitor_event_data *data);

#endif /* _KMONITOR_EMIT_H */
