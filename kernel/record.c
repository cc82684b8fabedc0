// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a task to a record.
 */

#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/mount.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "access.h"
#include "cgroup.h"
#include "event_data.h"
#include "record.h"
#include "sender.h"
#include "task_pid.h"
#include "usage.h"

/* pid_nr_ns(), inlined. */
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

static __always_inline s32 parent_of(struct task_struct *task,
				     struct pid_namespace *ns)
{
	return nr_or_0(kmonitor_task_tgid(rcu_dereference(task->real_parent)),
		       ns);
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
				      const struct kmonitor_event_data *data,
				      struct pid_namespace *ns, bool redacted)
{
	struct task_struct *child = data->fork.child;

	fork->pid = nr_of(task_pid(child), ns);
	fork->tgid = nr_of(task_tgid(child), ns);
	fork->start_ns = start_of(child);
	fork->clone_flags = data->fork.clone_flags;
	fork->cgroup_id = redacted ? 0 : kmonitor_task_cgroup_id(child);
	fork->ppid = parent_of(child, ns);
	fork->reserved = 0;
	fork->pidfd_ino = pidfd_ino_of(child);
}

static void fill_exec(struct kmonitor_exec *exec,
		      const struct kmonitor_event_data *data,
		      struct pid_namespace *ns)
{
	const struct linux_binprm *bprm = data->exec.bprm;
	const struct file *file = bprm->file;
	const struct inode *inode = file_inode(file);

	exec->old_pid = data->exec.old_pid ? pid_nr_ns(data->exec.old_pid, ns) :
					     0;
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
	exec->mnt_id = mnt_unique_id(file->f_path.mnt);
	exec->pidfd_ino = pidfd_ino_of(data->task);
}

static void fill_exec_failed(struct kmonitor_exec_failed *failed,
			     const struct kmonitor_event_data *data)
{
	const struct file *file = data->exec_failed.file;

	failed->error = data->exec_failed.error;
	if (file) {
		failed->dev_major = MAJOR(file_inode(file)->i_sb->s_dev);
		failed->dev_minor = MINOR(file_inode(file)->i_sb->s_dev);
		failed->ino = file_inode(file)->i_ino;
	}
}

/* A sender that has ended can't be asked for: then its user counts. */
static bool may_see_sender(const struct kmonitor_creator *creator,
			   const struct kmonitor_sender *sender)
{
	struct task_struct *task;

	guard(rcu)();
	task = pid_task(sender->tgid, PIDTYPE_TGID);
	if (task)
		return kmonitor_may_see(creator, task);
	return creator->sees_all || uid_eq(creator->cred->uid, sender->uid);
}

/*
 * A sender outside the creator's pid namespace is reported as unknown.  Its pid
 * and user are what a handler in the process would learn by siginfo; what is
 * not in there needs permission.
 */
