// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a task to a record.
 */

#include <linux/binfmts.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/mount.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>

#include "../../fs/mount.h"

#include "access.h"
#include "entry.h"
#include "record.h"

static u64 cgroup_id_of(struct task_struct *task)
{
#ifdef CONFIG_CGROUPS
	guard(rcu)();
	return cgroup_id(task_dfl_cgroup(task));
#else
	return 0;
#endif
}

static s32 parent_of(struct task_struct *task, struct pid_namespace *ns)
{
	guard(rcu)();
	return task_tgid_nr_ns(rcu_dereference(task->real_parent), ns);
}

static u64 start_of(const struct task_struct *task)
{
	return task->group_leader->start_boottime;
}

static u64 pidfd_ino_of(struct task_struct *task)
{
	return task_tgid(task)->ino;
}

static bool is_memfd(const struct file *file)
{
	return file->f_path.mnt->mnt_flags & MNT_INTERNAL &&
	       shmem_mapping(file->f_mapping) &&
	       strstarts(file->f_path.dentry->d_name.name, "memfd:");
}

static void fill_fork(struct kmonitor_fork *fork,
		      const struct kmonitor_source *source,
		      struct pid_namespace *ns, bool redacted)
{
	struct task_struct *child = source->fork.child;

	fork->pid = pid_nr_ns(task_pid(child), ns);
	fork->tgid = pid_nr_ns(task_tgid(child), ns);
	fork->start_ns = start_of(child);
	fork->clone_flags = source->fork.clone_flags;
	fork->cgroup_id = redacted ? 0 : cgroup_id_of(child);
	fork->ppid = parent_of(child, ns);
	fork->pidfd_ino = pidfd_ino_of(child);
}

static void fill_exec(struct kmonitor_exec *exec,
		      const struct kmonitor_source *source,
		      struct pid_namespace *ns)
{
	const struct linux_binprm *bprm = source->exec.bprm;
	const struct file *file = bprm->file;
	const struct inode *inode = file_inode(file);

	exec->old_pid =
		source->exec.old_pid ? pid_nr_ns(source->exec.old_pid, ns) : 0;
	if (bprm->secureexec)
		exec->flags |= KMONITOR_EXEC_SETID;
	if (bprm->interp != bprm->filename)
		exec->flags |= KMONITOR_EXEC_SCRIPT;
	if (is_memfd(file))
		exec->flags |= KMONITOR_EXEC_MEMFD;
	if (!inode->i_nlink)
		exec->flags |= KMONITOR_EXEC_UNLINKED;
	exec->dev_major = MAJOR(inode->i_sb->s_dev);
	exec->dev_minor = MINOR(inode->i_sb->s_dev);
	exec->ino = inode->i_ino;
	exec->nr_args = bprm->argc;
	exec->mnt_id = real_mount(file->f_path.mnt)->mnt_id_unique;
	exec->pidfd_ino = pidfd_ino_of(source->task);
}

/**
 * kmonitor_record_fill - make the record of an event
 * @event: Gets all but seq and cookie.
 * @source: What happened.
 * @creator: Whose namespaces the ids are of.
 * @redacted: Leave out what @creator may not see.
 *
 * Context: Under RCU; the current task is the subject, or the caller holds a
 *	reference to it.  Any but NMI.
 */
void kmonitor_record_fill(struct kmonitor_event *event,
			  const struct kmonitor_source *source,
			  const struct kmonitor_creator *creator, bool redacted)
{
	struct pid_namespace *ns = creator->pid_ns;
	struct task_struct *task = source->task;
	/* A process is its leader, whichever thread came last. */
	struct task_struct *subject = source->type == KMONITOR_PROCESS_EXIT ?
					      task->group_leader :
					      task;

	memset(event, 0, sizeof(*event));
	event->time_ns = ktime_get_boottime_ns();
	event->type = source->type;
	event->cpu = raw_smp_processor_id();
	event->pid = pid_nr_ns(task_pid(subject), ns);
	event->tgid = pid_nr_ns(task_tgid(task), ns);
	event->ppid = parent_of(task, ns);
	event->start_ns = start_of(task);
	if (redacted) {
		event->flags = KMONITOR_EVENT_REDACTED;
		event->uid = -1;
	} else {
		event->flags = source->flags;
		event->uid = from_kuid_munged(creator->cred->user_ns,
					      task_uid(subject));
		event->cgroup_id = cgroup_id_of(subject);
		strscpy(event->comm, subject->comm);
	}

	switch (source->type) {
	case KMONITOR_PROCESS_FORK:
	case KMONITOR_THREAD_CREATE:
		fill_fork(&event->fork, source, ns, redacted);
		break;
	case KMONITOR_PROCESS_EXEC:
		fill_exec(&event->exec, source, ns);
		break;
	case KMONITOR_PROCESS_EXIT:
	case KMONITOR_THREAD_EXIT:
		if (!redacted)
			event->exit = source->exit;
		break;
	case KMONITOR_TASK:
		event->task.token = source->snapshot.token;
		event->task.pidfd_ino = source->snapshot.pidfd_ino;
		if (!redacted)
			event->task = source->snapshot;
		break;
	}
}

