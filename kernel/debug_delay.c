// SPDX-License-Identifier: GPL-2.0-only
/*
 * A knob that keeps records in flight: kernel.kmonitor.debug_delay_us.
 */

#include <linux/delay.h>
#include <linux/init.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sysctl.h>

#include "debug_delay.h"

/* With every thread delayed, each so-manyth commit of a processor is. */
#define INTERVAL 16

static unsigned int delay_us __read_mostly;
static unsigned int delayed_tid __read_mostly;
static DEFINE_PER_CPU(unsigned int, nr_commits);

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

#ifdef CONFIG_SYSCTL
static unsigned int max_delay_us = 1000000;

static struct ctl_table debug_delay_table[] = {
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
};
#endif

static int __init kmonitor_debug_delay_init(void)
{
#ifdef CONFIG_SYSCTL
	register_sysctl("kernel/kmonitor", debug_delay_table);
#endif
	return 0;
}
fs_initcall(kmonitor_debug_delay_init);
