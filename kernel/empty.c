// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a tree, and ends that wait for room.
 *
 * EMPTY, and the end of the process or thread that a filter names, are never
 * lost: without room in the ring they wait in their entry.  The entry is dead
 * then, and is discarded when its record has got its place.
 */

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "access.h"
#include "empty.h"
#include "entry.h"
#include "monitor.h"
#include "ring.h"
#include "wake.h"

/**
 * kmonitor_record_fill_empty - make the record of a tree's end
 * @event: All but its seq and cookie is filled in.
 * @entry: The tree.
 * @creator: The creator, whose pid namespace the ids belong to.
 *
 * Context: Any but NMI.
 */
void kmonitor_record_fill_empty(struct kmonitor_event *event,
				const struct kmonitor_entry *entry,
				const struct kmonitor_creator *creator)
{
	const struct kmonitor_totals *totals = &entry->totals;

	memset(event, 0, sizeof(*event));
	event->time_ns = entry->empty_ns;
	event->type = KMONITOR_EMPTY;
	event->cpu = raw_smp_processor_id();
	event->pid = pid_nr_ns(entry->pid, creator->pid_ns);
	event->tgid = event->pid;
	event->uid = -1;
	event->start_ns = entry->start_ns;
	event->empty.root_status = READ_ONCE(totals->root_status);
	event->empty.flags = atomic_read(&totals->flags);
	event->empty.members =
		min_t(s64, atomic64_read(&totals->members), U32_MAX);
	event->empty.failed =
		min_t(s64, atomic64_read(&totals->failed), U32_MAX);
	event->empty.handle = entry->handle;
	event->empty.utime_ns = atomic64_read(&totals->utime_ns);
	event->empty.stime_ns = atomic64_read(&totals->stime_ns);
	event->empty.maxrss_kib = atomic64_read(&totals->maxrss_kib);
}

/* Makes the record for which an entry waits. */
static void fill_waiting(struct kmonitor_event *event,
			 const struct kmonitor_entry *entry)
{
	if (entry->target == KMONITOR_TARGET_TREE)
		kmonitor_record_fill_empty(event, entry,
					   &entry->filters->creator);
	else
		*event = *entry->end;
}

/* Appends the first record that waits.  Returns false without room. */
static bool flush_one(struct kmonitor *mon)
{
	struct kmonitor_filter_table *filters = &mon->filters;
	enum kmonitor_wakeup wakeup = KMONITOR_WAKEUP_NONE;
	struct kmonitor_entry *entry;
	struct kmonitor_event event;
	struct kmonitor_group group = {
		.event = &event,
		.urgent = true,
	};
	bool appended = false;
	unsigned long flags;

	spin_lock_irqsave(&filters->pending_lock, flags);
	entry = list_first_entry_or_null(&filters->pending,
					 struct kmonitor_entry, pending);
	if (entry) {
		fill_waiting(&event, entry);
		group.cookie = READ_ONCE(entry->cookie);
		appended =
			kmonitor_ring_try_append(&mon->ring, &group, &wakeup);
	}
	if (appended) {
		mon->ring.area->header.waiting--;
		list_del_init(&entry->pending);
		kmonitor_filter_table_update_checked(filters);
		kmonitor_entry_discard(entry);
	}
	spin_unlock_irqrestore(&filters->pending_lock, flags);

	/* The creator may not see the task that ends the tree. */
	kmonitor_wake_as_owed(mon, wakeup, !filters->creator.sees_all);
	return appended;
}

/**
 * kmonitor_flush_pending - append records that wait for room
 * @mon: The descriptor.
 *
 * pending_lock keeps their order.  The barriers of add_waiting() and
 * kmonitor_ring_consume() ensure that either the one that adds a record sees
 * the new room, or the one that makes room sees the record.  An exit appends
 * no more than a batch and leaves the rest to the reader.
 *
 * Context: Any but NMI.
 */
void kmonitor_flush_pending(struct kmonitor *mon)
{
	int batch = 16;

	if (list_empty(&mon->filters.pending))
		return;
	while (flush_one(mon)) {
		if (!--batch) {
			kmonitor_wake(mon, true);
			return;
		}
	}
}

/* Lets the last record of a dead entry wait, or gives it its place at once. */
static void add_waiting(struct kmonitor *mon, struct kmonitor_entry *entry)
{
	struct kmonitor_filter_table *filters = &mon->filters;
	unsigned long flags;

	spin_lock_irqsave(&filters->pending_lock, flags);
	list_add_tail(&entry->pending, &filters->pending);
	kmonitor_filter_table_update_checked(filters);
	mon->ring.area->header.waiting++;
	spin_unlock_irqrestore(&filters->pending_lock, flags);
	/* Pairs with the barrier in kmonitor_ring_consume(). */
	smp_mb();
	kmonitor_flush_pending(mon);
}

/**
 * kmonitor_keep_end - let the end that a filter names wait for room
 * @mon: The descriptor.
 * @entry: Its entry of a PROCESS or a THREAD, just killed by the caller.
 * @event: The PROCESS_EXIT or THREAD_EXIT.
 *
 * Context: Under RCU.  Any but NMI.
 */
void kmonitor_keep_end(struct kmonitor *mon, struct kmonitor_entry *entry,
		       const struct kmonitor_event *event)
{
	*entry->end = *event;
	add_waiting(mon, entry);
}

/**
 * kmonitor_entry_leave - drop the reference of a mark set to an entry
 * @entry: The entry.
 *
 * A tree that loses its last mark set is empty.
 *
 * Context: Any but NMI.
 */
void kmonitor_entry_leave(struct kmonitor_entry *entry)
{
	rcu_read_lock();
	if (atomic_dec_and_test(&entry->sets) &&
	    entry->target == KMONITOR_TARGET_TREE &&
	    kmonitor_entry_kill(entry)) {
		entry->empty_ns = ktime_get_boottime_ns();
		add_waiting(container_of(entry->filters, struct kmonitor,
					 filters),
			    entry);
	}
	rcu_read_unlock();
	kmonitor_entry_put(entry);
}
