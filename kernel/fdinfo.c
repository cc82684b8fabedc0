// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/fdinfo/FD: from which a supervisor that has executed itself anew
 * knows what the descriptor that it still has is about.
 */

#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include "entry.h"
#include "fd.h"
#include "mark.h"

/*
 * Members can be found from the processes only: a fork writes to no entry.
 * All that an entry may hold is visible in the creator's pid namespace.
 */
static void count_members(struct kmonitor_filters *filters)
{
	struct kmonitor_entry *entry;
	struct task_struct *task;
	unsigned long handle;
	struct pid *pid;
	int nr = 1;

	xa_for_each(&filters->entries, handle, entry)
		entry->members = 0;
	do {
		scoped_guard(rcu)
		{
			pid = find_ge_pid(nr, filters->creator.pid_ns);
			if (pid) {
				nr = pid_nr_ns(pid, filters->creator.pid_ns);
				task = pid_task(pid, PIDTYPE_TGID);
				if (task)
					kmonitor_mark_count(task->signal,
							    filters);
			}
		}
		nr++;
		cond_resched();
	} while (pid);
}

static u64 id_of(const struct kmonitor_filters *filters,
		 const struct kmonitor_entry *entry)
{
	return entry->pid ? pid_nr_ns(entry->pid, filters->creator.pid_ns) : 0;
}

static void show_entries(struct seq_file *m, struct kmonitor_filters *filters)
{
	struct kmonitor_entry *entry;
	unsigned long handle;

	/* To be interrupted by less than death would hide entries. */
	if (mutex_lock_killable(&filters->lock))
		return;
	count_members(filters);
	xa_for_each(&filters->entries, handle, entry) {
		if (!kmonitor_entry_alive(entry))
			continue;
		seq_printf(m, "entry:\thandle=%llu target=%u id=%llu",
			   entry->handle, entry->target, id_of(filters, entry));
		seq_printf(m, " start_ns=%llu events=%#x flags=%#x",
			   entry->start_ns, entry->events, 0);
		seq_printf(m, " cookie=%#llx members=%u\n", entry->cookie,
			   entry->members);
	}
	mutex_unlock(&filters->lock);
}

/**
 * kmonitor_show_fdinfo - show a descriptor's accounting and its filter
 * @m: Where to.
 * @file: The descriptor.
 *
 * One line "key:\tvalue" for each number, and one for each live entry, whose
 * value is words "name=value" as in &struct kmonitor_filter; ids are those of
 * the creator's pid namespace, whoever reads.  Later kernels may add lines,
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
