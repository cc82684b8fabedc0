// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that never end: one of their threads has oopsed on its way out, and
 * has been left as it is until the next boot.
 *
 * Such a process keeps what it holds, so there is no PROCESS_EXIT, but the trees
 * that it is in must end.  It counts as ended when none of its threads runs any
 * more.  The thread itself can't see to that: it may hold any lock, and others
 * may live.  It only starts a worker, without a lock, and the worker looks at
 * all processes, as often as some are not that far.
 *
 * A thread sets a bit at its last hook.  exit_state is set later, by
 * exit_notify(), or when the thread gets stuck.  So if each thread of a process
 * has an exit_state and one has not set its bit, that one is stuck.
 *
 * An oops in the fork of a process leaves it without one, and is not covered.
 */

#include <linux/irq_work.h>
#include <linux/kmonitor.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/workqueue.h>

#include "entry.h"
#include "mark.h"
#include "process_walk.h"

/* What has become of a process. */
enum fate {
	FATE_ENDS,
	FATE_WILL_BE_STUCK,
	FATE_IS_STUCK,
};

/* tasklist_lock keeps threads from coming, and others from getting a state. */
static enum fate find_fate(const struct task_struct *leader)
{
	const struct task_struct *thread;
	bool runs = false, is_dead = false;
	int state;

	lockdep_assert_held(&tasklist_lock);
	for_each_thread(leader, thread) {
		/* One that gets stuck now starts another look. */
		state = data_race(READ_ONCE(thread->exit_state));
		runs |= !state;
		is_dead |= state == EXIT_DEAD;
	}
	if (runs)
		return is_dead ? FATE_WILL_BE_STUCK : FATE_ENDS;
	return kmonitor_process_ended(leader->signal) ? FATE_ENDS :
							FATE_IS_STUCK;
}

/* As at an exit, but all that is known is that it was a member. */
static void leave_entries(struct task_struct *leader,
			  const struct kmonitor_mark_set *set)
{
	static const struct kmonitor_exit nothing;

	for (u32 i = 0; i < set->nr; i++) {
		struct kmonitor_entry *entry = set->entries[i];

		if (entry->target != KMONITOR_TARGET_TREE) {
			kmonitor_mark_retire(entry);
			continue;
		}
		atomic_or(KMONITOR_EMPTY_INCOMPLETE, &entry->totals.flags);
		kmonitor_entry_account(entry, task_tgid(leader), &nothing,
				       false);
	}
}

/* Returns true if the process must be looked at again. */
static bool look_at_process(struct task_struct *leader)
{
	struct kmonitor_mark_set *set;
	enum fate fate;

	read_lock(&tasklist_lock);
	fate = find_fate(leader);
	read_unlock(&tasklist_lock);
	if (fate != FATE_IS_STUCK)
		return fate == FATE_WILL_BE_STUCK;
	if (kmonitor_mark_claim(leader->signal, &set) && set) {
		leave_entries(leader, set);
		kmonitor_mark_put(set);
	}
	return false;
}

static void look_for_stuck(struct work_struct *work)
{
	struct task_struct *leader;
	bool again = false;
	bool more;
	int nr = 1;

	do {
		rcu_read_lock();
		more = kmonitor_process_walk(&init_pid_ns, &nr, &leader);
		if (leader)
			again |= look_at_process(leader);
		rcu_read_unlock();
		nr++;
		cond_resched();
	} while (more);
	if (again)
		queue_delayed_work(system_unbound_wq, to_delayed_work(work),
				   HZ);
}

static DECLARE_DELAYED_WORK(stuck_work, look_for_stuck);

/* What starts a worker takes locks. */
static void start_look(struct irq_work *work)
{
	mod_delayed_work(system_unbound_wq, &stuck_work, 0);
}

static DEFINE_IRQ_WORK(start_work, start_look);

/**
 * kmonitor_stuck - the current thread never ends
 *
 * Context: make_task_dead(), after exit_state has been set.  The thread has
 *	oopsed anywhere in do_exit(), even in a hook, and may hold any lock.
 */
void kmonitor_stuck(void)
{
	irq_work_queue(&start_work);
}
