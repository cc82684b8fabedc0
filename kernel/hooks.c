// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks in fork, exec and exit.
 */

#include <linux/jump_label_ratelimit.h>
#include <linux/kmonitor.h>
#include <linux/oom.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "access.h"
#include "debug.h"
#include "emit.h"
#include "entry.h"
#include "event_data.h"
#include "hooks.h"
#include "hooks_signal.h"
#include "mark.h"
#include "snapshot.h"
#include "usage.h"

/*
 * On while a descriptor is open, and for up to a second longer: switching
 * patches the text of the kernel, which no user may cause at will.
 */
DEFINE_STATIC_KEY_DEFERRED_FALSE(kmonitor_key, HZ);

/**
 * kmonitor_hooks_get - turn the hooks on for one more descriptor
 *
 * Context: May sleep.
 */
void kmonitor_hooks_get(void)
{
	static_branch_inc(&kmonitor_key.key);
}

/**
 * kmonitor_hooks_put - turn the hooks off a second after the last descriptor
 *
 * Context: May sleep.
 */
void kmonitor_hooks_put(void)
{
	static_branch_slow_dec_deferred(&kmonitor_key);
}

static const struct kmonitor_mark_set *marks_of(const struct task_struct *task)
{
	return rcu_dereference(task->signal->kmonitor_marks);
}

static u16 worker_flag(const struct task_struct *task)
{
	return task->flags & (PF_IO_WORKER | PF_USER_WORKER) ?
		       KMONITOR_EVENT_WORKER :
		       0;
}

static u16 oom_flag(const struct signal_struct *sig)
{
	return READ_ONCE(sig->oom_mm) ? KMONITOR_EVENT_OOM : 0;
}

void __kmonitor_inherit(struct task_struct *child)
{
	kmonitor_mark_inherit(current->signal, child->signal);
}

/*
 * What the hooks of fork and exit call is out of line, so that a task that no
 * filter selects pays for no stack frame.
 */

static noinline void report_fork(struct task_struct *child, u64 clone_flags,
				 u32 type)
{
	/* Members for other events are never read. */
	struct kmonitor_event_data data __uninitialized;

	data.type = type;
	data.flags = worker_flag(child);
	data.task = current;
	data.time_ns = child->start_boottime;
	data.fork.child = child;
	data.fork.clone_flags = clone_flags;
	kmonitor_enter();
	kmonitor_emit_fork(&data, marks_of(current));
	kmonitor_leave();
	/* FORK, then kmonitor_fork()'s bit; pairs with has_been_forked(). */
	smp_wmb();
}

static noinline void report_fork_by_ids(struct task_struct *child,
					u64 clone_flags, u32 type)
{
	if (kmonitor_fork_id_may_match(child, type))
		report_fork(child, clone_flags, type);
}

void __kmonitor_fork(struct task_struct *child, u64 clone_flags)
{
	u32 type = clone_flags & CLONE_THREAD ? KMONITOR_THREAD_CREATE :
						KMONITOR_PROCESS_FORK;
	enum kmonitor_interest interest;

	might_sleep();
	/*
	 * The child may join a pid namespace.  The tasks of fork_idle() are not
	 * processes; they are made before anybody can have a descriptor.
	 */
	interest = kmonitor_interest_in(current->signal, task_pid(child), type);
	if (interest == KMONITOR_INTEREST)
		report_fork(child, clone_flags, type);
	else if (unlikely(interest == KMONITOR_INTEREST_IN_IDS))
		report_fork_by_ids(child, clone_flags, type);
}

/* Thread entries end with the tid that they name: this one, or all others. */
static void retire_threads(const struct kmonitor_mark_set *set,
			   const struct pid *pid, bool this)
{
	for (u32 i = 0; set && i < set->nr; i++) {
		struct kmonitor_entry *entry = set->entries[i];
		bool named = entry->pid == pid;

		if (entry->target == KMONITOR_TARGET_THREAD && named == this)
			kmonitor_mark_retire(entry);
	}
}

static noinline void report_exec(struct linux_binprm *bprm, struct pid *old_pid)
{
	struct kmonitor_event_data data = {
		.type = KMONITOR_PROCESS_EXEC,
		.task = current,
		.exec.bprm = bprm,
		.exec.old_pid = old_pid,
	};

	/*
	 * Full barrier between the change of self_exec_id and the test for
	 * snapshots, see kmonitor_snapshot_barrier().
	 */
	smp_mb();
	kmonitor_snapshot_barrier();

	kmonitor_enter();
	kmonitor_emit(&data, marks_of(current));
	/* One thread is left. */
	retire_threads(marks_of(current), task_pid(current), false);
	kmonitor_leave();
	kfree(data.exec.args);
}

