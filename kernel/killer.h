/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who sent the signal that ends a process.
 */
#ifndef _KMONITOR_KILLER_H
#define _KMONITOR_KILLER_H

#include <linux/types.h>
#include <linux/uidgid_types.h>

struct pid;
struct task_struct;

/**
 * struct kmonitor_killer - who sent the last signal that could be fatal
 * @signo: The signal; 0 if it is not known who sent it.
 * @code: Its si_code.
 * @tgid: The process that sent it, with a reference; NULL if the kernel did.
 * @uid: Real user id of that process.
 * @start_ns: start_ns of that process.
 * @time_ns: When.
 * @reported: PROCESS_ABORT has been sent, or is being sent.
 *
 * Owned by signal->kmonitor_killer.  All under siglock; but once
 * SIGNAL_GROUP_EXIT is set only @reported changes, and the threads that end,
 * which have seen the flag under siglock, read the rest without.
 */
struct kmonitor_killer {
	int signo;
	int code;
	struct pid *tgid;
	kuid_t uid;
	u64 start_ns;
	u64 time_ns;
	bool reported;
};

void kmonitor_report_aborts(struct task_struct *task, long code);
void kmonitor_killer_free(struct kmonitor_killer *killer);

#endif /* _KMONITOR_KILLER_H */
