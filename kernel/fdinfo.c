// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/fdinfo/FD: lets a supervisor that has re-executed itself find the
 * filters of a descriptor that it has kept.
 */

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/uidgid.h>

#include "entry.h"
#include "fdinfo.h"
#include "mark.h"
#include "monitor.h"
#include "process_walk.h"
#include "ring.h"

/*
 * Members can only be counted by a walk over the processes: a fork writes to no
 * entry.  All possible members are visible in the creator's pid namespace.
 */
static void count_members(struct kmonitor_filter_table *filters)
{
	struct pid_namespace *ns = filters->creator.pid_ns;
	struct kmonitor_entry *entry;
	struct task_struct *leader;
	unsigned long handle = 0;
	struct pid *pid;
	int nr = 1;

	for (; (entry = kmonitor_filter_table_next(filters, &handle));
	     handle++) {
		entry->members = 0;
		kmonitor_entry_put(entry);
	}
	do {
		rcu_read_lock();
		pid = kmonitor_process_walk(ns, &nr, &leader);
		if (leader)
			kmonitor_mark_count(leader->signal, filters);
		rcu_read_unlock();
		nr++;
		cond_resched();
	} while (pid);
}

static u64 entry_id(const struct kmonitor_filter_table *filters,
		    const struct kmonitor_entry *entry)
{
	const struct kmonitor_creator *creator = &filters->creator;

	if (entry->pid)
		return pid_nr_ns(entry->pid, creator->pid_ns);
	if (entry->target == KMONITOR_TARGET_UID)
		return from_kuid(creator->cred->user_ns,
				 KUIDT_INIT(entry->condition.id));
	return entry->condition.id;
}

static void show_entry(struct seq_file *m,
		       const struct kmonitor_filter_table *filters,
		       const struct kmonitor_entry *entry)
{
	seq_printf(m, "entry:\thandle=%llu target=%u id=%llu", entry->handle,
		   entry->target, entry_id(filters, entry));
	seq_printf(m, " start_ns=%llu events=%#x flags=%#x", entry->start_ns,
		   entry->events, entry->flags);
	seq_printf(m, " cookie=%#llx members=%u\n", entry->cookie,
		   entry->members);
}

static void show_entries(struct seq_file *m,
			 struct kmonitor_filter_table *filters)
{
	struct kmonitor_entry *entry;
	unsigned long handle = 0;

	/* Only a fatal signal may interrupt: a partial list would hide entries. */
	if (mutex_lock_killable(&filters->lock))
		return;
	count_members(filters);
	for (; (entry = kmonitor_filter_table_next(filters, &handle));
	     handle++) {
		if (kmonitor_entry_alive(entry))
			show_entry(m, filters, entry);
		kmonitor_entry_put(entry);
	}
	mutex_unlock(&filters->lock);
}

/**
 * kmonitor_show_fdinfo - show the counters and the filters of a descriptor
 * @m: The output.
 * @file: The descriptor.
 *
 * One line "key:\tvalue" for each number, and one for each live entry, whose
 * value is words "name=value" as in &struct kmonitor_filter; ids are those of
 * the creator's pid namespace, not the reader's.  Later kernels may add lines,
 * and words at the end of a line.
 *
 * Context: May sleep.
 */
void kmonitor_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct kmonitor *mon = file->private_data;
	struct kmonitor_stats stats = {};

	kmonitor_ring_stats(&mon->ring, &stats);
	seq_printf(m, "ring_records:\t%u\n", mon->ring.size);
	seq_printf(m, "matched:\t%llu\n", stats.matched);
	seq_printf(m, "recorded:\t%llu\n", stats.recorded);
	seq_printf(m, "lost:\t%llu\n", stats.lost);
	seq_printf(m, "pending:\t%llu\n", stats.pending);
	seq_printf(m, "depth:\t%u\n", stats.depth);
	seq_printf(m, "peak:\t%u\n", stats.peak);
	show_entries(m, &mon->filters);
}
