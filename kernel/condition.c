// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conditions: entries that are matched at each event, by the subject's cgroup
 * and user.
 *
 * Those that want records belong to the pid namespace of their creator: a task
 * is matched against those of the namespaces that it is visible in.  Those that
 * suppress records belong to their descriptor.  CGROUP and UID are found by id
 * in one hash table, whose key includes the namespace or descriptor: the cost
 * for a task that none of them matches doesn't depend on their number.
 */

#include <linux/cred.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "cgroup.h"
#include "condition.h"
#include "entry.h"
#include "event_data.h"
#include "limits.h"

static const struct rhashtable_params condition_params = {
	.key_len = sizeof(struct kmonitor_condition),
	.key_offset = offsetof(struct kmonitor_entry, condition),
	.head_offset = offsetof(struct kmonitor_entry, hash),
	.automatic_shrinking = true,
};

/* Not an event type: set for each entry, for snapshots. */
#define PRESENT BIT(31)

/* CGROUP and UID entries by their struct kmonitor_condition. */
static struct rhltable condition_table;

/* Serialises edits of all conditions.  Inside the lock of a filter table. */
static DEFINE_MUTEX(conditions_lock);

static struct pid_namespace *namespace_of(const struct kmonitor_entry *entry)
{
	return kmonitor_entry_ignores(entry) ? NULL :
					       entry->filters->creator.pid_ns;
}

/* Returns the conditions that an entry belongs to, or NULL. */
static struct kmonitor_conditions *
find_conditions(struct kmonitor_filter_table *filters, bool ignore)
{
	if (ignore)
		return &filters->ignored;
	return rcu_dereference_protected(
		filters->creator.pid_ns->kmonitor_conditions,
		lockdep_is_held(&conditions_lock));
}

static struct kmonitor_conditions *make_conditions(struct kmonitor_entry *entry)
{
	struct kmonitor_conditions *conditions;

	conditions =
		find_conditions(entry->filters, kmonitor_entry_ignores(entry));
	if (conditions)
		return conditions;
	conditions = kzalloc(sizeof(*conditions), GFP_KERNEL_ACCOUNT);
	if (conditions)
		rcu_assign_pointer(namespace_of(entry)->kmonitor_conditions,
				   conditions);
	return conditions;
}

static void drop_unused(struct kmonitor_conditions *conditions,
			struct pid_namespace *ns)
{
	if (!ns || conditions->nr)
		return;
	RCU_INIT_POINTER(ns->kmonitor_conditions, NULL);
	kfree_rcu(conditions, rcu);
}

static void suppress_events(struct kmonitor_filter_table *filters, u32 events)
{
	spin_lock_irq(&filters->pending_lock);
	filters->suppressed = events;
	kmonitor_filter_table_update_checked(filters);
	spin_unlock_irq(&filters->pending_lock);
}

/* Moves the counts of wanted events from @before to @now. */
static void count_wanted_events(struct kmonitor_entry *entry, u32 before,
				u32 now)
{
	struct kmonitor_conditions *conditions = entry->condition.where;
	u32 kind = entry->target - KMONITOR_TARGET_CGROUP;
	struct pid_namespace *ns = namespace_of(entry);
	u32 any, by_id, bit, changed;

	for (changed = before ^ now; changed; changed &= ~bit) {
		u32 *wanting = &conditions->wanting[kind][__ffs(changed)];

		bit = BIT(__ffs(changed));
		*wanting += now & bit ? 1 : -1;
		if (*wanting)
			WRITE_ONCE(conditions->events[kind],
				   conditions->events[kind] | bit);
		else
			WRITE_ONCE(conditions->events[kind],
				   conditions->events[kind] & ~bit);
	}
	by_id = conditions->events[KMONITOR_CONDITION_CGROUP] |
		conditions->events[KMONITOR_CONDITION_UID];
	WRITE_ONCE(conditions->by_id, by_id);
	any = by_id | conditions->events[KMONITOR_CONDITION_ALL];
	if (ns)
		WRITE_ONCE(ns->kmonitor_events, any);
	else
		suppress_events(entry->filters, any);
}

