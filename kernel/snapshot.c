// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots: a TASK record for each existing process, in order with its events.
 *
 * The walk goes by process id in the creator's pid namespace, holds no lock
 * from one process to the next, and stops at a half-full ring.  A TASK record
 * is ordered with the records of events:
 *
 *   fork  A child is visible to the walk a moment before its FORK is appended.
 *         The walk waits until the fork hook has cleared a bit of the child:
 *         the forker doesn't sleep in between.
 *   exit  TASK is appended under siglock, while the process still has a thread
 *         that has not come to its last hook; PROCESS_EXIT comes after all have
 *         and, if a snapshot is under way, siglock has been passed.  The walk
 *         waits for a process that is between the two, so that no PROCESS_EXIT
 *         without a TASK follows SNAPSHOT_END.
 *   exec  In the same way TASK is appended only if the program has not changed
 *         since it was looked at; EXEC comes after siglock has been passed.
 *   COMM, CRED, SID  come after siglock has been passed, too.  Under it TASK is
 *         made, with the name and the ids of that moment, and appended only if
 *         the credentials are still those by which it may be seen.
 *
 * A process that is not found any more has sent PROCESS_EXIT; one that starts
 * behind the cursor sends FORK.
 */

#include <linux/err.h>
#include <linux/kmonitor.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "access.h"
#include "args.h"
#include "condition.h"
#include "emit.h"
#include "entry.h"
#include "event_data.h"
#include "mark.h"
#include "mark_set.h"
#include "monitor.h"
#include "process_walk.h"
#include "record.h"
#include "ring.h"
#include "snapshot.h"
#include "wake.h"

/* How often a call tries again to list a process, most often after a tick. */
#define MAX_TRIES 20

/* Number of calls that are listing processes; hooks test it. */
atomic_t kmonitor_snapshots = ATOMIC_INIT(0);

/* The next step after a process: go on, try it again, or stop the call. */
enum step {
	STEP_ON,
	STEP_AGAIN,
	STEP_STOP,
};

/* A process under the cursor, with what must be read before siglock is taken. */
struct subject {
	struct task_struct *leader;
	struct pid *pid;
	u64 cookie;
	bool member;
	bool redacted;
	u64 exec_id;
	const struct cred *cred;
	struct kmonitor_task program;
	struct kmonitor_args *args;
};

/* Held by those who report about another process that must not have exited. */
static DEFINE_SPINLOCK(exit_lock);

/**
 * kmonitor_report_before_exit - report about another process
 * @data: The event; its subject is not the current task, and stays.
 *
 * The record precedes PROCESS_EXIT, or is not made: as with a snapshot, see
 * kmonitor_snapshot_barrier(), the process is seen to exit here, or its exit
 * hook waits until the record has been appended.
 *
 * Context: Any but interrupts.
 */
void kmonitor_report_before_exit(struct kmonitor_event_data *data)
{
	const struct task_struct *task = data->task;

	atomic_inc_return(&kmonitor_snapshots);
	spin_lock(&exit_lock);
	/* Its other flags the task writes as it likes. */
	if (!(data_race(READ_ONCE(task->flags)) & PF_EXITING) &&
	    !kmonitor_process_ended(task->signal)) {
		kmonitor_debug_window();
		kmonitor_report(data);
	}
	spin_unlock(&exit_lock);
	atomic_dec_return(&kmonitor_snapshots);
}

/* Waits for those that may have found the current process unchanged. */
void kmonitor_wait_for_snapshot(void)
{
	struct sighand_struct *sighand;
	unsigned long flags;

	spin_lock(&exit_lock);
	spin_unlock(&exit_lock);
	sighand = lock_task_sighand(current, &flags);
	if (sighand)
		spin_unlock_irqrestore(&sighand->siglock, flags);
}

/*
 * Finds the next process at or after the cursor, past any number of other
 * threads, and takes references.
 */
static bool get_next_process(struct kmonitor *mon, struct subject *subject)
{
	struct pid_namespace *ns = mon->filters.creator.pid_ns;
	int *next = &mon->snapshot.next;

	for (;; ++*next) {
		rcu_read_lock();
		subject->pid =
			kmonitor_process_walk(ns, next, &subject->leader);
		if (subject->leader) {
			get_task_struct(subject->leader);
			get_pid(subject->pid);
		}
		rcu_read_unlock();
		if (subject->leader || !subject->pid)
			return subject->pid;
		cond_resched();
	}
}

