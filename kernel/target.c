// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the id of a filter to the object that it names.
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/uidgid.h>

#include "access.h"
#include "cgroup.h"
#include "target.h"

static bool is_condition(u32 target)
{
	return target > KMONITOR_TARGET_TREE;
}

/**
 * kmonitor_target_check - check that target, id and flags go together
 * @arg: The filter; its target is one of &enum kmonitor_target.
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int kmonitor_target_check(const struct kmonitor_filter *arg)
{
	if (is_condition(arg->target) && arg->flags & KMONITOR_FILTER_PIDFD)
		return -EINVAL;
	switch (arg->target) {
	case KMONITOR_TARGET_CGROUP:
		return 0;
	case KMONITOR_TARGET_UID:
		return arg->id > U32_MAX ? -EINVAL : 0;
	case KMONITOR_TARGET_ALL:
		return arg->id ? -EINVAL : 0;
	default:
		return arg->id > INT_MAX ? -EINVAL : 0;
	}
}

/**
 * kmonitor_target_pid - find the process or thread that an id names
 * @creator: The creator, whose pid namespace the id belongs to.
 * @arg: The filter, of THREAD, PROCESS or TREE.
 *
 * An id of 0 is the caller, if it is visible in that namespace.
 *
 * Context: May sleep.
 * Return: The pid with a reference; -ESRCH if no visible one has that id;
 *	-EBADF if the id should be a pidfd and is not.
 */
struct pid *kmonitor_target_pid(const struct kmonitor_creator *creator,
				const struct kmonitor_filter *arg)
{
	struct pid *pid;
	unsigned int flags;

	if (arg->flags & KMONITOR_FILTER_PIDFD) {
		pid = pidfd_get_pid(arg->id, &flags);
		if (IS_ERR(pid))
			return ERR_PTR(-EBADF);
	} else if (arg->id) {
		rcu_read_lock();
		pid = get_pid(find_pid_ns(arg->id, creator->pid_ns));
		rcu_read_unlock();
	} else if (arg->target == KMONITOR_TARGET_THREAD) {
		pid = get_pid(task_pid(current));
	} else {
		pid = get_pid(task_tgid(current));
	}
	if (pid && pid_nr_ns(pid, creator->pid_ns))
		return pid;
	put_pid(pid);
	return ERR_PTR(-ESRCH);
}

/**
 * kmonitor_target_task - find the task that has a pid now
 * @pid: From kmonitor_target_pid().
 * @target: THREAD, PROCESS or TREE.
 *
 * Context: Any.
 * Return: The task with a reference, or NULL.
 */
struct task_struct *kmonitor_target_task(struct pid *pid, u32 target)
{
	return get_pid_task(pid, target == KMONITOR_TARGET_THREAD ?
					 PIDTYPE_PID :
					 PIDTYPE_TGID);
}

/**
 * kmonitor_target_condition - convert the id of a condition to that of the kernel
 * @creator: The creator, whose user namespace a user id belongs to.
 * @arg: The filter, of CGROUP, UID or ALL.
 * @id: Set to a cgroup id, a kernel user id, or 0.
 *
 * Context: Any.
 * Return: 0, or -EINVAL if there is no such user.
 */
int kmonitor_target_condition(const struct kmonitor_creator *creator,
			      const struct kmonitor_filter *arg, u64 *id)
{
	kuid_t uid;

	*id = arg->id;
	if (arg->target == KMONITOR_TARGET_UID) {
		uid = make_kuid(creator->cred->user_ns, arg->id);
		if (!uid_valid(uid))
			return -EINVAL;
		*id = __kuid_val(uid);
	}
	return 0;
}

/**
 * kmonitor_target_may_add - check whether a filter may have a condition
 * @creator: The creator.
 * @arg: The filter, of CGROUP, UID or ALL.
 * @id: From kmonitor_target_condition().
 *
 * Context: Process context of the caller of FILTER_ADD.
 * Return: 0; -EPERM if creator or caller is not entitled to it; -ESTALE if
 *	the caller's cgroup namespace has no such cgroup.
 */
int kmonitor_target_may_add(const struct kmonitor_creator *creator,
			    const struct kmonitor_filter *arg, u64 id)
{
	kuid_t uid = KUIDT_INIT(id);
	struct cgroup *cgroup;
	int ret;

	if (arg->target == KMONITOR_TARGET_UID &&
	    uid_eq(uid, creator->cred->uid) && uid_eq(uid, current_uid()))
		return 0;
	ret = kmonitor_may_add_all(creator);
	if (ret || arg->target != KMONITOR_TARGET_CGROUP)
		return ret;
	cgroup = kmonitor_cgroup_get(id);
	if (IS_ERR(cgroup))
		return PTR_ERR(cgroup);
	kmonitor_cgroup_put(cgroup);
	return 0;
}
