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
#include <linux/signal.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "../../fs/mount.h"

#include "access.h"
#include "entry.h"
#include "killer.h"
#include "record.h"

/* pid_nr_ns() without the call. */
static __always_inline s32 nr_of(const struct pid *pid,
				 const struct pid_namespace *ns)
{
	const struct upid *upid;

	/* All are visible there. */
	if (likely(ns == &init_pid_ns))
		return pid->numbers[0].nr;
	if (ns->level > pid->level)
		return 0;
	upid = &pid->numbers[ns->level];
	return likely(upid->ns == ns) ? upid->nr : 0;
}

/* A task that is being released has no pid. */
static __always_inline s32 nr_or_0(const struct pid *pid,
				   const struct pid_namespace *ns)
{
	return likely(pid) ? nr_of(pid, ns) : 0;
}

/* The initial namespace maps each id to itself. */
static __always_inline u32 uid_of(const struct task_struct *task,
				  struct user_namespace *ns)
{
	const kuid_t uid = __task_cred(task)->uid;

	if (likely(ns == &init_user_ns))
		return __kuid_val(uid);
	return from_kuid_munged(ns, uid);
}

static u64 cgroup_id_of(struct task_struct *task)
{
#ifdef CONFIG_CGROUPS
	return cgroup_id(task_dfl_cgroup(task));
#else
	return 0;
#endif
}

static __always_inline s32 parent_of(struct task_struct *task,
				     struct pid_namespace *ns)
{
	return nr_or_0(task_tgid(rcu_dereference(task->real_parent)), ns);
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

static __always_inline void fill_fork(struct kmonitor_fork *fork,
				      const struct kmonitor_source *source,
				      struct pid_namespace *ns, bool redacted)
{
	struct task_struct *child = source->fork.child;

	fork->pid = nr_of(task_pid(child), ns);
	fork->tgid = nr_of(task_tgid(child), ns);
	fork->start_ns = start_of(child);
	fork->clone_flags = source->fork.clone_flags;
	fork->cgroup_id = redacted ? 0 : cgroup_id_of(child);
	fork->ppid = parent_of(child, ns);
	fork->reserved = 0;
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

static void fill_exec_failed(struct kmonitor_exec_failed *failed,
			     const struct kmonitor_source *source)
{
	const struct file *file = source->exec_failed.file;

	failed->error = source->exec_failed.error;
	if (file) {
		failed->dev_major = MAJOR(file_inode(file)->i_sb->s_dev);
		failed->dev_minor = MINOR(file_inode(file)->i_sb->s_dev);
		failed->ino = file_inode(file)->i_ino;
	}
}

/* A sender that the creator's pid namespace can't see is unknown there. */
static void fill_abort(struct kmonitor_abort *abort,
		       const struct kmonitor_source *source,
		       const struct kmonitor_creator *creator)
{
	const struct kmonitor_killer *killer = source->abort.killer;

	abort->signo = source->abort.signo;
	if (sig_kernel_coredump(abort->signo))
		abort->flags |= KMONITOR_ABORT_CORE;
	if (killer) {
		abort->code = killer->code;
		abort->sender_pid = pid_nr_ns(killer->tgid, creator->pid_ns);
	}
	if (!killer || (killer->tgid && !abort->sender_pid)) {
		abort->flags |= KMONITOR_ABORT_SENDER_UNKNOWN;
	} else if (killer->tgid) {
		abort->sender_uid =
			from_kuid_munged(creator->cred->user_ns, killer->uid);
		abort->sender_start_ns = killer->start_ns;
	}
}

static void fill_ids(u32 uid[3], u32 gid[3], const struct cred *cred,
		     struct user_namespace *ns)
{
	uid[0] = from_kuid_munged(ns, cred->uid);
	uid[1] = from_kuid_munged(ns, cred->euid);
	uid[2] = from_kuid_munged(ns, cred->suid);
	gid[0] = from_kgid_munged(ns, cred->gid);
	gid[1] = from_kgid_munged(ns, cred->egid);
	gid[2] = from_kgid_munged(ns, cred->sgid);
}

static void fill_cred(struct kmonitor_cred *cred,
		      const struct kmonitor_source *source,
		      struct user_namespace *ns)
{
	fill_ids(cred->old_uid, cred->old_gid, source->cred.old, ns);
	fill_ids(cred->new_uid, cred->new_gid, source->cred.new, ns);
}

static void fill_sid(struct kmonitor_sid *session, struct task_struct *task,
		     struct pid_namespace *ns)
{
	session->sid = pid_nr_ns(task_session(task), ns);
	session->pgid = pid_nr_ns(task_pgrp(task), ns);
}

/* The peer is named only to those who may see it, too. */
static void fill_ptrace(struct kmonitor_ptrace *ptrace,
			const struct kmonitor_source *source,
			const struct kmonitor_creator *creator)
{
	struct task_struct *peer = source->ptrace.tracee;

	ptrace->op = source->ptrace.attached ? KMONITOR_PTRACE_ATTACH :
					       KMONITOR_PTRACE_DETACH;
	if (!kmonitor_may_see(creator, peer))
		return;
	ptrace->peer_pid = pid_nr_ns(task_pid(peer), creator->pid_ns);
	ptrace->peer_tgid = pid_nr_ns(task_tgid(peer), creator->pid_ns);
	if (ptrace->peer_tgid)
		ptrace->peer_start_ns = start_of(peer);
}

/* Padded, and changed as carelessly as it is read. */
static void copy_comm(char to[16], const char from[TASK_COMM_LEN])
{
	memcpy(to, from, TASK_COMM_LEN);
	to[TASK_COMM_LEN - 1] = 0;
}

/* What all records tell. */
static __always_inline void
fill_subject(struct kmonitor_event *event, const struct kmonitor_source *source,
	     struct task_struct *subject, struct pid_namespace *pid_ns,
	     struct user_namespace *user_ns, bool redacted)
{
	struct task_struct *task = source->task;

