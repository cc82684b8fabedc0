// SPDX-License-Identifier: GPL-2.0-only
/*
 * EMPTY records, which are never lost: they wait in their entry for room.
 */

#include <linux/list.h>

#include "entry.h"
#include "record.h"
#include "wake.h"

/* Writes the first EMPTY record that waits for room; whether one has found it. */
static bool flush_one(struct kmonitor *mon)
{
	struct kmonitor_filters *filters = &mon->filters;
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

/*
 * Writes EMPTY records that wait for room.  pending_lock puts them in order.
 * Who adds one and who makes room meet in the barriers of kmonitor_tree_empty()
 * and kmonitor_ring_consume().  An exit does no more than a batch; the reader
 * does the rest.
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

/**
 * kmonitor_tree_empty - report that a tree has no member left
 * @filters: The filter of the descriptor.
 * @entry: The tree, just killed by the caller.
 *
 * Context: Under RCU.  Any but NMI.
 */
void kmonitor_tree_empty(struct kmonitor_filters *filters,
			 struct kmonitor_entry *entry)
{
	struct kmonitor *mon = container_of(filters, struct kmonitor, filters);

	scoped_guard(spinlock_irqsave, &filters->pending_lock)
	{
		list_add_tail(&entry->pending, &filters->pending);
		mon->ring.area->header.waiting++;
	}
	/* Pairs with the barrier in kmonitor_ring_consume(). */
	smp_mb();
	kmonitor_flush_pending(mon);
}
