// SPDX-License-Identifier: GPL-2.0-only
/*
 * How mark sets are made from others: with one more entry, or without those
 * that have died.
 *
 * A set has two levels at most: the trees that children inherit, and on top of
 * them what only this process has.
 */

#include <linux/hash.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "empty.h"
#include "entry.h"
#include "limits.h"
#include "mark_set.h"

/**
 * kmonitor_mark_put - drop a reference to a set
 * @set: The set, or NULL.
 *
 * Reports trees that become empty.
 *
 * Context: Any.
 */
void kmonitor_mark_put(struct kmonitor_mark_set *set)
{
	struct kmonitor_mark_set *inherit;

	while (set && atomic_dec_and_test(&set->users)) {
		inherit = set->inherit != set ? set->inherit : NULL;
		for (u32 i = 0; i < set->nr; i++)
			kmonitor_entry_leave(set->entries[i]);
		kfree_rcu(set, rcu);
		set = inherit;
	}
}

/**
 * kmonitor_mark_set_has - test whether an entry is in a set
 * @set: The set, or NULL.
 * @entry: The entry.
 *
 * Context: Under RCU, or with a reference.
 * Return: True if it is.
 */
bool kmonitor_mark_set_has(const struct kmonitor_mark_set *set,
			   const struct kmonitor_entry *entry)
{
	for (u32 i = 0; set && i < set->nr; i++) {
		if (set->entries[i] == entry)
			return true;
	}
	return false;
}

static u32 count_live(const struct kmonitor_mark_set *set)
{
	u32 nr = 0;

	for (u32 i = 0; set && i < set->nr; i++)
		nr += kmonitor_entry_alive(set->entries[i]);
	return nr;
}

static bool has_dead_entry(const struct kmonitor_mark_set *set)
{
	return set && count_live(set) < set->nr;
}

/**
 * kmonitor_mark_set_has_dead - test a set and its inherited set for dead entries
 * @set: The set, or NULL.
 *
 * Context: Under RCU, or with a reference.
 * Return: True if an entry is dead.
 */
bool kmonitor_mark_set_has_dead(const struct kmonitor_mark_set *set)
{
	return has_dead_entry(set) || (set && has_dead_entry(set->inherit));
}

/*
 * Returns true if the new entry goes before another one of its descriptor: first
 * those that suppress, then the more specific target, then the inner tree.  A
 * tree that holds the root of the new one is outside it.
 */
static bool goes_before(const struct kmonitor_mark_edit *edit,
			const struct kmonitor_entry *other)
{
	const struct kmonitor_entry *entry = edit->entry;

	if (kmonitor_entry_ignores(entry) != kmonitor_entry_ignores(other))
		return kmonitor_entry_ignores(entry);
	if (entry->target != other->target)
		return entry->target < other->target;
	return other->target != KMONITOR_TARGET_TREE ||
	       kmonitor_mark_set_has(edit->root, other);
}

/* Limits what unprivileged filters may cost a process, for each user. */
static bool exceeds_entry_limit(const struct kmonitor_mark_set *set,
				const struct kmonitor_entry *entry)
{
	u32 nr = 0, nr_of_user = 0;

	if (!entry->unprivileged)
		return false;
	for (u32 i = 0; set && i < set->nr; i++) {
		const struct kmonitor_entry *other = set->entries[i];

		if (!other->unprivileged || other->target != entry->target ||
		    (other->target == KMONITOR_TARGET_THREAD &&
		     other->pid != entry->pid) ||
		    !kmonitor_entry_alive(other))
			continue;
		nr++;
		nr_of_user += uid_eq(other->owner, entry->owner);
	}
	return nr_of_user >= KMONITOR_MAX_PER_USER ||
	       nr >= KMONITOR_MAX_UNPRIVILEGED;
}

/* Event types whose hooks look at the entry, if only to retire it. */
static u32 hook_events_of(const struct kmonitor_entry *entry)
{
	u32 events = READ_ONCE(entry->may_want) | KMONITOR_PROCESS_EXIT;

	if (entry->target == KMONITOR_TARGET_THREAD)
		events |= KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_EXEC;
	return events;
}

/**
 * kmonitor_mark_set_widen - let a set have all that its entries may want
 * @set: The set.
 *
 * Context: Under RCU, or with a reference.
 */
void kmonitor_mark_set_widen(struct kmonitor_mark_set *set)
{
	u32 old = READ_ONCE(set->events);
	u32 events = 0;

	for (u32 i = 0; i < set->nr; i++)
		events |= hook_events_of(set->entries[i]);
	while (events & ~old && !try_cmpxchg(&set->events, &old, old | events))
		;
}

static void append_entry(struct kmonitor_mark_set *set,
			 struct kmonitor_entry *entry)
{
	set->events |= hook_events_of(entry);
	refcount_inc(&entry->refs);
	atomic_inc(&entry->sets);
	set->nr++;
	set->entries[set->nr - 1] = entry;
}

