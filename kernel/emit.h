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

struct kmonitor_event_data;

/* Whether something in the marks of a process may want events. */
static __always_inline bool
kmonitor_marks_may_match(const struct signal_struct *sig, u32 types)
{
	const struct kmonitor_mark_set *set;
	bool wanted;

	if (likely(!rcu_access_pointer(sig->kmonitor_marks)))
		return false;
	/* Cheaper than rcu_read_lock(), and as good. */
	preempt_disable();
	set = rcu_dereference_sched(sig->kmonitor_marks);
	wanted = set && READ_ONCE(set->events) & types;
	preempt_enable();
	return wanted;
}

/* Event types that conditions of a pid namespace want. */
static __always_inline u32
kmonitor_namespace_events(const struct pid_namespace *ns)
{
	return READ_ONCE(ns->kmonitor_all_events) |
	       READ_ONCE(ns->kmonitor_id_events);
}

/**
 * kmonitor_process_may_match - test whether any filter may match any thread
 * @task: The subject, a thread of the process.
 * @types: Event types.
 *
 * Context: Any.
 * Return: False if kmonitor_may_match() would return false for each thread.
 */
static __always_inline bool kmonitor_process_may_match(struct task_struct *task,
						       u32 types)
{
	const struct pid_namespace *ns;

	if (kmonitor_marks_may_match(task->signal, types))
		return true;
	for (ns = ns_of_pid(task_pid(task)); ns; ns = ns->parent) {
		if (unlikely(kmonitor_namespace_events(ns) & types))
			return true;
	}
	return false;
}

/*
 * Tests the conditions of all pid namespaces that the task is visible in.
 * Returns those types that its ids may match.
 */
static __always_inline bool kmonitor_all_may_match(struct task_struct *task,
						   u32 types, u32 *id_types)
{
	const struct pid_namespace *ns;

	*id_types = 0;
	for (ns = ns_of_pid(task_pid(task)); ns; ns = ns->parent) {
		if (unlikely(READ_ONCE(ns->kmonitor_all_events) & types))
			return true;
		*id_types |= READ_ONCE(ns->kmonitor_id_events);
	}
	*id_types &= types;
	return false;
}

/**
 * kmonitor_may_match - test whether any filter may match
 * @task: The subject.
 * @types: Event types.
 *
 * This is the whole cost for a task that no filter selects: one load of its
 * marks, of which there are none, and for each pid namespace that it is visible
 * in (most often one) two loads of the types that conditions there want.  If
 * there are conditions with an id, those that name the user or a cgroup of the
 * task count.
 *
 * Context: Any.
 * Return: False if kmonitor_emit() would find no descriptor.
 */
static __always_inline bool kmonitor_may_match(struct task_struct *task,
					       u32 types)
{
	u32 id_types;

	return kmonitor_marks_may_match(task->signal, types) ||
	       kmonitor_all_may_match(task, types, &id_types) ||
	       (unlikely(id_types) && kmonitor_id_may_match(task, id_types));
}

/* The same for a fork by the current task: the child may join a namespace. */
static __always_inline bool kmonitor_fork_may_match(struct task_struct *child,
						    u32 type)
{
	u32 id_types;

	return kmonitor_marks_may_match(current->signal, type) ||
	       kmonitor_all_may_match(child, type, &id_types) ||
	       (unlikely(id_types) &&
		kmonitor_fork_id_may_match(child, id_types));
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

void kmonitor_emit_fork(struct kmonitor_event_data *data,
			const struct kmonitor_mark_set *set);
void kmonitor_emit(struct kmonitor_event_data *data,
		   const struct kmonitor_mark_set *set);
void kmonitor_report(struct kmonitor_event_data *data);

#endif /* _KMONITOR_EMIT_H */
