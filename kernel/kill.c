// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals to the members of an entry.
 *
 * One walk over all processes under the read-held tasklist_lock reaches every
 * member, as kill(-1) does: a fork publishes the child, which is a member from
 * then on, under the write-held lock.  With SIGKILL no child can appear later,
 * because fork() fails while SIGKILL is pending.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/signal.h>
#include <linux/uidgid.h>

#include "entry.h"
#include "kill.h"
#include "mark_set.h"

static bool is_member(struct task_struct *task,
		      const struct kmonitor_entry *entry)
{
	guard(rcu)();
	return kmonitor_mark_set_has(
		rcu_dereference(task->signal->kmonitor_marks), entry);
}

/* As pidfd_send_signal(2) has it, nobody signals out of its pid namespace. */
static int signal_member(struct task_struct *task, struct kernel_siginfo *info)
{
	if (!task_tgid_vnr(task))
		return -EPERM;
	return group_send_sig_info(info->si_signo, info, task, PIDTYPE_MAX);
}

static int signal_process(struct pid *pid, struct kernel_siginfo *info)
{
	if (!pid_vnr(pid))
		return -EPERM;
	return kill_pid_info(info->si_signo, info, pid);
}

static void count_result(struct kmonitor_kill *arg, int error)
{
	if (!error)
		arg->signalled++;
	else if (error != -ESRCH)
		arg->refused++;
}

/* A signal to several processes also reaches a child that is being forked. */
static void kill_tree(const struct kmonitor_entry *entry,
		      struct kernel_siginfo *info, struct kmonitor_kill *arg)
{
	struct task_struct *task;

	read_lock(&tasklist_lock);
	for_each_process(task) {
		if (is_member(task, entry))
			count_result(arg, signal_member(task, info));
	}
	read_unlock(&tasklist_lock);
}

/**
 * kmonitor_kill - send a signal to each member of a tree or to a process
 * @filters: The filters of the descriptor.
 * @arg: The handle and the signal; the numbers of processes are filled in.
 *
 * Permission is checked for each member with the credentials and the pid
 * namespace of the calling task, which is the sender, as in
 * pidfd_send_signal(2): a member outside that namespace refuses, and the init of
 * that namespace doesn't die of it.  The caller gets the signal too if it is a
 * member.  No child forked during or after the call survives a SIGKILL,
 * unless its parent is a member that was refused or ignores it.
 *
 * Context: May sleep.  Holds tasklist_lock for reading during a walk over all
 *	processes, as kill(-1) does.
 * Return: 0 also if every member was refused or none is left in this moment;
 *	-EINVAL for an invalid signal or another kind of entry; -ENOENT if
 *	there is no such entry, as after the end of the process or the tree.
 */
int kmonitor_kill(struct kmonitor_filter_table *filters,
		  struct kmonitor_kill *arg)
{
	struct kmonitor_entry *entry;
	struct kernel_siginfo info;
	int ret = 0;

	if (arg->reserved || !valid_signal(arg->signo))
		return -EINVAL;
	entry = kmonitor_filter_table_get(filters, arg->handle);
	if (!entry)
		return -ENOENT;

	clear_siginfo(&info);
	info.si_signo = arg->signo;
	info.si_code = SI_USER;
	info.si_pid = task_tgid_vnr(current);
	info.si_uid = from_kuid_munged(current_user_ns(), current_uid());

	if (entry->target == KMONITOR_TARGET_TREE)
		kill_tree(entry, &info, arg);
	else if (entry->target == KMONITOR_TARGET_PROCESS)
		count_result(arg, signal_process(entry->pid, &info));
	else
		ret = -EINVAL;
	kmonitor_entry_put(entry);
	return ret;
}

/*
 * A kill(2) from that pid namespace finds the task, and it dies: the init of the
 * namespace ignores SIGKILL from inside.
 */
static bool can_reach_task(struct pid_namespace *ns, struct task_struct *task)
{
	return task_tgid_nr_ns(task, ns) &&
	       !(task->signal->flags & SIGNAL_UNKILLABLE &&
		 task_active_pid_ns(task) == ns);
}

/* The permission check of kill(2), with the given credentials. */
static bool may_kill_task(const struct cred *cred, struct task_struct *task,
			  struct kernel_siginfo *info)
{
	const struct cred *other = __task_cred(task);

	return (uid_eq(cred->euid, other->suid) ||
		uid_eq(cred->euid, other->uid) ||
		uid_eq(cred->uid, other->suid) ||
		uid_eq(cred->uid, other->uid) ||
		!security_capable(cred, other->user_ns, CAP_KILL,
				  CAP_OPT_NONE)) &&
	       !security_task_kill(task, info, SIGKILL, cred);
}

static bool dies_on_close(const struct kmonitor_filter_table *filters,
			  struct task_struct *task, struct kernel_siginfo *info)
{
	const struct kmonitor_mark_set *set;
	const struct kmonitor_entry *entry;

	guard(rcu)();
	set = rcu_dereference(task->signal->kmonitor_marks);
	for (u32 i = 0; set && i < set->nr; i++) {
		entry = set->entries[i];
		if (kmonitor_entry_alive(entry) && entry->filters == filters &&
		    entry->kill_cred && can_reach_task(entry->kill_ns, task) &&
		    may_kill_task(entry->kill_cred, task, info))
			return true;
	}
	return false;
}

/**
 * kmonitor_kill_on_close - kill the members of trees with KILL_ON_CLOSE
 * @filters: The filters of a descriptor that is being closed.
 *
 * The kernel is the sender, so that it doesn't matter which task happens to drop
 * the last reference.  A member survives if the task that asked for it could
 * not have killed it: for lack of permission, because it is outside the pid
 * namespace of that task, or because it is the init of that.
 *
 * Context: May sleep.  Takes tasklist_lock for reading.
 */
void kmonitor_kill_on_close(struct kmonitor_filter_table *filters)
{
	struct kernel_siginfo info;
	struct task_struct *task;

	if (!filters->kills_on_close)
		return;

	clear_siginfo(&info);
	info.si_signo = SIGKILL;
	info.si_code = SI_KERNEL;

	read_lock(&tasklist_lock);
	for_each_process(task) {
		if (dies_on_close(filters, task, &info))
			do_send_sig_info(SIGKILL, &info, task, PIDTYPE_MAX);
	}
	read_unlock(&tasklist_lock);
}
