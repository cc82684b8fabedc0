// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sender of the signal that ends a process.
 *
 * The origin of a signal is lost by the time the process dies of it, so it is
 * captured when a signal that may be fatal is generated.  The last capture
 * holds as soon as SIGNAL_GROUP_EXIT is set, if it is of the signal in the
 * status.  A blocked signal may turn out not to kill, and a tracer may choose
 * another one: if the fatal signal is not the last one captured, the sender is
 * unknown.
 */

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "sender.h"

/*
 * Used when no signal was sent, e.g. exit_group() or execve() by another
 * thread, or seccomp.
 */
const struct kmonitor_sender kmonitor_sender_kernel = { .code = SI_KERNEL };

/* Senders by their owner; most processes have none. */
static DEFINE_HASHTABLE(senders, 10);
/* For changes.  Inside siglock. */
static DEFINE_SPINLOCK(senders_lock);
/* Their number, under the lock; read without it by who can have no sender yet. */
unsigned int kmonitor_nr_senders;

/* No one but the caller can free the sender of this owner now. */
struct kmonitor_sender *__kmonitor_sender_of(const struct signal_struct *owner)
{
	struct kmonitor_sender *sender;

	guard(rcu)();
	hash_for_each_possible_rcu(senders, sender, node,
				   (unsigned long)owner) {
		if (sender->owner == owner)
			return sender;
	}
	return NULL;
}

/* The caller holds siglock: there is none yet. */
static void insert_sender(struct kmonitor_sender *sender,
			  const struct signal_struct *owner)
{
	unsigned long flags;

	sender->owner = owner;
	spin_lock_irqsave(&senders_lock, flags);
	hash_add_rcu(senders, &sender->node, (unsigned long)owner);
	WRITE_ONCE(kmonitor_nr_senders, kmonitor_nr_senders + 1);
	spin_unlock_irqrestore(&senders_lock, flags);
}

static int get_si_code(const struct kernel_siginfo *info)
{
	if (info == SEND_SIG_NOINFO)
		return SI_USER;
	return info == SEND_SIG_PRIV ? SI_KERNEL : info->si_code;
}

/* Returns true if the current task is the sender.  Timers and I/O have none. */
static bool is_sent_by_current(int signo, int code)
{
	enum siginfo_layout layout = siginfo_layout(signo, code);

	return code <= 0 && code != SI_ASYNCIO &&
	       (layout == SIL_KILL || layout == SIL_RT);
}

/* Whether the process, or any of its threads, has the signal pending. */
static bool is_pending(struct signal_struct *sig, int signo)
{
	struct task_struct *thread;

	if (sigismember(&sig->shared_pending.signal, signo))
		return true;
	__for_each_thread(sig, thread) {
		if (sigismember(&thread->pending.signal, signo))
			return true;
	}
	return false;
}

static void fill_sender(struct kmonitor_sender *sender, int signo, int code)
{
	put_pid(sender->tgid);
	sender->signo = signo;
	sender->code = code;
	sender->tgid = NULL;
	sender->time_ns = ktime_get_boottime_ns();
	if (is_sent_by_current(signo, code)) {
		sender->tgid = get_pid(task_tgid(current));
		sender->uid = current_uid();
		sender->start_ns = current->group_leader->start_boottime;
	}
}

/**
 * kmonitor_sender_capture - record the sender of a signal that may be fatal
 * @task: The receiver.
 * @signo: The signal, not yet marked as pending.
 * @info: As for send_signal_locked().
 *
 * Without memory for it the sender stays unknown.
 *
 * Context: siglock of @task held, irqs off.
 */
void kmonitor_sender_capture(struct task_struct *task, int signo,
			     const struct kernel_siginfo *info)
{
	struct signal_struct *sig = task->signal;
	struct kmonitor_sender *sender = kmonitor_sender_of(sig);

	if (!sender) {
		sender = kzalloc(sizeof(*sender),
				 GFP_ATOMIC | __GFP_ACCOUNT | __GFP_NOWARN);
		if (!sender)
			return;
		insert_sender(sender, sig);
	}
	/* With several pending, any of them may be the one delivered. */
	if (is_pending(sig, signo))
		sender->signo = 0;
	else
		fill_sender(sender, signo, get_si_code(info));
}

/* Returns the signal that the current process dies of, or 0. */
static int get_fatal_signal(const struct signal_struct *sig)
{
	return sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code & 0x7f : 0;
}

/**
 * kmonitor_sender_claim - claim the report of the end of the current process
 * @sig: The current process.
 * @signo: Set to the signal that it dies of, or 0.
 *
 * Context: Process context, siglock not held.
 * Return: True for the first caller if there is such a signal.
 */
bool kmonitor_sender_claim(struct signal_struct *sig, int *signo)
{
	struct sighand_struct *sighand =
		rcu_dereference_protected(current->sighand, true);
	struct kmonitor_sender *sender, *unknown = NULL;
	bool first = false;

	/* A group that is being stopped or ended gets its code last. */
	spin_lock_irq(&sighand->siglock);
	*signo = get_fatal_signal(sig);
	sender = kmonitor_sender_of(sig);
	if (*signo && !sender) {
		spin_unlock_irq(&sighand->siglock);
		/* The report must not be made twice, nor left out. */
		unknown = kzalloc(sizeof(*unknown), GFP_KERNEL | __GFP_NOFAIL);
		spin_lock_irq(&sighand->siglock);
		sender = kmonitor_sender_of(sig);
	}
	if (*signo && !sender) {
		insert_sender(unknown, sig);
		swap(sender, unknown);
	}
	if (*signo) {
		first = !sender->reported;
		sender->reported = true;
	}
	spin_unlock_irq(&sighand->siglock);
	kfree(unknown);
	return first;
}

void __kmonitor_free_sender(const struct signal_struct *sig)
{
	struct kmonitor_sender *sender = __kmonitor_sender_of(sig);
	unsigned long flags;

	if (!sender)
		return;
	spin_lock_irqsave(&senders_lock, flags);
	hash_del_rcu(&sender->node);
	WRITE_ONCE(kmonitor_nr_senders, kmonitor_nr_senders - 1);
	spin_unlock_irqrestore(&senders_lock, flags);
	put_pid(sender->tgid);
	kfree_rcu(sender, rcu);
}