static void put_process(struct subject *subject)
{
	put_task_struct(subject->leader);
	put_pid(subject->pid);
}

static bool is_listed_by(const struct kmonitor *mon,
			 const struct kmonitor_entry *entry)
{
	return kmonitor_entry_alive(entry) && entry->filters == &mon->filters &&
	       (!mon->snapshot.handle || entry->handle == mon->snapshot.handle);
}

/* Do not list a process whose exit the filter suppresses. */
static bool ignores_end(const struct kmonitor *mon,
			const struct kmonitor_entry *entry)
{
	return kmonitor_entry_ignores(entry) && kmonitor_entry_alive(entry) &&
	       entry->filters == &mon->filters &&
	       READ_ONCE(entry->events) & KMONITOR_PROCESS_EXIT;
}

struct search {
	const struct kmonitor *mon;
	const struct kmonitor_entry *found;
};

static bool find_listing(void *arg, struct kmonitor_entry *entry)
{
	struct search *search = arg;

	if (!is_listed_by(search->mon, entry))
		return false;
	search->found = entry;
	return true;
}

static bool find_ignoring(void *arg, struct kmonitor_entry *entry)
{
	struct search *search = arg;

	return ignores_end(search->mon, entry);
}

/*
 * Finds the most specific entry that selects the process.  THREAD selects the
 * process of its thread.  Entries that suppress records come first.
 */
static bool match_process(struct kmonitor *mon, struct subject *subject)
{
	const struct pid_namespace *ns = mon->filters.creator.pid_ns;
	struct search search = { .mon = mon };
	/* Conditions match regardless of their events. */
	const struct kmonitor_event_data data = {
		.type = ~0U,
		.task = subject->leader,
		.fork.child = subject->leader,
	};
	const struct kmonitor_mark_set *set;

	guard(rcu)();
	if (kmonitor_conditions_visit(&mon->filters.ignored, &data,
				      find_ignoring, &search))
		return false;
	set = rcu_dereference(subject->leader->signal->kmonitor_marks);
	for (u32 i = 0; set && !search.found && i < set->nr; i++) {
		if (ignores_end(mon, set->entries[i]))
			return false;
		if (!kmonitor_entry_ignores(set->entries[i]))
			find_listing(&search, set->entries[i]);
	}
	subject->member = search.found;
	if (!search.found)
		kmonitor_conditions_visit(
			rcu_dereference(ns->kmonitor_conditions), &data,
			find_listing, &search);
	if (search.found)
		subject->cookie = READ_ONCE(search.found->cookie);
	return search.found;
}

static bool is_visible(const struct kmonitor *mon, struct task_struct *task)
{
	return kmonitor_may_see(&mon->filters.creator, task) &&
	       ptrace_may_access(task, PTRACE_MODE_READ_REALCREDS |
					       PTRACE_MODE_NOAUDIT);
}

/* Whether the FORK of a process has been appended, if it was new. */
static bool has_been_forked(const struct task_struct *leader)
{
	/* Set before it can be found; the task writes other bits as it likes. */
	bool new = data_race(!!leader->kmonitor_new);

	/* Pairs with the write barrier in report_fork(). */
	smp_rmb();
	return !new;
}

/* Lets a hook that is under way in the process come to its end. */
static enum step wait_for_hook(void)
{
	schedule_timeout_interruptible(1);
	return STEP_AGAIN;
}

static bool has_ended(const struct task_struct *leader)
{
	guard(rcu)();
	return kmonitor_process_ended(leader->signal);
}

/* Returns true if its last thread is between the exit hook and exit_notify(). */
static bool in_exit_hook(const struct task_struct *leader)
{
	const struct task_struct *thread;

	guard(rcu)();
	for_each_thread(leader, thread) {
		if (!READ_ONCE(thread->exit_state))
			return true;
	}
	return false;
}

