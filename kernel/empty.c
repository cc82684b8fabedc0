// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a tree.
 *
 * EMPTY records are never lost: they wait in their entry for room in the ring.
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
	event->empty.members = atomic_read(&totals->members);
	event->empty.failed = atomic_read(&totals->failed);
	event->empty.handle = entry->handle;
	event->empty.utime_ns = atomic64_read(&totals->utime_ns);
	event->empty.stime_ns = atomic64_read(&totals->stime_ns);
	event->empty.maxrss_kib = atomic64_read(&totals->maxrss_kib);
}

/* Appends the first EMPTY record that waits.  Returns false without room. */
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
		kmonitor_record_fill_empty(&event, entry, &filters->creator);
		group.cookie = READ_ONCE(entry->cookie);
		appended = kmonitor_ring_try_append(&mon->ring, &group,
						    &wakeup);
	}
	if (appended) {
		mon->ring.area->header.waiting--;
		list_del_init(&entry->pending);
		kmonitor_entry_discard(entry);
	}
	spin_unlock_irqrestore(&filters->pending_lock, flags);

	kmonitor_wake_as_owed(mon, wakeup, true);
	return appended;
}

/**
 * kmonitor_flush_pending - append EMPTY records that wait for room
 * @mon: The descriptor.
 *
 * pending_lock keeps their order.  The barriers of append_empty() and
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

/* Reports that a tree has no member left.  The caller has killed it. */
static void append_empty(struct kmonitor_entry *entry)
{
	struct kmonitor_filter_table *filters = entry->filters;
	struct kmonitor *mon = container_of(filters, struct kmonitor, filters);
	unsigned long flags;

	spin_lock_irqsave(&filters->pending_lock, flags);
	list_add_tail(&entry->pending, &filters->pending);
	mon->ring.area->header.waiting++;
	spin_unlock_irqrestore(&filters->pending_lock, flags);
	/* Pairs with the barrier in kmonitor_ring_consume(). */
	smp_mb();
	kmonitor_flush_pending(mon);
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
		append_empty(entry);
	}
	rcu_read_unlock();
	kmonitor_entry_put(entry);
}
