// SPDX-License-Identifier: GPL-2.0-only
/*
 * Edits of the filters of a descriptor: FILTER_ADD, FILTER_DEL, FILTER_CLEAR.
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "access.h"
#include "condition.h"
#include "empty.h"
#include "entry.h"
#include "filter.h"
#include "limits.h"
#include "mark.h"
#include "target.h"
#include "task_pid.h"

static void set_entry_events(struct kmonitor_entry *entry, u32 events)
{
	if (kmonitor_entry_is_condition(entry))
		kmonitor_condition_set_events(entry, events);
	else
		kmonitor_mark_set_events(entry, events);
}

/* Returns false if its exit has killed it and may not have discarded it yet. */
static bool remove_entry(struct kmonitor_entry *entry)
{
	if (!kmonitor_entry_kill(entry))
		return !list_empty(&entry->pending);
	if (kmonitor_entry_is_condition(entry))
		kmonitor_condition_del(entry);
	else
		kmonitor_mark_sweep_later();
	kmonitor_entry_discard(entry);
	return true;
}

/* IGNORE without events means all: suppressing nothing would be pointless. */
static u32 events_of_filter(const struct kmonitor_filter *arg)
{
	if (arg->flags & KMONITOR_FILTER_IGNORE && !arg->events)
		return KMONITOR_EVENTS;
	return arg->events;
}

static void set_entry_flags(struct kmonitor_entry *entry, u32 flags)
{
	WRITE_ONCE(entry->flags, flags & ~KMONITOR_FILTER_PIDFD);
	assign_bit(KMONITOR_ENTRY_PICKS, &entry->state,
		   entry->target == KMONITOR_TARGET_THREAD ||
			   flags & KMONITOR_FILTER_FAILED_ONLY);
	assign_bit(KMONITOR_ENTRY_IGNORES, &entry->state,
		   flags & KMONITOR_FILTER_IGNORE);
}

/* The flag stays until the entry ends.  The last caller to set it kills. */
static void set_killer(struct kmonitor_entry *entry,
		       const struct kmonitor_filter *arg)
{
	if (!(arg->flags & KMONITOR_FILTER_KILL_ON_CLOSE))
		return;
	entry->filters->kills_on_close = true;
	kmonitor_entry_put_killer(entry);
	/* get_cred() clears a plain field, as concurrent callers do. */
	entry->kill_cred = data_race(get_current_cred());
	entry->kill_ns = get_pid_ns(task_active_pid_ns(current));
}

/* Makes an entry, charges it to the calling user and puts it into the table. */
static struct kmonitor_entry *
create_entry(struct kmonitor_filter_table *filters, struct pid *pid,
	     u64 start_ns, const struct kmonitor_filter *arg)
{
	struct kmonitor_entry *entry;
	int ret;

	entry = kmonitor_entry_create(arg->target, pid, start_ns);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->ucounts = kmonitor_charge_filter();
	if (!entry->ucounts) {
		ret = -ENOSPC;
		goto err_put;
	}
	entry->filters = filters;
	entry->unprivileged = !filters->creator.sees_all;
	entry->owner = filters->creator.owner;
	set_entry_flags(entry, arg->flags);
	entry->may_want = events_of_filter(arg);
	/* A tree that may still fail to be added reports nothing until it is whole. */
	if (arg->target != KMONITOR_TARGET_TREE)
		entry->events = events_of_filter(arg);
	entry->cookie = arg->cookie;
	set_killer(entry, arg);
	ret = kmonitor_filter_table_add(filters, entry);
	if (ret)
		goto err_uncharge;
	if (kmonitor_target_names_end(entry->target))
		kmonitor_filter_table_check_always(filters,
						   filters->named_ends);
	return entry;

err_uncharge:
	kmonitor_uncharge_filter(entry->ucounts);
err_put:
	kmonitor_entry_put(entry);
	return ERR_PTR(ret);
}

/*
 * Writes the handle before anything is done, so that nothing must be undone if
 * it can't be written.
 */
static int put_handle(u64 handle, u64 __user *uhandle)
{
	int ret;

	pagefault_disable();
	ret = put_user(handle, uhandle);
	pagefault_enable();
	return ret;
}

/* Drops the reference to the entry. */
static int extend_entry(struct kmonitor_entry *entry,
			const struct kmonitor_filter *arg, u64 __user *uhandle)
{
	if (put_handle(entry->handle, uhandle)) {
		kmonitor_entry_put(entry);
		return -EFAULT;
	}
	set_entry_events(entry, entry->events | events_of_filter(arg));
	set_entry_flags(entry, (entry->flags & KMONITOR_FILTER_KILL_ON_CLOSE) |
				       arg->flags);
	WRITE_ONCE(entry->cookie, arg->cookie);
	set_killer(entry, arg);
	kmonitor_entry_put(entry);
	return 0;
}