/*
 * In the middle of an exec the program has changed, but not the credentials.  The
 * EXEC record will follow, at an unknown time.
 */
static void look_at_program(const struct kmonitor *mon, struct subject *subject)
{
	struct task_struct *leader = subject->leader;

	subject->exec_id = READ_ONCE(leader->self_exec_id);
	subject->program = (struct kmonitor_task){};
	/* Read the number before the program. */
	smp_rmb();
	kmonitor_task_program(leader, &subject->program);
	subject->args = mon->report & KMONITOR_REPORT_EXEC_ARGS ?
				kmonitor_args_of_task(leader) :
				NULL;
	/* An exec since then has changed the number, or holds the lock now. */
	if (down_read_trylock(&leader->signal->exec_update_lock)) {
		up_read(&leader->signal->exec_update_lock);
		return;
	}
	if (!IS_ERR(subject->args))
		kfree(subject->args);
	subject->args = ERR_PTR(-EAGAIN);
	subject->program = (struct kmonitor_task){};
}

/* Makes the record.  Returns the number of records that continue it. */
static u32 make_task_record(struct kmonitor *mon, const struct subject *subject,
			    struct kmonitor_event *event)
{
	const struct kmonitor_creator *creator = &mon->filters.creator;
	struct task_struct *leader = subject->leader;
	struct kmonitor_event_data data = {
		.type = KMONITOR_TASK,
		.task = leader,
		.snapshot = subject->program,
	};
	struct kmonitor_task *task = &data.snapshot;

	guard(rcu)();
	task->sid = task_session_nr_ns(leader, creator->pid_ns);
	task->pgid = task_pgrp_nr_ns(leader, creator->pid_ns);
	task->nr_threads = get_nr_threads(leader);
	task->token = mon->snapshot.token;
	task->pidfd_ino = subject->pid->ino;
	kmonitor_record_fill(event, &data, creator, subject->redacted);
	if (subject->redacted || !subject->args ||
	    !(mon->report & KMONITOR_REPORT_EXEC_ARGS))
		return 0;
	/* As for an exec, half of the ring at most. */
	return kmonitor_args_number(subject->args, event,
				    mon->ring.size / 2 - 1);
}

/* Returns false if the process has changed since it was looked at, or exited. */
static bool is_as_seen(const struct subject *subject)
{
	const struct task_struct *leader = subject->leader;

	return READ_ONCE(leader->self_exec_id) == subject->exec_id &&
	       rcu_access_pointer(leader->real_cred) == subject->cred &&
	       !kmonitor_process_ended(leader->signal);
}

/* Appends the records under siglock, which orders them. */
static enum step append_task(struct kmonitor *mon,
			     const struct subject *subject)
{
	enum kmonitor_wakeup wakeup = KMONITOR_WAKEUP_NONE;
	struct sighand_struct *sighand;
	enum step step = STEP_AGAIN;
	struct kmonitor_event event;
	struct kmonitor_group group = {
		.event = &event,
		.cookie = subject->cookie,
	};
	unsigned long flags;

	/* A leader that has been released may have left its id to a thread. */
	sighand = lock_task_sighand(subject->leader, &flags);
	if (!sighand)
		return STEP_AGAIN;
	if (is_as_seen(subject)) {
		group.nr_args = make_task_record(mon, subject, &event);
		if (group.nr_args)
			group.args = subject->args->part;
		step = kmonitor_ring_try_append(&mon->ring, &group, &wakeup) ?
			       STEP_ON :
			       STEP_STOP;
	}
	spin_unlock_irqrestore(&sighand->siglock, flags);

	kmonitor_wake_as_owed(mon, wakeup, false);
	return step;
}

/*
 * For a member that the creator or the caller may not see, the record has only
 * its identity, as FORK has.
 */
static enum step append_if_visible(struct kmonitor *mon,
				   struct subject *subject)
{
	enum step step = STEP_ON;

	/* get_cred() clears a plain field, as concurrent callers do. */
	subject->cred = data_race(get_task_cred(subject->leader));
	subject->redacted = !is_visible(mon, subject->leader);
	if (!subject->redacted || subject->member)
		step = append_task(mon, subject);
	put_cred(subject->cred);
	return step;
}

