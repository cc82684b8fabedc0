// SPDX-License-Identifier: GPL-2.0-only
/*
 * An entry of the filter table, the kernel object of a filter; and the table.
 *
 * An entry ends once: the caller that kills it also discards it, which takes it
 * out of the table.  That may be an edit or close, under the lock of the table,
 * or the exit of the process or thread that it names, without.  So whoever finds
 * an entry takes a reference, under RCU.
 *
 * entry->filters is valid under RCU while the entry is alive: close kills all
 * entries, and a grace period passes before the descriptor is freed.
 */

#include <linux/cred.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>

#include "access.h"
#include "entry.h"
#include "limits.h"

/**
 * kmonitor_entry_create - make an entry
 * @target: One of &enum kmonitor_target.
 * @pid: The process or thread that it names, or NULL; the entry takes a
 *	reference of its own.
 * @start_ns: start_ns of that process.
 *
 * Context: May sleep.
 * Return: The entry with one reference and @sets at one, or NULL.
 */
struct kmonitor_entry *kmonitor_entry_create(u32 target, struct pid *pid,
					     u64 start_ns)
{
	struct kmonitor_entry *entry;

	entry = kzalloc(struct_size(entry, end,
				    kmonitor_target_names_end(target)),
			KMONITOR_GFP);
	if (!entry)
		return NULL;
	refcount_set(&entry->refs, 1);
	atomic_set(&entry->sets, 1);
	INIT_LIST_HEAD(&entry->pending);
	entry->target = target;
	entry->pid = get_pid(pid);
	entry->start_ns = start_ns;
	return entry;
}

/**
 * kmonitor_entry_put_killer - forget who kills the members on close
 * @entry: The entry.
 *
 * Context: Under the lock of the filter table, or nobody else has it.
 */
void kmonitor_entry_put_killer(struct kmonitor_entry *entry)
{
	if (!entry->kill_cred)
		return;
	put_cred(entry->kill_cred);
	put_pid_ns(entry->kill_ns);
}

/**
 * kmonitor_entry_put - drop a reference
 * @entry: The entry.
 *
 * Context: Any.  The memory is freed an RCU grace period later.
 */
void kmonitor_entry_put(struct kmonitor_entry *entry)
{
	if (!refcount_dec_and_test(&entry->refs))
		return;
	put_pid(entry->pid);
	kmonitor_entry_put_killer(entry);
	kfree_rcu(entry, rcu);
}

/**
 * kmonitor_entry_discard - take a dead entry out of its table
 * @entry: The entry, which has no more record to append.  The reference of the
 *	table is dropped, and the charge taken back.
 *
 * Context: Under RCU, by the caller that killed it; or nobody else has it.
 */
void kmonitor_entry_discard(struct kmonitor_entry *entry)
{
	struct kmonitor_filter_table *filters = entry->filters;
	unsigned long flags;

	xa_lock_irqsave(&filters->entries, flags);
	__xa_erase(&filters->entries, entry->handle);
	WRITE_ONCE(filters->nr, filters->nr - 1);
	xa_unlock_irqrestore(&filters->entries, flags);
	kmonitor_uncharge_filter(entry->ucounts);
	kmonitor_entry_put(entry);
}

static void raise_to(atomic64_t *max, u64 value)
{
	s64 old = atomic64_read(max);

	while ((u64)old < value && !atomic64_try_cmpxchg(max, &old, value))
		;
}

/**
 * kmonitor_entry_account - add the end of a member to the totals
 * @entry: The entry of the tree.
 * @pid: The member.
 * @exit: Its status and usage.
 * @oom: The OOM killer chose it.
 *
 * Context: Any.
 */
void kmonitor_entry_account(struct kmonitor_entry *entry, struct pid *pid,
			    const struct kmonitor_exit *exit, bool oom)
{
	struct kmonitor_totals *totals = &entry->totals;

	if (pid == entry->pid)
		WRITE_ONCE(totals->root_status, exit->status);
	if (oom)
		atomic_or(KMONITOR_EMPTY_OOM, &totals->flags);
	if (exit->status)
		atomic64_inc(&totals->failed);
	atomic64_inc(&totals->members);
	atomic64_add(exit->utime_ns, &totals->utime_ns);
	atomic64_add(exit->stime_ns, &totals->stime_ns);
	raise_to(&totals->maxrss_kib, exit->maxrss_kib);
}

/**
 * kmonitor_filter_table_init - make an empty table, created by the calling task
 * @filters: Zeroed memory.
 *
 * Context: Process context.
 */
