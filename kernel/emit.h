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

struct kmonitor_mark_set;
struct kmonitor_event_data;

/* Tests the conditions of all pid namespaces that the task is visible in. */
static __always_inline bool kmonitor_conditions_want(struct task_struct *task,
						     u32 types)
{
	const struct pid_namespace *ns;

	for (ns = ns_of_pid(task_pid(task)); ns; ns = ns->parent) {
		if (unlikely(READ_ONCE(ns->kmonitor_events) & types))
			return true;
	}
	return false;
}

/**
 * kmonitor_may_match - test whether any filter may match
 * @task: The subject.
 * @types: Event types.
 *
 * This is the whole cost for a task that no filter selects: one load of the
 * types that its marks may want, and for each pid namespace that it is visible
 * in (most often one) a load of the types that conditions there want.
 *
 * Context: Any.
 * Return: False if kmonitor_emit() would find no descriptor.
 */
static __always_inline bool kmonitor_may_match(struct task_struct *task,
					       u32 types)
{
	return unlikely(READ_ONCE(task->signal->kmonitor_events) & types) ||
	       kmonitor_conditions_want(task, types);
}

/* The same for a fork by the current task: the child may join a namespace. */
static __always_inline bool kmonitor_fork_may_match(struct task_struct *child,
						    u32 type)
{
	return unlikely(READ_ONCE(current->signal->kmonitor_events) & type) ||
	       kmonitor_conditions_want(child, type);
}

/*
 * The fan-out runs under RCU.  Preemption is off as well, because a reader that
 * is woken may preempt the task, which would then leave the RCU section late.
 * On PREEMPT_RT a waker must be preemptible.
 */
static inline void kmonitor_enter(void)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	rcu_read_lock();
	/* As in the guard of RCU: sparse looks at each function alone. */
	__release(RCU);
}

static inline void kmonitor_leave(void)
{
	__acquire(RCU);
	rcu_read_unlock();
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
}

bool kmonitor_matches_exactly(struct task_struct *task, u32 types);
void kmonitor_emit_fork(struct kmonitor_event_data *data,
			const struct kmonitor_mark_set *set);
void kmonitor_emit(struct kmonitor_event_data *data,
		   const struct kmonitor_mark_set *set);
void kmonitor_report(struct kmonitor_event_data *data);

#endif /* _KMONITOR_EMIT_H */