static enum step list_process(struct kmonitor *mon, struct subject *subject)
{
	struct task_struct *leader = subject->leader;
	enum step step;

	if (has_ended(leader))
		return in_exit_hook(leader) ? wait_for_hook() : STEP_ON;
	if (!match_process(mon, subject))
		return STEP_ON;
	if (!has_been_forked(leader))
		return wait_for_hook();
	/* Before the credentials are taken, so that an exec can't come between. */
	look_at_program(mon, subject);
	step = append_if_visible(mon, subject);
	if (!IS_ERR(subject->args))
		kfree(subject->args);
	return step;
}

/*
 * Lists processes until the ring is half full, or one can't be listed: a hook
 * may be held up for as long as its task gets no processor.  Returns true at the
 * end.
 */
static bool list_processes(struct kmonitor *mon)
{
	unsigned int tries = MAX_TRIES;
	struct subject subject;
	enum step step;

	while (get_next_process(mon, &subject)) {
		if (kmonitor_ring_room(&mon->ring) <= mon->ring.size / 2)
			step = STEP_STOP;
		else
			step = list_process(mon, &subject);
		put_process(&subject);
		if (step == STEP_STOP)
			return false;
		if (step == STEP_ON)
			mon->snapshot.next++;
		if (step == STEP_AGAIN && !--tries)
			return false;
		if (signal_pending(current))
			return false;
		cond_resched();
	}
	return true;
}

static bool append_end(struct kmonitor *mon)
{
	struct kmonitor_event event = {
		.type = KMONITOR_SNAPSHOT_END,
		.time_ns = ktime_get_boottime_ns(),
		.cpu = raw_smp_processor_id(),
		.task.token = mon->snapshot.token,
	};
	const struct kmonitor_group group = {
		.event = &event,
		.urgent = true,
	};
	enum kmonitor_wakeup wakeup;
	bool appended;

	appended = kmonitor_ring_try_append(&mon->ring, &group, &wakeup);
	kmonitor_wake_as_owed(mon, wakeup, false);
	return appended;
}

/* If the entry ends later, no further process is listed. */
static int start_snapshot(struct kmonitor *mon,
			  const struct kmonitor_snapshot *arg)
{
	struct kmonitor_entry *entry;

	if (arg->handle) {
		entry = kmonitor_filter_table_get(&mon->filters, arg->handle);
		if (!entry)
			return -ENOENT;
		kmonitor_entry_put(entry);
	}
	mon->snapshot.next = 1;
	mon->snapshot.handle = arg->handle;
	mon->snapshot.token = arg->token;
	return 0;
}

/**
 * kmonitor_snapshot - append a TASK record for each existing process
 * @mon: The descriptor.
 * @arg: The entry to list, or 0, and the token.
 *
 * A call with the token and handle of the snapshot in progress goes on with
 * it; any other starts anew.  No record is lost when the ring is full.
 *
 * Context: May sleep, but not for room in the ring, and for no more than
 *	%MAX_TRIES ticks for hooks that are under way.
 * Return: 0 if the snapshot is complete and SNAPSHOT_END is in the ring; 1 if
 *	there must be another call, after the ring was read or a signal handled;
 *	-EINVAL for nonzero reserved fields; -ENOENT if there is no such entry;
 *	-ERESTARTSYS.
 */
int kmonitor_snapshot(struct kmonitor *mon, const struct kmonitor_snapshot *arg)
{
	struct kmonitor_cursor *cursor = &mon->snapshot;
	int ret = 0;

	if (arg->reserved)
		return -EINVAL;
	if (mutex_lock_interruptible(&cursor->lock))
		return -ERESTARTSYS;
	if (!cursor->next || cursor->token != arg->token ||
	    cursor->handle != arg->handle)
		ret = start_snapshot(mon, arg);
	/* Full barriers on both sides: see kmonitor_snapshot_barrier(). */
	atomic_inc_return(&kmonitor_snapshots);
	if (!ret && list_processes(mon) && append_end(mon))
		cursor->next = 0;
	else if (!ret)
		ret = 1;
	atomic_dec_return(&kmonitor_snapshots);
	mutex_unlock(&cursor->lock);
	return ret;
}
