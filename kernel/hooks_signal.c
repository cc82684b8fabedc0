// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks in signals: a signal that may be fatal, a core dump, and the signal
 * that a process and its threads die of.
 *
 * The dying process itself reports PROCESS_ABORT, by the first of its threads
 * that dumps core or comes to its exit hook: by then the status is final.
 */

#include <linux/kmonitor.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "emit.h"
#include "event_data.h"
#include "hooks_signal.h"
#include "sender.h"

static bool may_be_fatal(const struct task_struct *task, int signo)
{
	const struct sighand_struct *sighand =
		rcu_dereference_protected(task->sighand, true);

	return !siginmask(signo,
			  SIG_KERNEL_IGNORE_MASK | SIG_KERNEL_STOP_MASK) &&
	       sighand->action[signo - 1].sa.sa_handler == SIG_DFL;
}

/* Its leader is the subject of what is about the process. */
static bool aborts_may_match(struct task_struct *task)
{
	return kmonitor_may_match(task, KMONITOR_ABORTS) ||
	       (task != task->group_leader &&
		kmonitor_may_match(task->group_leader, KMONITOR_ABORTS));
}

/* Each thread dies of the signal, and some may be in a cgroup of their own. */
static bool any_thread_may_match(struct task_struct *task)
{
	struct task_struct *thread;

	for_each_thread(task, thread) {
		if (kmonitor_may_match(thread, KMONITOR_ABORTS))
			return true;
	}
	return false;
}

void __kmonitor_signal(struct task_struct *task, int signo,
		       const struct kernel_siginfo *info)
{
	struct signal_struct *sig = task->signal;
	struct kmonitor_sender *sender = kmonitor_sender_of(sig);

	if (likely(!sender &&
		   kmonitor_interest_in(sig, task_pid(task), KMONITOR_ABORTS) ==
			   KMONITOR_NO_INTEREST))
		return;
	if (!may_be_fatal(task, signo)) {
		/* Its action may change before it is delivered. */
		if (sender && sender->signo == signo &&
		    !(sig->flags & SIGNAL_GROUP_EXIT))
			sender->signo = 0;
		return;
	}
	/* The first condition: a SIGKILL ends a core dump. */
	if (sig->flags & SIGNAL_GROUP_EXIT || !any_thread_may_match(task))
		return;
	kmonitor_sender_capture(task, signo, info);
}

static void report_abort(u32 type, int signo,
			 const struct kmonitor_sender *sender)
{
	struct kmonitor_event_data data = {
		.type = type,
		.task = current,
		.abort.signo = signo,
		.abort.sender = sender,
	};

	if (type == KMONITOR_PROCESS_ABORT && sender)
		data.time_ns = sender->time_ns;
	kmonitor_report(&data);
}

static bool is_group_exit(const struct signal_struct *sig)
{
	/* Only a hint that siglock is worth taking. */
	return data_race(sig->flags & SIGNAL_GROUP_EXIT);
}

/* Returns the signal that the current process dies of, or 0. */
static int report_process_abort(struct signal_struct *sig)
{
	int signo = 0;

	if (!is_group_exit(sig))
		return 0;
	if (kmonitor_sender_claim(sig, &signo))
		report_abort(KMONITOR_PROCESS_ABORT, signo,
			     kmonitor_sender_find(sig, signo));
	return signo;
}

void __kmonitor_coredump(int signo)
{
	struct signal_struct *sig = current->signal;

	might_sleep();
	if (!aborts_may_match(current))
		return;
	report_process_abort(sig);
	report_abort(KMONITOR_COREDUMP, signo,
		     kmonitor_sender_find(sig, signo));
}

/**
 * kmonitor_report_aborts - report that a process, and this thread, were ended
 * @task: The current task, which exits.
 * @code: Its exit code.
 *
 * A thread that did not choose to end has PF_SIGNALED, or, if seccomp ends it
 * alone, a signal in its code.
 *
 * Context: Process context, no lock held.
 */
void kmonitor_report_aborts(struct task_struct *task, long code)
{
	struct signal_struct *sig = task->signal;
	int signo = code & 0x7f;
	int fatal;

	/* The code of a kernel thread is no status. */
	if (task->flags & PF_KTHREAD)
		return;
	/* Most threads end by themselves, before their process. */
	if (!signo && !(task->flags & PF_SIGNALED) && !is_group_exit(sig))
		return;
	if (!aborts_may_match(task))
		return;
	fatal = report_process_abort(sig);
	if (signo)
		report_abort(KMONITOR_THREAD_ABORT, signo,
			     signo == fatal ? kmonitor_sender_find(sig, signo) :
					      &kmonitor_sender_kernel);
	else if (task->flags & PF_SIGNALED)
		report_abort(KMONITOR_THREAD_ABORT, SIGKILL,
			     &kmonitor_sender_kernel);
}
