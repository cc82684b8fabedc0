// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks in changes of a task: its ids, name, session and tracer; and in an
 * exec that fails.
 */

#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/kmonitor.h>
#include <linux/ptrace.h>
#include <linux/string.h>

#include "emit.h"
#include "event_data.h"
#include "mark.h"
#include "snapshot.h"
#include "task_pid.h"

/* A TASK with the old state must precede the record of the change. */
static void report_change(struct kmonitor_event_data *data)
{
	/*
	 * Full barrier between the change and the test for snapshots, see
	 * kmonitor_snapshot_barrier().
	 */
	smp_mb();
	kmonitor_snapshot_barrier();
	kmonitor_report(data);
}

void __kmonitor_exec_failed(const struct linux_binprm *bprm, int error)
{
	struct kmonitor_event_data data = {
		.type = KMONITOR_EXEC_FAILED,
		.task = current,
		.exec_failed.error = -error,
		.exec_failed.file = bprm ? bprm->file : NULL,
	};

	/* Restarts are not failures; past the point of no return it is fatal. */
	if (!kmonitor_may_match(current, data.type) || error <= -ERESTARTSYS ||
	    (bprm && bprm->point_of_no_return))
		return;
	kmonitor_report(&data);
}

static bool same_ids(const struct cred *a, const struct cred *b)
{
	return uid_eq(a->uid, b->uid) && uid_eq(a->euid, b->euid) &&
	       uid_eq(a->suid, b->suid) && gid_eq(a->gid, b->gid) &&
	       gid_eq(a->egid, b->egid) && gid_eq(a->sgid, b->sgid);
}

void __kmonitor_cred(const struct cred *old, const struct cred *new)
{
	struct kmonitor_event_data data = {
		.type = KMONITOR_CRED,
		.task = current,
		.cred.old = old,
		.cred.new = new,
	};

	if (kmonitor_may_match(current, data.type) && !same_ids(old, new))
		report_change(&data);
}

void __kmonitor_set_comm(struct task_struct *task, const char *comm)
{
	char old[TASK_COMM_LEN];
	struct kmonitor_event_data data = {
		.type = KMONITOR_COMM,
		.task = task,
		.comm.old = old,
	};
	bool may_match;

	rcu_read_lock();
	may_match = kmonitor_may_match(task, data.type);
	rcu_read_unlock();
	/* Reading the name takes a lock. */
	if (may_match)
		get_task_comm(old, task);
	set_task_comm(task, comm);
	if (!may_match)
		return;

	kmonitor_enter();
	report_change(&data);
	kmonitor_leave();
}

void __kmonitor_sid(struct task_struct *leader)
{
	struct kmonitor_event_data data = {
		.type = KMONITOR_SID,
		.task = leader,
	};

	if (kmonitor_may_match(leader, data.type))
		report_change(&data);
}

/* The tracer of PTRACE_TRACEME is not the current task; under RCU it stays. */
void __kmonitor_ptrace(struct task_struct *tracee, bool attached)
{
	struct kmonitor_event_data data = {
		.type = KMONITOR_PTRACE,
		.ptrace.tracee = tracee,
		.ptrace.attached = attached,
	};

	kmonitor_enter();
	data.task = ptrace_parent(tracee);
	kmonitor_debug_window();
	if (data.task && kmonitor_may_match(data.task, data.type) &&
	    kmonitor_task_alive(tracee)) {
		if (data.task == current)
			kmonitor_report(&data);
		else
			kmonitor_report_before_exit(&data);
	}
	kmonitor_leave();
}