static void fill_abort(struct kmonitor_abort *abort,
		       const struct kmonitor_event_data *data,
		       const struct kmonitor_creator *creator)
{
	const struct kmonitor_sender *sender = data->abort.sender;

	abort->signo = data->abort.signo;
	if (sig_kernel_coredump(abort->signo))
		abort->flags |= KMONITOR_ABORT_CORE;
	if (sender) {
		abort->code = sender->code;
		abort->sender_pid = pid_nr_ns(sender->tgid, creator->pid_ns);
	}
	if (!sender || (sender->tgid && !abort->sender_pid)) {
		abort->flags |= KMONITOR_ABORT_SENDER_UNKNOWN;
	} else if (sender->tgid) {
		abort->sender_uid =
			from_kuid_munged(creator->cred->user_ns, sender->uid);
		if (may_see_sender(creator, sender))
			abort->sender_start_ns = sender->start_ns;
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
		      const struct kmonitor_event_data *data,
		      struct user_namespace *ns)
{
	fill_ids(cred->old_uid, cred->old_gid, data->cred.old, ns);
	fill_ids(cred->new_uid, cred->new_gid, data->cred.new, ns);
}

static void fill_sid(struct kmonitor_sid *session, struct task_struct *task,
		     struct pid_namespace *ns)
{
	session->sid = pid_nr_ns(task_session(task), ns);
	session->pgid = pid_nr_ns(task_pgrp(task), ns);
}

/* The peer is named only to creators that may see it. */
static void fill_ptrace(struct kmonitor_ptrace *ptrace,
			const struct kmonitor_event_data *data,
			const struct kmonitor_creator *creator)
{
	struct task_struct *peer = data->ptrace.tracee;

	ptrace->op = data->ptrace.attached ? KMONITOR_PTRACE_ATTACH :
					     KMONITOR_PTRACE_DETACH;
	if (!kmonitor_may_see(creator, peer))
		return;
	ptrace->peer_pid = pid_nr_ns(kmonitor_task_pid(peer), creator->pid_ns);
	ptrace->peer_tgid =
		pid_nr_ns(kmonitor_task_tgid(peer), creator->pid_ns);
	if (ptrace->peer_tgid)
		ptrace->peer_start_ns = start_of(peer);
}

/* comm may change under us; copy it without a lock and force NUL termination. */
static void copy_comm(char to[16], const char from[TASK_COMM_LEN])
{
	memcpy(to, from, TASK_COMM_LEN);
	to[TASK_COMM_LEN - 1] = 0;
}

/* Fills in the fields that all records have. */
static __always_inline void fill_subject(struct kmonitor_event *event,
					 const struct kmonitor_event_data *data,
					 struct task_struct *subject,
					 struct pid_namespace *pid_ns,
					 struct user_namespace *user_ns,
					 bool redacted)
{
	struct task_struct *task = data->task;

	/* The slot is visible to mmap readers before the real one is written. */
	event->cookie = 0;
	event->type = data->type;
	event->cpu = raw_smp_processor_id();
	event->ppid = parent_of(task, pid_ns);
	event->start_ns = start_of(task);
	if (redacted) {
		event->flags = KMONITOR_EVENT_REDACTED;
		event->uid = -1;
		event->cgroup_id = 0;
		memset(event->comm, 0, sizeof(event->comm));
	} else {
		event->flags = data->flags;
		event->uid = uid_of(subject, user_ns);
		event->cgroup_id = kmonitor_task_cgroup_id(subject);
		copy_comm(event->comm, subject->comm);
	}
}

/**
 * kmonitor_record_fill_fork - make the record of a fork for a plain creator
 * @event: All but its seq and cookie is filled in.
 * @data: A PROCESS_FORK or THREAD_CREATE, of the current task; with its time.
 *
 * Plain creators see all tasks, with the ids of the initial namespaces.
 *
 * Context: See kmonitor_record_fill().
 */
void kmonitor_record_fill_fork(struct kmonitor_event *event,
			       const struct kmonitor_event_data *data)
{
	struct task_struct *task = data->task;

	event->time_ns = data->time_ns;
	event->pid = nr_of(task_pid(task), &init_pid_ns);
	event->tgid = nr_of(task_tgid(task), &init_pid_ns);
	fill_subject(event, data, task, &init_pid_ns, &init_user_ns, false);
	fill_fork(&event->fork, data, &init_pid_ns, false);
}

/* A child has joined the pid namespace; the task that forked is not there. */
static void fill_fork_by_outsider(struct kmonitor_event *event,
				  const struct kmonitor_event_data *data,
				  struct pid_namespace *ns)
{
	memset_startat(event, 0, cookie);
	event->time_ns = data->time_ns;
	event->type = data->type;
	event->flags = data->flags | KMONITOR_EVENT_REDACTED;
	event->cpu = raw_smp_processor_id();
	event->uid = -1;
	fill_fork(&event->fork, data, ns, false);
}

/**
 * kmonitor_record_fill - make the record of an event
 * @event: All but its seq and cookie is filled in.
 * @data: The event.
 * @creator: The creator, whose namespaces the ids belong to.
 * @redacted: Leave out all but the identity of the subject.
 *
 * Context: Under RCU, where the subject was alive, or with a reference to it; of
 *	an exit, the current task is the subject.  Any but NMI.
 */
void kmonitor_record_fill(struct kmonitor_event *event,
			  struct kmonitor_event_data *data,
			  const struct kmonitor_creator *creator, bool redacted)
{
	struct pid_namespace *ns = creator->pid_ns;
	struct task_struct *task = data->task;
	struct task_struct *subject = kmonitor_event_subject(data);

	if (kmonitor_event_joins(data)) {
		fill_fork_by_outsider(event, data, ns);
		return;
	}
	event->time_ns = data->time_ns ?: ktime_get_boottime_ns();
	event->pid = nr_or_0(kmonitor_task_pid(subject), ns);
	event->tgid = nr_or_0(kmonitor_task_tgid(task), ns);
	fill_subject(event, data, subject, ns, creator->cred->user_ns,
		     redacted);

	if (kmonitor_event_is_fork(data)) {
		fill_fork(&event->fork, data, ns, redacted);
		return;
	}
	memset_startat(event, 0, fork);
	switch (data->type) {
	case KMONITOR_PROCESS_EXEC:
		fill_exec(&event->exec, data, ns);
		break;
	case KMONITOR_PROCESS_EXIT:
	case KMONITOR_THREAD_EXIT:
		if (!redacted) {
			kmonitor_take_usage(data);
			event->exit = data->exit;
		}
		break;
	case KMONITOR_EXEC_FAILED:
		fill_exec_failed(&event->exec_failed, data);
		break;
	case KMONITOR_PROCESS_ABORT:
	case KMONITOR_THREAD_ABORT:
	case KMONITOR_COREDUMP:
		fill_abort(&event->abort, data, creator);
		break;
	case KMONITOR_CRED:
		fill_cred(&event->cred, data, creator->cred->user_ns);
		break;
	case KMONITOR_COMM:
		strscpy(event->comm_change.old_comm, data->comm.old);
		break;
	case KMONITOR_SID:
		fill_sid(&event->session, task, ns);
		break;
	case KMONITOR_PTRACE:
		fill_ptrace(&event->ptrace, data, creator);
		break;
	case KMONITOR_TASK:
		event->task.token = data->snapshot.token;
		event->task.pidfd_ino = data->snapshot.pidfd_ino;
		if (!redacted)
			event->task = data->snapshot;
		break;
	}
}

/**
 * kmonitor_task_program - find the program that a process runs
 * @task: Any thread of it; the caller holds a reference.
 * @details: Set to device, inode and flags; unchanged without a program.
 *
 * Context: May sleep.
 */
void kmonitor_task_program(struct task_struct *task,
			   struct kmonitor_task *details)
{
	struct task_struct *thread;
	const struct inode *inode;
	struct file *file = NULL;

	/* A leader that has exited no longer has one. */
	rcu_read_lock();
	for_each_thread(task, thread) {
		/* Reads task flags that may be changing. */
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
