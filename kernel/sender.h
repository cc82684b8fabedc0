/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sender of the signal that ends a process.
 */
#ifndef _KMONITOR_SENDER_H
#define _KMONITOR_SENDER_H

#include <linux/compiler.h>
#include <linux/kmonitor.h>
#include <linux/sched/signal.h>
#include <linux/types.h>
#include <linux/uidgid_types.h>

struct kernel_siginfo;
struct pid;
struct task_struct;

/**
 * struct kmonitor_sender - the sender of the last signal that could be fatal
 * @signo: The signal; 0 if its sender is not known.
 * @code: Its si_code.
 * @tgid: The sending process, with a reference; NULL if the kernel sent it.
 * @uid: Real user id of that process.
 * @start_ns: start_ns of that process.
 * @time_ns: Time of the signal.
 * @reported: PROCESS_ABORT has been sent, or is being sent.
 *
 * @owner: The process that the signal was sent to, which owns it until it is
 *	freed.
 * @node: In the table of all senders.
 * @rcu: Those who look for another sender find it under RCU.
 *
 * Protected by siglock of the owner.  Once SIGNAL_GROUP_EXIT is set only
 * @reported changes, and the ending threads, which have seen the flag under
 * siglock, read the rest without it.
 */
struct kmonitor_sender {
	int signo;
	int code;
	struct pid *tgid;
	kuid_t uid;
	u64 start_ns;
	u64 time_ns;
	bool reported;
	const struct signal_struct *owner;
	struct hlist_node node;
	struct rcu_head rcu;
};

extern const struct kmonitor_sender kmonitor_sender_kernel;

void kmonitor_sender_capture(struct task_struct *task, int signo,
			     const struct kernel_siginfo *info);
bool kmonitor_sender_claim(struct signal_struct *sig, int *signo);
struct kmonitor_sender *__kmonitor_sender_of(const struct signal_struct *owner);

/**
 * kmonitor_sender_of - find what was captured for a process
 * @owner: The process.
 *
 * Context: Any; what is returned stays until the process is freed.
 * Return: The sender of the last signal that could be fatal, or NULL.
 */
static inline struct kmonitor_sender *
kmonitor_sender_of(const struct signal_struct *owner)
{
	return unlikely(READ_ONCE(kmonitor_nr_senders)) ?
		       __kmonitor_sender_of(owner) :
		       NULL;
}

/* The captured sender of @signo, or NULL if it is not known. */
static inline const struct kmonitor_sender *
kmonitor_sender_find(const struct signal_struct *sig, int signo)
{
	const struct kmonitor_sender *sender = kmonitor_sender_of(sig);

	return sender && sender->signo == signo ? sender : NULL;
}

#endif /* _KMONITOR_SENDER_H */
