// SPDX-License-Identifier: GPL-2.0-only
/*
 * Permission to see a task: that of a ptrace read access, with the credentials of
 * the creator of the descriptor, regardless of its holder.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/user_namespace.h>

#include "access.h"

static bool creator_capable(const struct kmonitor_creator *creator,
			    struct user_namespace *ns)
{
	return !security_capable(creator->cred, ns, CAP_SYS_PTRACE,
				 CAP_OPT_NOAUDIT);
}

/*
 * Asks the security modules, including the rule that the task has no capability
 * that the creator lacks.  They look at current_cred().
 */
static bool modules_allow(const struct kmonitor_creator *creator,
			  struct task_struct *task)
{
	const struct cred *own = override_creds(creator->cred);
	unsigned long flags = current->flags;
	int ret;

	ret = security_ptrace_access_check(task, PTRACE_MODE_READ_REALCREDS |
							 PTRACE_MODE_NOAUDIT);
	/* It is not the current task that has used a privilege. */
	current_restore_flags(flags, PF_SUPERPRIV);
	revert_creds(own);
	return !ret;
}

static kuid_t find_owner(const struct cred *cred)
{
	const struct user_namespace *ns;
	kuid_t owner = cred->uid;

	for (ns = cred->user_ns; ns != &init_user_ns; ns = ns->parent)
		owner = ns->owner;
	return owner;
}

/**
 * kmonitor_creator_init - record the calling task as creator
 * @creator: Takes references that kmonitor_creator_destroy() drops.
 *
 * If the security modules let it see the kernel's first task, which is
 * unconfined, they are not asked about other tasks.
 *
 * Context: Process context.
 */
void kmonitor_creator_init(struct kmonitor_creator *creator)
{
	/* get_cred() clears a plain field, as concurrent callers do. */
	creator->cred = data_race(get_current_cred());
	creator->pid_ns = get_pid_ns(task_active_pid_ns(current));
	creator->owner = find_owner(creator->cred);
	creator->sees_all = creator_capable(creator, &init_user_ns) &&
			    modules_allow(creator, &init_task);
	creator->plain = creator->sees_all && creator->pid_ns == &init_pid_ns &&
			 creator->cred->user_ns == &init_user_ns;
}

/**
 * kmonitor_creator_destroy - drop the references to the creator
 * @creator: From kmonitor_creator_init().
 *
 * Context: Any.
 */
void kmonitor_creator_destroy(struct kmonitor_creator *creator)
{
	put_pid_ns(creator->pid_ns);
	put_cred(creator->cred);
}

static bool is_exposed_mm(const struct kmonitor_creator *creator,
			  struct mm_struct *mm)
{
	return get_dumpable(mm) == SUID_DUMP_USER ||
	       creator_capable(creator, mm->user_ns);
}

/*
 * What task_still_dumpable() asks for ptrace.  A task without mm is past
 * exit_mm(): another thread may still have it, or exit_mm() has kept the answer;
 * a kernel where it doesn't lets ptrace see a task without mm, and so do we.
 * Where ptrace then wants a capability in the initial user namespace, one in
 * that of the credentials will do: nothing else is left of the task, and the
 * owner of a container is to see its services end.  The mm of another task needs
 * task_lock() to stay.  The caller holds the RCU read lock.
 */
static bool is_exposed(const struct kmonitor_creator *creator,
		       struct task_struct *task, const struct cred *cred)
{
	struct task_struct *thread;
	int exposed = -1;

	if (task == current && task->mm)
		return is_exposed_mm(creator, task->mm);
	if (task != current) {
		for_each_thread(task, thread) {
			task_lock(thread);
			if (thread->mm)
				exposed = is_exposed_mm(creator, thread->mm);
			task_unlock(thread);
			if (exposed >= 0)
				return exposed;
		}
	}
#ifdef KMONITOR_NO_USER_DUMPABLE
	return true;
#else
	return task->user_dumpable || creator_capable(creator, cred->user_ns);
#endif
}

static bool has_same_ids(const struct cred *creator, const struct cred *task)
{
	return uid_eq(creator->uid, task->euid) &&
	       uid_eq(creator->uid, task->suid) &&
	       uid_eq(creator->uid, task->uid) &&
	       gid_eq(creator->gid, task->egid) &&
	       gid_eq(creator->gid, task->sgid) &&
	       gid_eq(creator->gid, task->gid);
}

/* Slow path of kmonitor_may_see(). */
bool __kmonitor_may_see(const struct kmonitor_creator *creator,
			struct task_struct *task)
{
	const struct cred *cred;

	guard(rcu)();
	cred = __task_cred(task);
	if (!has_same_ids(creator->cred, cred) &&
	    !creator_capable(creator, cred->user_ns))
		return false;
	/* Pairs with the write barrier in commit_creds() */
	smp_rmb();
	return is_exposed(creator, task, cred) && modules_allow(creator, task);
}

/**
 * kmonitor_may_add - check whether a filter may name this task
 * @creator: The creator.
 * @task: The task; the caller holds a reference.
 *
 * Context: Process context of the caller of FILTER_ADD.
 * Return: 0, or -EPERM if the creator or the caller is not entitled to it.
 */
int kmonitor_may_add(const struct kmonitor_creator *creator,
		     struct task_struct *task)
{
	if (!ptrace_may_access(task, PTRACE_MODE_READ_REALCREDS))
		return -EPERM;
	return kmonitor_may_see(creator, task) ? 0 : -EPERM;
}

/**
 * kmonitor_may_add_all - check whether a filter may select every task
 * @creator: The creator.
 *
 * Context: Process context of the caller of FILTER_ADD.
 * Return: 0, or -EPERM if the creator or the caller lacks CAP_SYS_PTRACE in
 *	the creator's user namespace or in the one that owns its pid namespace,
 *	or a security module keeps it from seeing the init of that.
 */
int kmonitor_may_add_all(const struct kmonitor_creator *creator)
{
	struct user_namespace *own = creator->cred->user_ns;
	struct user_namespace *owner = creator->pid_ns->user_ns;
	struct task_struct *init;
	int ret;

	if (!creator_capable(creator, own) ||
	    !creator_capable(creator, owner) ||
	    !ns_capable(own, CAP_SYS_PTRACE) ||
	    !ns_capable(owner, CAP_SYS_PTRACE))
		return -EPERM;

	rcu_read_lock();
	init = find_task_by_pid_ns(1, creator->pid_ns);
	if (init)
		get_task_struct(init);
	rcu_read_unlock();
	if (!init)
		return -EPERM;
	ret = kmonitor_may_add(creator, init);
	put_task_struct(init);
	return ret;
}
