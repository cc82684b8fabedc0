// SPDX-License-Identifier: GPL-2.0-only
/*
 * A filter entry: its life and its totals.
 */

#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/slab.h>

#include "entry.h"
#include "limits.h"

/**
 * kmonitor_entry_create - make an entry
 * @target: One of &enum kmonitor_target.
 * @pid: What it names, or NULL; the entry takes a reference of its own.
 * @start_ns: start_ns of that process.
 *
 * Context: May sleep.
 * Return: The entry with one reference and @sets at one, or NULL.
 */
struct kmonitor_entry *kmonitor_entry_create(u32 target, struct pid *pid,
					     u64 start_ns)
{
	struct kmonitor_entry *entry;

	entry = kzalloc(sizeof(*entry), KMONITOR_GFP);
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
 * kmonitor_entry_put - drop a reference
 * @entry: The entry.
 *
 * Context: Any.  The memory stays for an RCU grace period.
 */
void kmonitor_entry_put(struct kmonitor_entry *entry)
{
	if (!refcount_dec_and_test(&entry->refs))
		return;
	put_pid(entry->pid);
	put_cred(entry->killer);
	kfree_rcu(entry, rcu);
}

static void raise_to(atomic64_t *max, u64 value)
{
	s64 old = atomic64_read(max);

	while ((u64)old < value && !atomic64_try_cmpxchg(max, &old, value))
		;
}

/**
 * kmonitor_entry_account - add the end of a member to the totals
 * @entry: The entry, of a tree.
 * @pid: The member.
 * @exit: Its status and usage.
 * @oom: Whether the OOM killer chose it.
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
		atomic_inc(&totals->failed);
	atomic_inc(&totals->members);
	atomic64_add(exit->utime_ns, &totals->utime_ns);
	atomic64_add(exit->stime_ns, &totals->stime_ns);
	raise_to(&totals->maxrss_kib, exit->maxrss_kib);
}