/* The caller holds conditions_lock or the RCU read lock. */
static struct rhlist_head *
look_up_conditions(const struct kmonitor_conditions *conditions, u32 target,
		   u64 id)
{
	const struct kmonitor_condition key = {
		.id = id,
		.where = (struct kmonitor_conditions *)conditions,
		.target = target,
	};

	return rhltable_lookup(&condition_table, &key, condition_params);
}

/* Limits what unprivileged filters may cost the tasks of a user. */
static bool exceeds_uid_limit(const struct kmonitor_entry *entry)
{
	struct kmonitor_entry *other;
	struct rhlist_head *pos;
	u32 nr = 0;

	if (!entry->unprivileged || entry->target != KMONITOR_TARGET_UID ||
	    kmonitor_entry_ignores(entry))
		return false;
	guard(rcu)();
	rhl_for_each_entry_rcu(other, pos,
			       look_up_conditions(entry->condition.where,
						  entry->target,
						  entry->condition.id),
			       hash)
		nr += other->unprivileged;
	return nr >= KMONITOR_MAX_UNPRIVILEGED;
}

static int insert_condition(struct kmonitor_entry *entry)
{
	int ret;

	if (entry->target == KMONITOR_TARGET_ALL) {
		hlist_add_head_rcu(&entry->all, &entry->condition.where->all);
		return 0;
	}
	if (exceeds_uid_limit(entry))
		return -ENOSPC;
	ret = rhltable_insert(&condition_table, &entry->hash, condition_params);
	return ret ? -ENOMEM : 0;
}

/**
 * kmonitor_condition_add - make a condition visible to the hooks
 * @entry: The entry; its condition has target and id.
 *
 * Context: May sleep.  Under the lock of the filter table.
 * Return: 0, -ENOMEM, or -ENOSPC if the user has its limit of unprivileged
 *	entries.
 */
int kmonitor_condition_add(struct kmonitor_entry *entry)
{
	struct kmonitor_conditions *conditions;
	int ret;

	guard(mutex)(&conditions_lock);
	conditions = make_conditions(entry);
	if (!conditions)
		return -ENOMEM;
	entry->condition.where = conditions;
	ret = insert_condition(entry);
	if (ret) {
		entry->condition.where = NULL;
		drop_unused(conditions, namespace_of(entry));
		return ret;
	}
	conditions->nr++;
	count_wanted_events(entry, 0, entry->events | PRESENT);
	return 0;
}

/**
 * kmonitor_condition_del - hide a condition from the hooks
 * @entry: The entry, just killed by the caller.
 *
 * Context: May sleep.  Hooks may have found it until a grace period has passed.
 */
void kmonitor_condition_del(struct kmonitor_entry *entry)
{
	struct kmonitor_conditions *conditions = entry->condition.where;

	if (!conditions)
		return;
	guard(mutex)(&conditions_lock);
	count_wanted_events(entry, entry->events | PRESENT, 0);
	if (entry->target == KMONITOR_TARGET_ALL)
		hlist_del_rcu(&entry->all);
	else
		rhltable_remove(&condition_table, &entry->hash,
				condition_params);
	conditions->nr--;
	drop_unused(conditions, namespace_of(entry));
}

/**
 * kmonitor_condition_set_events - change the events that a condition wants
 * @entry: The entry.
 * @events: Bits of the event types.
 *
 * Context: May sleep.  Under the lock of the filter table.
 */
void kmonitor_condition_set_events(struct kmonitor_entry *entry, u32 events)
{
	guard(mutex)(&conditions_lock);
	count_wanted_events(entry, entry->events | PRESENT, events | PRESENT);
	WRITE_ONCE(entry->events, events);
}

/**
 * kmonitor_condition_find - find a condition of a descriptor
 * @filters: The filters of the descriptor.
 * @target: CGROUP, UID or ALL.
 * @id: As in &struct kmonitor_condition.
 * @ignore: Look for one that suppresses records.
 *
 * Context: May sleep.  Under the lock of the filter table, which keeps the
 *	entry.
 * Return: The entry or NULL.
 */
