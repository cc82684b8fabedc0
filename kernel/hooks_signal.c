// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks in signals: who ends a process, and what its threads die of.
 *
 * When a process dies of a signal, the signal's origin is no longer known: so
 * it is captured where the signal is generated, if the signal could be fatal.
 * The last one captured is the killer as soon as SIGNAL_GROUP_EXIT is set; the
 * status then has its number.  A blocked signal may turn out not to kill, and a
 * tracer may choose another: who dies of a number that was not captured last
 * has an unknown sender.
 *
 * The dying process itself reports it, by the first of its threads that dumps
 * core or comes to its exit hook: when the status is certain.
 */

#include <linux/cred.h>
#include <linux/kmonitor.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "emit.h"
#include "killer.h"
#include "record.h"

#define ABORTS \
	(KMONITOR_PROCESS_ABORT | KMONITOR_THREAD_ABORT | KMONITOR_COREDUMP)

/* Of what no signal was sent for: an exit or exec by a sibling, seccomp. */
static const struct kmonitor_killer the_kernel = { .code = SI_KERNEL };

/* Takes the place of a killer that is not known when it is reported. */
static struct kmonitor_killer unknown = { .reported = true };

static int code_of(const struct kernel_siginfo *info)
{
	if (info == SEND_SIG_NOINFO)
		return SI_USER;
	return info == SEND_SIG_PRIV ? SI_KERNEL : info->si_code;
}

/* Whether the current task has sent it.  Timers and I/O have no sender. */
static bool from_current(int signo, int code)
{
	enum siginfo_layout layout = siginfo_layout(signo, code);

	return code <= 0 && code != SI_ASYNCIO &&
	       (layout == SIL_KILL || layout == SIL_RT);
}

static bool may_be_fatal(const struct task_struct *task, int signo)
{
	const struct sighand_struct *sighand =
		rcu_dereference_protected(task->sighand, true);

	return !siginmask(signo,
			  SIG_KERNEL_IGNORE_MASK | SIG_KERNEL_STOP_MASK) &&
	       sighand->action[signo - 1].sa.sa_handler == SIG_DFL;
}

static bool pending(struct task_struct *task, int signo)
{
	return sigismember(&task->pending.signal, signo) ||
	       sigismember(&task->signal->shared_pending.signal, signo);
}

static void capture(struct kmonitor_killer *killer, int signo, int code)
{
	put_pid(killer->tgid);
	killer->signo = signo;
	killer->code = code;
	killer->tgid = NULL;
	killer->time_ns = ktime_get_boottime_ns();
	if (from_current(signo, code)) {
		killer->tgid = get_pid(task_tgid(current));
		killer->uid = current_uid();
		killer->start_ns = current->group_leader->start_boottime;
	}
}

void __kmonitor_signal(struct task_struct *task, int signo,
		       const struct kernel_siginfo *info)
{
	struct signal_struct *sig = task->signal;
	struct kmonitor_killer *killer = sig->kmonitor_killer;

	if (likely(!killer && !kmonitor_watched(task, ABORTS)))
		return;
	if (!may_be_fatal(task, signo)) {
		/* Its action may change before it is delivered. */
		if (killer && killer->signo == signo &&
		    !(sig->flags & SIGNAL_GROUP_EXIT))
			killer->signo = 0;
		return;
	}
	/* The first condition: a SIGKILL ends a core dump. */
	if (sig->flags & SIGNAL_GROUP_EXIT || !kmonitor_watched(task, ABORTS) ||
	    !kmonitor_matched(task, ABORTS))
		return;
	if (!killer) {
		killer = kzalloc(sizeof(*killer), GFP_ATOMIC | __GFP_NOWARN);
		if (!killer)
			return;
		sig->kmonitor_killer = killer;
	}
	/* Of several that are pending, nobody knows which will be delivered. */
	if (pending(task, signo))
		killer->signo = 0;
	else
		capture(killer, signo, code_of(info));
}

/**
 * kmonitor_killer_free - free what was captured
 * @killer: The killer of a process that is gone, or NULL.
 *
 * Context: Any, also softirq.
 */
void kmonitor_killer_free(struct kmonitor_killer *killer)
{
	if (!killer || killer == &unknown)
		return;
	put_pid(killer->tgid);
	kfree(killer);
}

/* The signal that the current process dies of, or 0. */
static int fatal_signal(const struct signal_struct *sig)
{
	return sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code & 0x7f : 0;
}

static const struct kmonitor_killer *killer_of(const struct signal_struct *sig,
					       int signo)
{
	const struct kmonitor_killer *killer = READ_ONCE(sig->kmonitor_killer);

	return killer && killer->signo == signo ? killer : NULL;
}

/* The signal that the current process dies of; true for the first that asks. */
static bool claim_report(struct signal_struct *sig, int *signo)
{
	struct sighand_struct *sighand =
		rcu_dereference_protected(current->sighand, true);
	struct kmonitor_killer *killer;
	bool first = false;

	/* Of a group that is being stopped or ended the code comes last. */
	spin_lock_irq(&sighand->siglock);
	*signo = fatal_signal(sig);
	killer = sig->kmonitor_killer;
	if (*signo && killer) {
		first = !killer->reported;
		killer->reported = true;
	} else if (*signo) {
		first = true;
		WRITE_ONCE(sig->kmonitor_killer, &unknown);
	}
	spin_unlock_irq(&sighand->siglock);
	return first;
}

static void report(u32 type, int signo, const struct kmonitor_killer *killer)
{
	struct kmonitor_source source = {
		.type = type,
		.task = current,
		.abort.signo = signo,
		.abort.killer = killer,
	};

	if (type == KMONITOR_PROCESS_ABORT && killer)
		source.time_ns = killer->time_ns;
	kmonitor_report(&source);
}

/* Returns the signal that the current process dies of, or 0. */
static int report_process(struct signal_struct *sig)
{
	int signo = 0;

	/* Only a hint that siglock is worth taking. */
	if (!data_race(sig->flags & SIGNAL_GROUP_EXIT))
		return 0;
	if (claim_report(sig, &signo))
		report(KMONITOR_PROCESS_ABORT, signo, killer_of(sig, signo));
	return signo;
}

void __kmonitor_coredump(int signo)
{
	struct signal_struct *sig = current->signal;

	might_sleep();
	if (!kmonitor_watched(current, ABORTS) ||
	    !kmonitor_matched(current, ABORTS))
		return;
	report_process(sig);
	report(KMONITOR_COREDUMP, signo, killer_of(sig, signo));
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
	if (!kmonitor_watched(task, ABORTS) || !kmonitor_matched(task, ABORTS))
		return;
	fatal = report_process(sig);
	if (signo)
		report(KMONITOR_THREAD_ABORT, signo,
		       signo == fatal ? killer_of(sig, signo) : &the_kernel);
	else if (task->flags & PF_SIGNALED)
		report(KMONITOR_THREAD_ABORT, SIGKILL, &the_kernel);
}