/* A sweep remakes a set for those who have paid for it. */
static struct kmonitor_mark_set *
allocate_set(const struct kmonitor_mark_edit *edit,
	     struct kmonitor_mark_set *old, size_t size)
{
	const gfp_t flags = GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN;
	struct mem_cgroup *own;
	void *set;

	if (edit->entry)
		return kzalloc(size, flags);
	guard(rcu)();
	own = set_active_memcg(mem_cgroup_from_slab_obj(old));
	set = kzalloc(size, flags);
	set_active_memcg(own);
	return set;
}

/*
 * Makes a set of the live entries of old and the new entry, if there is one.
 * Entries may die between count and copy, but none becomes live: the count is an
 * upper bound.
 */
static struct kmonitor_mark_set *
copy_live_entries(struct kmonitor_mark_edit *edit,
		  struct kmonitor_mark_set *old)
{
	struct kmonitor_entry *entry = edit->entry;
	u32 nr = count_live(old) + !!entry;
	struct kmonitor_mark_set *set;
	bool placed = !entry;

	if (!nr)
		return NULL;
	if (entry && exceeds_entry_limit(old, entry)) {
		edit->error = -ENOSPC;
		return NULL;
	}
	set = allocate_set(edit, old, struct_size(set, entries, nr));
	if (!set) {
		edit->missing = struct_size(set, entries, nr);
		edit->error = -ENOMEM;
		return NULL;
	}
	atomic_set(&set->users, 1);
	for (u32 i = 0; old && i < old->nr; i++) {
		struct kmonitor_entry *other = old->entries[i];

		if (!placed && (other->filters > entry->filters ||
				(other->filters == entry->filters &&
				 goes_before(edit, other)))) {
			append_entry(set, entry);
			placed = true;
		}
		if (kmonitor_entry_alive(other))
			append_entry(set, other);
	}
	if (!placed)
		append_entry(set, entry);
	return set;
}

static void remember_replacement(struct kmonitor_mark_edit *edit,
				 struct kmonitor_mark_set *old,
				 struct kmonitor_mark_set *new)
{
	u32 i = hash_ptr(old, ilog2(ARRAY_SIZE(edit->made)));

	kmonitor_mark_put(edit->made[i].new);
	kmonitor_mark_put(edit->made[i].old);
	if (old)
		atomic_inc(&old->users);
	edit->made[i].old = old;
	atomic_inc(&new->users);
	edit->made[i].new = new;
}

static struct kmonitor_mark_set *
recall_replacement(struct kmonitor_mark_edit *edit,
		   struct kmonitor_mark_set *old)
{
	u32 i = hash_ptr(old, ilog2(ARRAY_SIZE(edit->made)));

	if (!edit->made[i].new || edit->made[i].old != old)
		return NULL;
	atomic_inc(&edit->made[i].new->users);
	return edit->made[i].new;
}

/**
 * kmonitor_mark_edit_end - drop the sets that an edit has remembered
 * @edit: The edit, which may go on.
 *
 * Context: Any.
 */
void kmonitor_mark_edit_end(struct kmonitor_mark_edit *edit)
{
	for (u32 i = 0; i < ARRAY_SIZE(edit->made); i++) {
		kmonitor_mark_put(edit->made[i].new);
		kmonitor_mark_put(edit->made[i].old);
		edit->made[i].new = NULL;
		edit->made[i].old = NULL;
	}
}

/* Returns true if the edit changes the set that children inherit. */
static bool edits_trees(const struct kmonitor_mark_edit *edit)
{
	return !edit->entry || edit->entry->target == KMONITOR_TARGET_TREE;
}

/**
 * kmonitor_mark_set_replace - make the replacement of a set
 * @edit: The edit.
 * @old: The set, or NULL.
 *
 * Context: Any.  Serialised by the caller.
 * Return: The new set with a reference; NULL if it would have no entry, or after
 *	an error, see @edit->error.
 */
struct kmonitor_mark_set *
kmonitor_mark_set_replace(struct kmonitor_mark_edit *edit,
			  struct kmonitor_mark_set *old)
{
	struct kmonitor_mark_set *inherit = old ? old->inherit : NULL;
	struct kmonitor_mark_set *new = recall_replacement(edit, old);

	if (new)
		return new;
	if (!edit->entry && old && !kmonitor_mark_set_has_dead(old)) {
		atomic_inc(&old->users);
		return old;
	}
	if (edits_trees(edit) && inherit == old) {
		new = copy_live_entries(edit, old);
		if (new)
			new->inherit = new;
	} else {
		if (edits_trees(edit))
			inherit = kmonitor_mark_set_replace(edit, inherit);
		else if (inherit)
			atomic_inc(&inherit->users);
		new = edit->error ? NULL : copy_live_entries(edit, old);
		if (new)
			new->inherit = inherit;
		else
			kmonitor_mark_put(inherit);
	}
	if (new)
		remember_replacement(edit, old, new);
	return new;
}