	/* It is in the ring, where others read, before the true one. */
	event->cookie = 0;
	event->type = source->type;
	event->cpu = raw_smp_processor_id();
	event->ppid = parent_of(task, pid_ns);
	event->start_ns = start_of(task);
	if (redacted) {
		event->flags = KMONITOR_EVENT_REDACTED;
		event->uid = -1;
		event->cgroup_id = 0;
		memset(event->comm, 0, sizeof(event->comm));
	} else {
		event->flags = source->flags;
		event->uid = uid_of(subject, user_ns);
		event->cgroup_id = cgroup_id_of(subject);
		copy_comm(event->comm, subject->comm);
	}
}

/**
 * kmonitor_record_fill_birth - make the record of a birth, as most want it
 * @event: Gets all but seq and cookie.
 * @source: A PROCESS_FORK or THREAD_CREATE, of the current task; with its time.
 *
 * For creators that see all, by the ids of the initial namespaces.
 *
 * Context: As of kmonitor_record_fill().
 */
void kmonitor_record_fill_birth(struct kmonitor_event *event,
				const struct kmonitor_source *source)
{
	struct task_struct *task = source->task;

	event->time_ns = source->time_ns;
	event->pid = nr_of(task_pid(task), &init_pid_ns);
	event->tgid = nr_of(task_tgid(task), &init_pid_ns);
	fill_subject(event, source, task, &init_pid_ns, &init_user_ns, false);
	fill_fork(&event->fork, source, &init_pid_ns, false);
}

/**
 * kmonitor_record_fill - make the record of an event
 * @event: Gets all but seq and cookie.
 * @source: What happened.
 * @creator: Whose namespaces the ids are of.
 * @redacted: Leave out what @creator may not see.
 *
 * Context: Under RCU, where the subject was alive, or with a reference to it; of
 *	an exit, the current task is the subject.  Any but NMI.
 */
void kmonitor_record_fill(struct kmonitor_event *event,
			  struct kmonitor_source *source,
			  const struct kmonitor_creator *creator, bool redacted)
{
	struct pid_namespace *ns = creator->pid_ns;
	struct task_struct *task = source->task;
	struct task_struct *subject = kmonitor_source_subject(source);

	event->time_ns = source->time_ns ?: ktime_get_boottime_ns();
	event->pid = nr_or_0(task_pid(subject), ns);
	event->tgid = nr_or_0(task_tgid(task), ns);
	fill_subject(event, source, subject, ns, creator->cred->user_ns,
		     redacted);

	if (source->type & (KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE)) {
		fill_fork(&event->fork, source, ns, redacted);
		return;
	}
	memset_startat(event, 0, fork);
	switch (source->type) {
	case KMONITOR_PROCESS_EXEC:
		fill_exec(&event->exec, source, ns);
		break;
	case KMONITOR_PROCESS_EXIT:
	case KMONITOR_THREAD_EXIT:
		if (!redacted) {
			kmonitor_take_usage(source);
			event->exit = source->exit;
		}
		break;
	case KMONITOR_EXEC_FAILED:
		fill_exec_failed(&event->exec_failed, source);
		break;
	case KMONITOR_PROCESS_ABORT:
	case KMONITOR_THREAD_ABORT:
	case KMONITOR_COREDUMP:
		fill_abort(&event->abort, source, creator);
		break;
	case KMONITOR_CRED:
		fill_cred(&event->cred, source, creator->cred->user_ns);
		break;
	case KMONITOR_COMM:
		strscpy(event->comm_change.old_comm, source->comm.old);
		break;
	case KMONITOR_SID:
		fill_sid(&event->session, task, ns);
		break;
	case KMONITOR_PTRACE:
		fill_ptrace(&event->ptrace, source, creator);
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

static void thread_usage(struct task_struct *task, struct kmonitor_exit *exit)
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

/*
 * Threads on their way out move their counts into signal_struct under
 * stats_lock; a count taken meanwhile is taken again, under the lock.
 */
static void process_usage(struct task_struct *task, struct kmonitor_exit *exit)
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
		/* It reads flags that their task may be changing. */
		file = data_race(get_task_exe_file(thread));
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

/**
 * kmonitor_take_usage - take the usage of a thread or process that ends, once
 * @source: The exit.  RUSAGE_THREAD of THREAD_EXIT; RUSAGE_SELF of PROCESS_EXIT,
 *	in the last thread.
 *
 * Context: Process context of the subject.
 */
void kmonitor_take_usage(struct kmonitor_source *source)
{
	if (source->has_usage)
		return;
	source->has_usage = true;
	if (source->type == KMONITOR_PROCESS_EXIT)
		process_usage(source->task, &source->exit);
	else
		thread_usage(source->task, &source->exit);
}