struct kmonitor_entry *
kmonitor_condition_find(struct kmonitor_filter_table *filters, u32 target,
			u64 id, bool ignore)
{
	struct kmonitor_conditions *conditions;
	struct kmonitor_entry *entry;
	struct rhlist_head *pos;

	guard(mutex)(&conditions_lock);
	conditions = find_conditions(filters, ignore);
	if (!conditions)
		return NULL;
	guard(rcu)();
	if (target == KMONITOR_TARGET_ALL) {
		hlist_for_each_entry_rcu(entry, &conditions->all, all) {
			if (entry->filters == filters)
				return entry;
		}
		return NULL;
	}
	rhl_for_each_entry_rcu(
		entry, pos, look_up_conditions(conditions, target, id), hash) {
		if (entry->filters == filters)
			return entry;
	}
	return NULL;
}

static bool visit_conditions_by_id(const struct kmonitor_conditions *conditions,
				   u32 target, u64 id, kmonitor_visit_t visit,
				   void *arg)
{
	struct kmonitor_entry *entry;
	struct rhlist_head *pos;

	rhl_for_each_entry_rcu(
		entry, pos, look_up_conditions(conditions, target, id), hash) {
		if (visit(arg, entry))
			return true;
	}
	return false;
}

/* Visits those of a cgroup and its ancestors that have not been visited yet. */
static bool visit_cgroups(const struct kmonitor_conditions *conditions,
			  struct cgroup *cgroup, struct cgroup *visited,
			  kmonitor_visit_t visit, void *arg)
{
	for (; cgroup; cgroup = kmonitor_cgroup_parent(cgroup)) {
		if (visited && kmonitor_cgroup_is_below(visited, cgroup))
			return false;
		if (visit_conditions_by_id(conditions, KMONITOR_TARGET_CGROUP,
					   cgroup_id(cgroup), visit, arg))
			return true;
	}
	return false;
}

/* A new task may start in another cgroup than its creator. */
static bool visit_cgroups_of(const struct kmonitor_conditions *conditions,
			     const struct kmonitor_event_data *data,
			     struct task_struct *subject,
			     kmonitor_visit_t visit, void *arg)
{
	const u32 forks = KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE;
	struct cgroup *cgroup = kmonitor_task_cgroup(subject);

	if (visit_cgroups(conditions, cgroup, NULL, visit, arg))
		return true;
	return data->type & forks &&
	       visit_cgroups(conditions, kmonitor_task_cgroup(data->fork.child),
			     cgroup, visit, arg);
}

/**
 * kmonitor_conditions_visit_ids - visit the conditions with a matching id
 * @conditions: The conditions.
 * @data: The event.
 * @visit: Called with each, the most specific first; some want other events.
 * @arg: For @visit.
 *
 * Context: Under RCU.
 * Return: True if @visit has ended it.
 */
bool kmonitor_conditions_visit_ids(const struct kmonitor_conditions *conditions,
				   const struct kmonitor_event_data *data,
				   kmonitor_visit_t visit, void *arg)
{
	struct task_struct *subject = kmonitor_event_subject(data);
	const u32 *events = conditions->events;

	if (READ_ONCE(events[KMONITOR_CONDITION_CGROUP]) & data->type &&
	    visit_cgroups_of(conditions, data, subject, visit, arg))
		return true;
	return READ_ONCE(events[KMONITOR_CONDITION_UID]) & data->type &&
	       visit_conditions_by_id(conditions, KMONITOR_TARGET_UID,
				      __kuid_val(task_uid(subject)), visit,
				      arg);
}

/**
 * kmonitor_conditions_visit - visit the conditions that match an event
 * @conditions: The conditions, or NULL.
 * @data: The event.
 * @visit: Called with each, the most specific first; some want other events.
 * @arg: For @visit.
 *
 * Context: Under RCU.
 * Return: True if @visit has ended it.
 */
bool kmonitor_conditions_visit(const struct kmonitor_conditions *conditions,
			       const struct kmonitor_event_data *data,
			       kmonitor_visit_t visit, void *arg)
{
	struct kmonitor_entry *entry;

	if (!conditions)
		return false;
	if (kmonitor_conditions_visit_ids(conditions, data, visit, arg))
		return true;
	if (!(READ_ONCE(conditions->events[KMONITOR_CONDITION_ALL]) &
	      data->type))
		return false;
	hlist_for_each_entry_rcu(entry, &conditions->all, all) {
		if (visit(arg, entry))
			return true;
	}
	return false;
}

static int __init kmonitor_condition_init(void)
{
	return rhltable_init(&condition_table, &condition_params);
}
fs_initcall(kmonitor_condition_init);