/*
 * A thread that is exiting may be past its hook.  PF_EXITING precedes the
 * hook's full barrier, the swap of the marks precedes this test: if the hook
 * has not seen the entry, the test sees the flag.
 */
static bool thread_left(struct task_struct *task, struct kmonitor_entry *entry)
{
	return entry->target == KMONITOR_TARGET_THREAD &&
	       /* The task may be changing its other flags. */
	       data_race(READ_ONCE(task->flags)) & PF_EXITING &&
	       kmonitor_entry_alive(entry);
}

static int add_mark(struct kmonitor_filter_table *filters,
		    struct task_struct *task, struct pid *pid,
		    const struct kmonitor_filter *arg, u64 __user *uhandle)
{
	struct kmonitor_entry *entry;
	u64 start_ns = 0;
	bool alive;
	int ret;

	ret = kmonitor_may_add(&filters->creator, task);
	if (ret)
		return ret;

	rcu_read_lock();
	alive = kmonitor_task_alive(task);
	if (alive)
		start_ns = task->group_leader->start_boottime;
	rcu_read_unlock();
	if (!alive)
		return -ESRCH;

	entry = kmonitor_mark_find(task, arg->target, pid, filters,
				   arg->flags & KMONITOR_FILTER_IGNORE);
	if (entry)
		return extend_entry(entry, arg, uhandle);
	if (put_handle(filters->next_handle, uhandle))
		return -EFAULT;
	entry = create_entry(filters, pid, start_ns, arg);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	refcount_inc(&entry->refs);
	ret = kmonitor_mark_add(task, entry);
	if (!ret && thread_left(task, entry))
		ret = -ESRCH;
	if (ret)
		remove_entry(entry);
	else
		set_entry_events(entry, events_of_filter(arg));
	kmonitor_entry_leave(entry);
	return ret;
}

/* If a thread other than the leader execs, the pid moves to another task. */
static bool has_moved(struct pid *pid, u32 target, struct task_struct *task)
{
	struct task_struct *now = kmonitor_target_task(pid, target);

	if (now)
		put_task_struct(now);
	return now && now != task;
}

static int add_task(struct kmonitor_filter_table *filters,
		    const struct kmonitor_filter *arg, u64 __user *uhandle)
{
	struct task_struct *task;
	struct pid *pid;
	bool moved;
	int ret;

	pid = kmonitor_target_pid(&filters->creator, arg);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	do {
		task = kmonitor_target_task(pid, arg->target);
		if (!task) {
			ret = -ESRCH;
			break;
		}
		ret = add_mark(filters, task, pid, arg, uhandle);
		moved = ret == -ESRCH && has_moved(pid, arg->target, task);
		put_task_struct(task);
	} while (moved);
	put_pid(pid);
	return ret;
}

static int add_condition(struct kmonitor_filter_table *filters,
			 const struct kmonitor_filter *arg, u64 __user *uhandle)
{
	struct kmonitor_entry *entry;
	u64 id;
	int ret;

	ret = kmonitor_target_condition(&filters->creator, arg, &id) ?:
		      kmonitor_target_may_add(&filters->creator, arg, id);
	if (ret)
		return ret;
	entry = kmonitor_condition_find(filters, arg->target, id,
					arg->flags & KMONITOR_FILTER_IGNORE);
	if (entry)
		return extend_entry(entry, arg, uhandle);
	if (put_handle(filters->next_handle, uhandle))
		return -EFAULT;
	entry = create_entry(filters, NULL, 0, arg);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	entry->condition.target = arg->target;
	entry->condition.id = id;
	ret = kmonitor_condition_add(entry);
	if (ret)
		remove_entry(entry);
	return ret;
}

/* A filter named by its handle: the other fields are not used. */
static int check_handle(const struct kmonitor_filter *arg)
{
	if (arg->flags & ~KMONITOR_FILTER_FLAGS || arg->reserved ||
	    arg->reserved2)
		return -EINVAL;
	return 0;
}

static int check_filter(const struct kmonitor_filter *arg)
{
	const u32 contrary = KMONITOR_FILTER_IGNORE |
			     KMONITOR_FILTER_FAILED_ONLY;

	if (arg->target > KMONITOR_TARGET_ALL ||
	    arg->flags & ~KMONITOR_FILTER_FLAGS ||
	    arg->events & ~KMONITOR_EVENTS ||
	    (arg->flags & contrary) == contrary || arg->reserved ||
	    arg->reserved2)
		return -EINVAL;
	/* CGROUP in a kernel without cgroups. */
	if (!(BIT(arg->target) & KMONITOR_TARGETS))
		return -EOPNOTSUPP;
	if (arg->flags & KMONITOR_FILTER_KILL_ON_CLOSE &&
	    arg->target != KMONITOR_TARGET_TREE)
		return -EINVAL;
	return kmonitor_target_check(arg);
}