void kmonitor_filter_table_init(struct kmonitor_filter_table *filters)
{
	mutex_init(&filters->lock);
	kmonitor_creator_init(&filters->creator);
	filters->always = filters->creator.plain ? 0 : ~0U;
	filters->checked = filters->always;
	xa_init_flags(&filters->entries, XA_FLAGS_LOCK_IRQ);
	filters->next_handle = 1;
	spin_lock_init(&filters->pending_lock);
	INIT_LIST_HEAD(&filters->pending);
}

/**
 * kmonitor_filter_table_update_checked - find out which types need a check
 * @filters: The table, something of which has changed.
 *
 * Context: Any.  Under the pending_lock of the table.
 */
void kmonitor_filter_table_update_checked(struct kmonitor_filter_table *filters)
{
	u32 checked = filters->always | filters->suppressed;

	lockdep_assert_held(&filters->pending_lock);
	if (!list_empty(&filters->pending))
		checked |= KMONITOR_EXITS;
	WRITE_ONCE(filters->checked, checked);
}

/**
 * kmonitor_filter_table_check_always - check more event types from now on
 * @filters: The table.
 * @events: The types, or 0.
 *
 * Context: May sleep.
 */
void kmonitor_filter_table_check_always(struct kmonitor_filter_table *filters,
					u32 events)
{
	spin_lock_irq(&filters->pending_lock);
	filters->always |= events;
	kmonitor_filter_table_update_checked(filters);
	spin_unlock_irq(&filters->pending_lock);
}

/**
 * kmonitor_filter_table_destroy - free the table of a closed descriptor
 * @filters: The table.  All its entries are dead since a grace period.
 *
 * Context: May sleep.
 */
void kmonitor_filter_table_destroy(struct kmonitor_filter_table *filters)
{
	struct kmonitor_entry *entry;
	unsigned long handle;

	xa_for_each(&filters->entries, handle, entry)
		kmonitor_entry_discard(entry);
	xa_destroy(&filters->entries);
	kmonitor_creator_destroy(&filters->creator);
}

/**
 * kmonitor_filter_table_add - put an entry into the table
 * @filters: The table.
 * @entry: The entry; the table gets the reference of the caller.
 *
 * Context: May sleep.  Under the lock of the table.
 * Return: 0 or -ENOMEM.
 */
int kmonitor_filter_table_add(struct kmonitor_filter_table *filters,
			      struct kmonitor_entry *entry)
{
	int ret;

	lockdep_assert_held(&filters->lock);
	entry->filters = filters;
	entry->handle = filters->next_handle;
	xa_lock_irq(&filters->entries);
	ret = xa_err(__xa_store(&filters->entries, entry->handle, entry,
				KMONITOR_GFP));
	if (!ret)
		WRITE_ONCE(filters->nr, filters->nr + 1);
	xa_unlock_irq(&filters->entries);
	if (!ret)
		filters->next_handle++;
	return ret;
}

/**
 * kmonitor_filter_table_settle - wait for entries whose last record can be read
 * @filters: The table.
 *
 * After EMPTY, or an end that had to wait for room, was read, the entry is gone.
 *
 * Context: Any.
 */
void kmonitor_filter_table_settle(struct kmonitor_filter_table *filters)
{
	spin_lock_irq(&filters->pending_lock);
	spin_unlock_irq(&filters->pending_lock);
}

/**
 * kmonitor_filter_table_count - count the entries
 * @filters: The table.
 *
 * Context: Any.
 * Return: The number of entries, including those with a record that waits for
 *	room.
 */
u32 kmonitor_filter_table_count(struct kmonitor_filter_table *filters)
{
	kmonitor_filter_table_settle(filters);
	return READ_ONCE(filters->nr);
}

/**
 * kmonitor_filter_table_next - find the first entry at or after a handle
 * @filters: The table.
 * @handle: Where to begin; set to the handle that was found.
 *
 * Context: Any.
 * Return: The entry, dead or alive, with a reference; or NULL.
 */
struct kmonitor_entry *
kmonitor_filter_table_next(struct kmonitor_filter_table *filters,
			   unsigned long *handle)
{
	struct kmonitor_entry *entry;

	guard(rcu)();
	do {
		entry = xa_find(&filters->entries, handle, ULONG_MAX,
				XA_PRESENT);
	} while (entry && !refcount_inc_not_zero(&entry->refs));
	return entry;
}

/**
 * kmonitor_filter_table_get - find an entry by its handle
 * @filters: The table.
 * @handle: The handle.
 *
 * Context: Any.
 * Return: The live entry with a reference, or NULL.
 */
struct kmonitor_entry *
kmonitor_filter_table_get(struct kmonitor_filter_table *filters, u64 handle)
{
	struct kmonitor_entry *entry;

	guard(rcu)();
	entry = xa_load(&filters->entries, handle);
	if (!entry || !kmonitor_entry_alive(entry) ||
	    !refcount_inc_not_zero(&entry->refs))
		return NULL;
	return entry;
}