/**
 * kmonitor_record_fill_empty - make the record of a tree's end
 * @event: Gets all but seq and cookie.
 * @entry: The tree.
 * @creator: Whose namespaces the ids are of.
 *
 * Context: Any but NMI.
 */
void kmonitor_record_fill_empty(struct kmonitor_event *event,
				const struct kmonitor_entry *entry,
				const struct kmonitor_creator *creator)
{
	const struct kmonitor_totals *totals = &entry->totals;

	memset(event, 0, sizeof(*event));
	event->time_ns = entry->empty_ns;
	event->type = KMONITOR_EMPTY;
	event->cpu = raw_smp_processor_id();
	event->pid = pid_nr_ns(entry->pid, creator->pid_ns);
	event->tgid = event->pid;
	event->uid = -1;
	event->start_ns = entry->start_ns;
	event->empty.root_status = READ_ONCE(totals->root_status);
	event->empty.flags = atomic_read(&totals->flags);
	event->empty.members = atomic_read(&totals->members);
	event->empty.failed = atomic_read(&totals->failed);
	event->empty.handle = entry->handle;
	event->empty.utime_ns = atomic64_read(&totals->utime_ns);
	event->empty.stime_ns = atomic64_read(&totals->stime_ns);
	event->empty.maxrss_kib = atomic64_read(&totals->maxrss_kib);
}

/* The peak of the process so far; of the mm that it has, if it still has one. */
static u64 maxrss_kib(const struct task_struct *task)
{
	unsigned long pages = READ_ONCE(task->signal->maxrss);

	if (task->mm)
		setmax_mm_hiwater_rss(&pages, task->mm);
	return (u64)pages << (PAGE_SHIFT - 10);
}

/**
 * kmonitor_thread_usage - the usage of a thread, as RUSAGE_THREAD
 * @task: The current task.
 * @exit: Gets the usage.
 *
 * Context: Process context.
 */
void kmonitor_thread_usage(struct task_struct *task, struct kmonitor_exit *exit)
{
	task_cputime_adjusted(task, &exit->utime_ns, &exit->stime_ns);
	exit->maxrss_kib = maxrss_kib(task);
	exit->min_flt = task->min_flt;
	exit->maj_flt = task->maj_flt;
}

static void count_faults(const struct signal_struct *sig,
			 struct kmonitor_exit *exit)
{
	const struct task_struct *thread;

	exit->min_flt = sig->min_flt;
	exit->maj_flt = sig->maj_flt;
	__for_each_thread(sig, thread) {
		exit->min_flt += thread->min_flt;
		exit->maj_flt += thread->maj_flt;
	}
}

/**
 * kmonitor_process_usage - the usage of a process, as RUSAGE_SELF
 * @task: The current task, its last thread.
 * @exit: Gets the usage.
 *
 * Threads on their way out move their counts into signal_struct under
 * stats_lock; a count taken meanwhile is taken again, under the lock.
 *
 * Context: Process context.
 */
void kmonitor_process_usage(struct task_struct *task,
			    struct kmonitor_exit *exit)
{
	struct signal_struct *sig = task->signal;
	unsigned long flags;
	unsigned int seq;

	thread_group_cputime_adjusted(task, &exit->utime_ns, &exit->stime_ns);
	exit->maxrss_kib = maxrss_kib(task);

	rcu_read_lock();
	seq = read_seqbegin(&sig->stats_lock);
	count_faults(sig, exit);
	if (read_seqretry(&sig->stats_lock, seq)) {
		read_seqlock_excl_irqsave(&sig->stats_lock, flags);
		count_faults(sig, exit);
		read_sequnlock_excl_irqrestore(&sig->stats_lock, flags);
	}
	rcu_read_unlock();
}

/**
 * kmonitor_task_program - the program that a process runs
 * @task: Any thread of it; the caller holds a reference.
 * @details: Gets device, inode and flags; untouched without a program.
 *
 * Context: May sleep.
 */
void kmonitor_task_program(struct task_struct *task,
			   struct kmonitor_task *details)
{
	struct task_struct *thread;
	const struct inode *inode;
	struct file *file = NULL;

	/* A leader that has left no longer has it. */
	rcu_read_lock();
	for_each_thread(task, thread) {
		file = get_task_exe_file(thread);
		if (file)
			break;
	}
	rcu_read_unlock();
	if (!file)
		return;
	inode = file_inode(file);
	details->dev_major = MAJOR(inode->i_sb->s_dev);
	details->dev_minor = MINOR(inode->i_sb->s_dev);
	details->ino = inode->i_ino;
	if (is_memfd(file))
		details->flags |= KMONITOR_EXEC_MEMFD;
	if (!inode->i_nlink)
		details->flags |= KMONITOR_EXEC_UNLINKED;
	fput(file);
}
