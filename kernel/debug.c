// SPDX-License-Identifier: GPL-2.0-only
/*
 * Knobs that make rare moments frequent: kernel.kmonitor.debug_*.
 */

#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kmonitor.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sysctl.h>

#include "debug.h"

/* With every thread delayed, each so-manyth commit of a processor is. */
#define INTERVAL 16

static unsigned int delay_us __read_mostly;
static unsigned int delayed_tid __read_mostly;
static DEFINE_PER_CPU(unsigned int, nr_commits);

static unsigned int window_tid __read_mostly;
static unsigned int window_us __read_mostly;
static unsigned int window_nr __read_mostly;
/* How many windows that thread has come to. */
static unsigned int nr_windows;

static unsigned int stuck_tid __read_mostly;

void kmonitor_delay_commit(void)
{
	unsigned int us = READ_ONCE(delay_us);
	unsigned int tid = READ_ONCE(delayed_tid);

	if (likely(!us) || (tid && tid != current->pid))
		return;
	if (!tid && this_cpu_inc_return(nr_commits) % INTERVAL)
		return;
	if (us >= 1000)
		mdelay(us / 1000);
	else
		udelay(us);
}

/* Whether the test still holds the current thread. */
static bool is_held(void)
{
	return READ_ONCE(window_tid) == current->pid;
}

void kmonitor_debug_window(void)
{
	unsigned int us = READ_ONCE(window_us);

	if (likely(!is_held()))
		return;
	/* No thread but this one writes it, and the test before it. */
	WRITE_ONCE(nr_windows, READ_ONCE(nr_windows) + 1);
	if (READ_ONCE(nr_windows) != READ_ONCE(window_nr))
		return;
	for (; us && is_held(); us -= min(us, 1000U)) {
		if (preemptible())
			usleep_range(1000, 2000);
		else
			mdelay(1);
	}
}

void kmonitor_debug_exit(void)
{
	if (unlikely(READ_ONCE(stuck_tid) == current->pid))
		make_task_dead(SIGSEGV);
}

static unsigned int max_delay_us = 1000000;

static struct ctl_table debug_table[] = {
	{
		/* How long, in microseconds; 0 turns the knob off. */
		.procname = "debug_delay_us",
		.data = &delay_us,
		.maxlen = sizeof(unsigned int),
		.mode = 0600,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = &max_delay_us,
	},
	{
		/* The thread whose every commit is delayed; 0: some of all. */
		.procname = "debug_delay_tid",
		.data = &delayed_tid,
		.maxlen = sizeof(unsigned int),
		.mode = 0600,
		.proc_handler = proc_douintvec,
	},
	{
		/* The thread to hold up in a window, until this changes. */
		.procname = "debug_window_tid",
		.data = &window_tid,
		.maxlen = sizeof(unsigned int),
		.mode = 0600,
		.proc_handler = proc_douintvec,
	},
	{
		/* For how long at most, in microseconds. */
		.procname = "debug_window_us",
		.data = &window_us,
		.maxlen = sizeof(unsigned int),
		.mode = 0600,
		.proc_handler = proc_douintvec,
	},
	{
		/* In which of the windows that it comes to: the first is 1. */
		.procname = "debug_window_nr",
		.data = &window_nr,
		.maxlen = sizeof(unsigned int),
		.mode = 0600,
		.proc_handler = proc_douintvec,
	},
	{
		/* How many it has come to; to be set to 0 before. */
		.procname = "debug_windows",
		.data = &nr_windows,
		.maxlen = sizeof(unsigned int),
		.mode = 0600,
		.proc_handler = proc_douintvec,
	},
	{
		/* The thread that is never to end. */
		.procname = "debug_stuck_tid",
		.data = &stuck_tid,
		.maxlen = sizeof(unsigned int),
		.mode = 0600,
		.proc_handler = proc_douintvec,
	},
};

static int __init kmonitor_debug_init(void)
{
	register_sysctl("kernel/kmonitor", debug_table);
	return 0;
}
fs_initcall(kmonitor_debug_init);