/**
 * kmonitor_filter_add - add a filter, or events to an existing one
 * @filters: The filters of the descriptor.
 * @arg: The filter.
 * @uhandle: Gets its handle.
 *
 * Context: May sleep.
 * Return: 0, -EFAULT if the page of @uhandle is not there now, -EINVAL,
 *	-EOPNOTSUPP, -EBADF, -ESRCH, -ESTALE, -EPERM, -ENOSPC or -ENOMEM as in
 *	ioctl_kmonitor(2).  After an error nothing has changed.
 */
int kmonitor_filter_add(struct kmonitor_filter_table *filters,
			const struct kmonitor_filter *arg, u64 __user *uhandle)
{
	int ret;

	ret = check_filter(arg);
	if (ret)
		return ret;
	if (arg->handle)
		return -EINVAL;

	guard(mutex)(&filters->lock);
	kmonitor_filter_table_settle(filters);
	if (arg->target > KMONITOR_TARGET_TREE)
		return add_condition(filters, arg, uhandle);
	return add_task(filters, arg, uhandle);
}

static struct kmonitor_entry *find_mark(struct kmonitor_filter_table *filters,
					const struct kmonitor_filter *arg)
{
	struct kmonitor_entry *entry = NULL;
	struct task_struct *task;
	struct pid *pid;

	pid = kmonitor_target_pid(&filters->creator, arg);
	if (IS_ERR(pid))
		return pid == ERR_PTR(-ESRCH) ? NULL : ERR_CAST(pid);
	task = kmonitor_target_task(pid, arg->target);
	if (task) {
		entry = kmonitor_mark_find(task, arg->target, pid, filters,
					   arg->flags & KMONITOR_FILTER_IGNORE);
		put_task_struct(task);
	}
	put_pid(pid);
	return entry;
}

static struct kmonitor_entry *find_entry(struct kmonitor_filter_table *filters,
					 const struct kmonitor_filter *arg)
{
	u64 id;
	int ret;

	if (arg->handle)
		return kmonitor_filter_table_get(filters, arg->handle);
	if (arg->target <= KMONITOR_TARGET_TREE)
		return find_mark(filters, arg);
	ret = kmonitor_target_condition(&filters->creator, arg, &id);
	if (ret)
		return ERR_PTR(ret);
	return kmonitor_condition_find(filters, arg->target, id,
				       arg->flags & KMONITOR_FILTER_IGNORE);
}

/**
 * kmonitor_filter_del - remove a filter, or events from one
 * @filters: The filters of the descriptor.
 * @arg: Names the filter by its handle; or, if that is 0, by target and id, with
 *	the events to clear.  Without its last event the filter is removed.
 *
 * Context: May sleep.
 * Return: 0, -EINVAL, -EOPNOTSUPP, -EBADF if the id should be a pidfd and is
 *	not, or -ENOENT if there is no such filter.
 */
int kmonitor_filter_del(struct kmonitor_filter_table *filters,
			const struct kmonitor_filter *arg)
{
	struct kmonitor_entry *entry;
	int ret;

	ret = arg->handle ? check_handle(arg) : check_filter(arg);
	if (ret)
		return ret;

	guard(mutex)(&filters->lock);
	kmonitor_filter_table_settle(filters);
	entry = find_entry(filters, arg);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	if (!entry)
		return -ENOENT;
	if (!arg->handle && !arg->events && entry->events)
		ret = -EINVAL;
	else if (!arg->handle && entry->events & ~arg->events)
		set_entry_events(entry, entry->events & ~arg->events);
	else
		remove_entry(entry);
	kmonitor_entry_put(entry);
	return ret;
}

/**
 * kmonitor_filter_clear - remove all filters
 * @filters: The filters of the descriptor.
 *
 * Context: May sleep.  Hooks may use the entries until a grace period has
 *	passed.
 */
void kmonitor_filter_clear(struct kmonitor_filter_table *filters)
{
	struct kmonitor_entry *entry;
	unsigned long handle = 0;
	bool ending = false;

	guard(mutex)(&filters->lock);
	while ((entry = kmonitor_filter_table_next(filters, &handle))) {
		ending |= !remove_entry(entry);
		kmonitor_entry_put(entry);
		handle++;
	}
	/* Exits discard their entries under RCU. */
	if (ending)
		synchronize_rcu();
}
