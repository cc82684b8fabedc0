// SPDX-License-Identifier: GPL-2.0-only
/*
 * The resource usage of a thread or process that ends.
 */

#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>

#include "event_data.h"
#include "usage.h"

/* The peak so far, with that of the current mm if the task still has one. */
static u64 get_maxrss_kib(const struct task_struct *task)
{
	unsigned long pages = READ_ONCE(task->signal->maxrss);

	if (task->mm)
		setmax_mm_hiwater_rss(&pages, task->mm);
	return (u64)pages << (PAGE_SHIFT - 10);
}

static void get_thread_usage(struct task_struct *task,
			     struct kmonitor_exit *exit)
{
	task_cputime_adjusted(task, &exit->utime_ns, &exit->stime_ns);
	exit->maxrss_kib = get_maxrss_kib(task);
	exit->min_flt = task->min_flt;
	exit->maj_flt = task->maj_flt;
}

static void count_faults(const struct signal_struct *sig,
			 struct kmonitor_exit *exit)
{
	const struct task_struct *thread;
	u64 min_flt = sig->min_flt;
	u64 maj_flt = sig->maj_flt;

	__for_each_thread(sig, thread) {
		min_flt += thread->min_flt;
		maj_flt += thread->maj_flt;
	}
	exit->min_flt = min_flt;
	exit->maj_flt = maj_flt;
}

/*
 * Threads on their way out move their counts into signal_struct under
 * stats_lock; a count taken meanwhile is taken again, under the lock.
 */
static void get_process_usage(struct task_struct *task,
			      struct kmonitor_exit *exit)
{
	struct signal_struct *sig = task->signal;
	unsigned long flags;
	unsigned int seq;

	thread_group_cputime_adjusted(task, &exit->utime_ns, &exit->stime_ns);
	exit->maxrss_kib = get_maxrss_kib(task);

	guard(rcu)();
	seq = read_seqbegin(&sig->stats_lock);
	count_faults(sig, exit);
	if (read_seqretry(&sig->stats_lock, seq)) {
		read_seqlock_excl_irqsave(&sig->stats_lock, flags);
		count_faults(sig, exit);
		read_sequnlock_excl_irqrestore(&sig->stats_lock, flags);
	}
}

/* Slow path of kmonitor_take_usage(). */
void __kmonitor_take_usage(struct kmonitor_event_data *data)
{
	data->has_usage = true;
	if (data->type == KMONITOR_PROCESS_EXIT)
		get_process_usage(data->task, &data->exit);
	else
		get_thread_usage(data->task, &data->exit);
}
