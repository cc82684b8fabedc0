// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks in what changes a task: its ids, name, session, tracer; and in the
 * exec that fails to change it.
 */

#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/kmonitor.h>
#include <linux/ptrace.h>
#include <linux/string.h>

#include "emit.h"
#include "mark.h"
#include "record.h"
#include "snapshot.h"

/* A TASK with what was before stands before the record of the change. */
static void report_change(struct kmonitor_source *source)
{
	/* Between the change and the look for snapshots. */
	smp_mb();
	kmonitor_let_snapshots_pass();
	kmonitor_report(source);
}

void __kmonitor_exec_failed(const struct linux_binprm *bprm, int error)
{
	struct kmonitor_source source = {
		.type = KMONITOR_EXEC_FAILED,
		.task = current,
		.exec_failed.error = -error,
		.exec_failed.file = bprm ? bprm->file : NULL,
	};

	/* It is restarted, or, past the point of no return, ends the program. */
	if (!kmonitor_watched(current, source.type) || error <= -ERESTARTSYS ||
	    (bprm && bprm->point_of_no_return))
		return;
	kmonitor_report(&source);
}

static bool same_ids(const struct cred *a, const struct cred *b)
{
	return uid_eq(a->uid, b->uid) && uid_eq(a->euid, b->euid) &&
	       uid_eq(a->suid, b->suid) && gid_eq(a->gid, b->gid) &&
	       gid_eq(a->egid, b->egid) && gid_eq(a->sgid, b->sgid);
}

void __kmonitor_cred(const struct cred *old, const struct cred *new)
{
	struct kmonitor_source source = {
		.type = KMONITOR_CRED,
		.task = current,
		.cred.old = old,
		.cred.new = new,
	};

	if (kmonitor_watched(current, source.type) && !same_ids(old, new))
		report_change(&source);
}

void __kmonitor_set_comm(struct task_struct *task, const char *comm)
{
	char old[TASK_COMM_LEN];
	struct kmonitor_source source = {
		.type = KMONITOR_COMM,
		.task = task,
		.comm.old = old,
	};
	bool watched;

	rcu_read_lock();
	watched = kmonitor_watched(task, source.type);
	rcu_read_unlock();
	/* To read the name takes a lock. */
	if (watched)
		get_task_comm(old, task);
	set_task_comm(task, comm);
	if (!watched)
		return;

	kmonitor_enter();
	report_change(&source);
	kmonitor_leave();
}

void __kmonitor_sid(struct task_struct *leader)
{
	struct kmonitor_source source = {
		.type = KMONITOR_SID,
		.task = leader,
	};

	if (kmonitor_watched(leader, source.type))
		report_change(&source);
}

/* The tracer may be another task than the current one: under RCU it stays. */
void __kmonitor_ptrace(struct task_struct *tracee, bool attached)
{
	struct kmonitor_source source = {
		.type = KMONITOR_PTRACE,
		.ptrace.tracee = tracee,
		.ptrace.attached = attached,
	};

	kmonitor_enter();
	source.task = ptrace_parent(tracee);
	if (source.task && kmonitor_watched(source.task, source.type) &&
	    kmonitor_task_alive(tracee))
		kmonitor_report(&source);
	kmonitor_leave();
}