void __kmonitor_exec(struct linux_binprm *bprm, struct pid *old_pid)
{
	might_sleep();
	if (kmonitor_may_match(current, KMONITOR_PROCESS_EXEC))
		report_exec(bprm, old_pid);
}

static noinline void report_thread_exit(struct task_struct *task, long code,
					bool last)
{
	struct kmonitor_event_data data = {
		.type = KMONITOR_THREAD_EXIT,
		.task = task,
	};

	kmonitor_report_aborts(task, code);
	data.flags = worker_flag(task);
	if (last)
		data.flags |= KMONITOR_EVENT_LAST_THREAD;
	data.exit.status = code;

	kmonitor_enter();
	kmonitor_emit(&data, marks_of(task));
	retire_threads(marks_of(task), task_pid(task), true);
	kmonitor_leave();
}

#define THREAD_EXIT_TYPES \
	(KMONITOR_THREAD_EXIT | KMONITOR_THREAD_ABORT | KMONITOR_PROCESS_ABORT)

/* The leader is the subject of what is about the process. */
static noinline void report_thread_exit_by_ids(struct task_struct *task,
					       long code, bool last)
{
	if (kmonitor_id_may_match(task, THREAD_EXIT_TYPES) ||
	    (task != task->group_leader &&
	     kmonitor_id_may_match(task->group_leader, KMONITOR_PROCESS_ABORT)))
		report_thread_exit(task, code, last);
}

void __kmonitor_thread_exit(struct task_struct *task, long code, bool last)
{
	enum kmonitor_interest interest;

	might_sleep();
	kmonitor_debug_exit();
	interest = kmonitor_interest_in(task->signal, task_pid(task),
					THREAD_EXIT_TYPES);
	if (interest == KMONITOR_INTEREST)
		report_thread_exit(task, code, last);
	else if (unlikely(interest == KMONITOR_INTEREST_IN_IDS))
		report_thread_exit_by_ids(task, code, last);
}

/* A tree counts all its members, and adds up the usage its creator may see. */
static void account_exit(const struct kmonitor_mark_set *set,
			 struct kmonitor_event_data *data)
{
	static const struct kmonitor_exit nothing;

	for (u32 i = 0; i < set->nr; i++) {
		struct kmonitor_entry *entry = set->entries[i];
		bool seen;

		if (!kmonitor_entry_alive(entry))
			continue;
		if (entry->target != KMONITOR_TARGET_TREE) {
			kmonitor_mark_retire(entry);
			continue;
		}
		seen = kmonitor_may_see(&entry->filters->creator, data->task);
		if (seen)
			kmonitor_take_usage(data);
		kmonitor_entry_account(entry, task_tgid(data->task),
				       seen ? &data->exit : &nothing,
				       seen && data->flags &
						       KMONITOR_EVENT_OOM);
	}
}

static bool is_last(struct task_struct *task)
{
	/* One that is released meanwhile has come to this hook, too. */
	if (data_race(get_nr_threads(task)) == 1)
		return true;
	guard(rcu)();
	return kmonitor_process_ended(task->signal);
}

static noinline void report_process_exit(struct task_struct *task)
{
	struct kmonitor_event_data data = {
		.type = KMONITOR_PROCESS_EXIT,
		.task = task,
	};
	struct kmonitor_mark_set *set;

	if (!is_last(task) || !kmonitor_mark_claim(task->signal, &set))
		return;
	/* After the full barrier of the exchange. */
	kmonitor_snapshot_barrier();
	data.flags = oom_flag(task->signal);
	data.exit.status = task->signal->group_exit_code;

	kmonitor_enter();
	kmonitor_emit(&data, set);
	if (set)
		account_exit(set, &data);
	kmonitor_leave();
	kmonitor_mark_put(set);
}

static noinline void report_process_exit_by_ids(struct task_struct *task)
{
	if (kmonitor_id_may_match(task->group_leader, KMONITOR_PROCESS_EXIT))
		report_process_exit(task);
}

void __kmonitor_process_exit(struct task_struct *task)
{
	enum kmonitor_interest interest;

	might_sleep();
	/* Its bit, then those of others and the marks; see mark.c. */
	smp_mb();
	/* A thread that is still to decrement it comes here later. */
	if (atomic_read(&task->signal->live))
		return;
	interest = kmonitor_interest_in(task->signal, task_pid(task),
					KMONITOR_PROCESS_EXIT);
	if (interest == KMONITOR_INTEREST)
		report_process_exit(task);
	else if (unlikely(interest == KMONITOR_INTEREST_IN_IDS))
		report_process_exit_by_ids(task);
}

void __kmonitor_free_signal(struct signal_struct *sig)
{
	struct kmonitor_mark_set *set;

	if (kmonitor_mark_claim(sig, &set))
		kmonitor_mark_put(set);
}
