// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conditions: entries that are matched at each event, by the subject's cgroup
 * and user.
 *
 * Those that want records belong to the pid namespace of their creator: a task
 * is matched against those of the namespaces that it is visible in.  Those that
 * suppress records belong to their descriptor.  CGROUP and UID are found by id
 * in one hash table, whose key includes the namespace or descriptor.  A user and
 * a cgroup say which events conditions that name them want, in whatever
 * namespace: a task that none of them names pays for a look there, and for
 * nothing else.  A condition keeps its user or cgroup, so that others find what
 * it wants there until it is deleted.
 */

#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

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
static void count_wanted(struct kmonitor_wanted *wanted, u32 before, u32 now)
{
	u32 bit, changed;

	for (changed = before ^ now; changed; changed &= ~bit) {
		u32 *count = &wanted->counts[__ffs(changed)];

		bit = BIT(__ffs(changed));
		*count += now & bit ? 1 : -1;
		if (*count)
			WRITE_ONCE(wanted->events, wanted->events | bit);
		else
			WRITE_ONCE(wanted->events, wanted->events & ~bit);
	}
}

/* Where the cgroup or user of a condition has what is wanted of it. */
static struct kmonitor_wanted __rcu **
wanted_of_id(const struct kmonitor_entry *entry)
{
	if (entry->target == KMONITOR_TARGET_CGROUP)
		return kmonitor_cgroup_wanted(entry->cgroup);
	return &entry->user->kmonitor_wanted;
}

static bool has_wanted_of_id(const struct kmonitor_entry *entry)
{
	return entry->target != KMONITOR_TARGET_ALL &&
	       !kmonitor_entry_ignores(entry);
}

static void count_wanted_events(struct kmonitor_entry *entry, u32 before,
				u32 now)
{
	struct kmonitor_wanted *wanted = entry->condition.where->wanted;
	u32 kind = entry->target - KMONITOR_TARGET_CGROUP;
	struct pid_namespace *ns = namespace_of(entry);
	u32 all, by_id;

	count_wanted(&wanted[kind], before, now);
	all = wanted[KMONITOR_CONDITION_ALL].events;
	by_id = kmonitor_conditions_id_events(entry->condition.where);
	if (!ns) {
		suppress_events(entry->filters, all | by_id);
		return;
	}
	WRITE_ONCE(ns->kmonitor_all_events, all);
	WRITE_ONCE(ns->kmonitor_events, all | by_id);
	if (has_wanted_of_id(entry))
		count_wanted(rcu_dereference_protected(
				     *wanted_of_id(entry),
				     lockdep_is_held(&conditions_lock)),
			     before, now);
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

static bool is_limited(const struct kmonitor_entry *entry)
{
	return entry->unprivileged && !kmonitor_entry_ignores(entry);
}

/*
 * Limits what unprivileged filters may cost the tasks of a namespace, for each
 * user: by the number of descriptors, each of which gets an event once.
 */
static bool exceeds_user_limit(const struct kmonitor_entry *entry)
{
	const struct kmonitor_filter_table *filters = entry->filters;
	const struct kmonitor_filter_table *other;
	u32 nr = 0;

	if (!is_limited(entry) || filters->nr_conditions)
		return false;
	hlist_for_each_entry(other, &entry->condition.where->unprivileged,
			     unprivileged)
		nr += uid_eq(other->creator.owner, filters->creator.owner);
	return nr >= KMONITOR_MAX_PER_USER;
}

static int insert_condition(struct kmonitor_entry *entry)
{
	int ret;

	if (exceeds_user_limit(entry))
		return -ENOSPC;
	if (entry->target == KMONITOR_TARGET_ALL) {
		hlist_add_head_rcu(&entry->all, &entry->condition.where->all);
		return 0;
	}
	ret = rhltable_insert(&condition_table, &entry->hash, condition_params);
	return ret ? -ENOMEM : 0;
}

/* Takes a reference to what the id of a condition names. */
static int get_id(struct kmonitor_entry *entry)
{
	const u64 id = entry->condition.id;

	if (!has_wanted_of_id(entry))
		return 0;
	if (entry->target == KMONITOR_TARGET_CGROUP) {
		entry->cgroup = kmonitor_cgroup_get(id);
		return PTR_ERR_OR_ZERO(entry->cgroup);
	}
	entry->user = alloc_uid(KUIDT_INIT(id));
	return entry->user ? 0 : -ENOMEM;
}

static void put_id(struct kmonitor_entry *entry)
{
	if (!has_wanted_of_id(entry))
		return;
	if (entry->target == KMONITOR_TARGET_CGROUP)
		kmonitor_cgroup_put(entry->cgroup);
	else
		free_uid(entry->user);
}

/* Adds an entry to those of its namespace or descriptor, and of its id. */
static int add_locked(struct kmonitor_entry *entry,
		      struct kmonitor_conditions **spare,
		      struct kmonitor_wanted **spare_wanted)
{
	struct kmonitor_conditions *conditions;
	int ret;

	conditions =
		find_conditions(entry->filters, kmonitor_entry_ignores(entry));
	if (!conditions) {
		conditions = no_free_ptr(*spare);
		rcu_assign_pointer(namespace_of(entry)->kmonitor_conditions,
				   conditions);
	}
	entry->condition.where = conditions;
	ret = insert_condition(entry);
	if (ret) {
		entry->condition.where = NULL;
		drop_unused(conditions, namespace_of(entry));
		return ret;
	}
	conditions->nr++;
	if (is_limited(entry) && !entry->filters->nr_conditions++)
		hlist_add_head(&entry->filters->unprivileged,
			       &conditions->unprivileged);
	if (has_wanted_of_id(entry) &&
	    !rcu_access_pointer(*wanted_of_id(entry)))
		rcu_assign_pointer(*wanted_of_id(entry),
				   no_free_ptr(*spare_wanted));
	count_wanted_events(entry, 0, entry->events | PRESENT);
	return 0;
}

/**
 * kmonitor_condition_add - make a condition visible to the hooks
 * @entry: The entry; its condition has target and id.
 *
 * Context: May sleep.  Under the lock of the filter table.
 * Return: 0; -ENOMEM; -ESTALE if the caller's cgroup namespace has no such
 *	cgroup; or -ENOSPC if the user has its limit of unprivileged
 *	descriptors there.
 */
int kmonitor_condition_add(struct kmonitor_entry *entry)
{
	/* Nobody else is to wait for memory that this descriptor needs. */
	struct kmonitor_conditions *conditions __free(kfree) =
		kzalloc(sizeof(*conditions), GFP_KERNEL_ACCOUNT);
	struct kmonitor_wanted *wanted __free(kfree) =
		kzalloc(sizeof(*wanted), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!conditions || !wanted)
		return -ENOMEM;
	ret = get_id(entry);
	if (ret)
		return ret;
	mutex_lock(&conditions_lock);
	ret = add_locked(entry, &conditions, &wanted);
	mutex_unlock(&conditions_lock);
	if (ret)
		put_id(entry);
	return ret;
}

/* Returns what has become of no use to its cgroup or user. */
static struct kmonitor_wanted *del_locked(struct kmonitor_entry *entry)
{
	struct kmonitor_conditions *conditions = entry->condition.where;
	struct kmonitor_wanted *wanted;

	count_wanted_events(entry, entry->events | PRESENT, 0);
	if (entry->target == KMONITOR_TARGET_ALL)
		hlist_del_rcu(&entry->all);
	else
		rhltable_remove(&condition_table, &entry->hash,
				condition_params);
	conditions->nr--;
	if (is_limited(entry) && !--entry->filters->nr_conditions)
		hlist_del(&entry->filters->unprivileged);
	drop_unused(conditions, namespace_of(entry));
	if (!has_wanted_of_id(entry))
		return NULL;
	wanted = rcu_dereference_protected(*wanted_of_id(entry),
					   lockdep_is_held(&conditions_lock));
	if (wanted->events)
		return NULL;
	RCU_INIT_POINTER(*wanted_of_id(entry), NULL);
	return wanted;
}

/**
 * kmonitor_condition_del - hide a condition from the hooks
 * @entry: The entry, just killed by the caller.
 *
 * Context: May sleep.  Hooks may have found it until a grace period has passed.
 */
void kmonitor_condition_del(struct kmonitor_entry *entry)
{
	struct kmonitor_wanted *unused;

	if (!entry->condition.where)
		return;
	mutex_lock(&conditions_lock);
	unused = del_locked(entry);
	mutex_unlock(&conditions_lock);
	kvfree_rcu_mightsleep(unused);
	put_id(entry);
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

static struct kmonitor_entry *get_entry(struct kmonitor_entry *entry)
{
	refcount_inc(&entry->refs);
	return entry;
}

/**
 * kmonitor_condition_find - find a condition of a descriptor
 * @filters: The filters of the descriptor.
 * @target: CGROUP, UID or ALL.
 * @id: As in &struct kmonitor_condition.
 * @ignore: Look for one that suppresses records.
 *
 * Context: May sleep.  Under the lock of the filter table, which keeps the
 *	entry in it.
 * Return: The entry with a reference, or NULL.
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
				return get_entry(entry);
		}
		return NULL;
	}
	rhl_for_each_entry_rcu(
		entry, pos, look_up_conditions(conditions, target, id), hash) {
		if (entry->filters == filters)
			return get_entry(entry);
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
	const struct kmonitor_wanted *wanted = conditions->wanted;

	if (READ_ONCE(wanted[KMONITOR_CONDITION_CGROUP].events) & data->type &&
	    visit_cgroups_of(conditions, data, subject, visit, arg))
		return true;
	return READ_ONCE(wanted[KMONITOR_CONDITION_UID].events) & data->type &&
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
	if (!(READ_ONCE(conditions->wanted[KMONITOR_CONDITION_ALL].events) &
	      data->type))
		return false;
	hlist_for_each_entry_rcu(entry, &conditions->all, all) {
		if (visit(arg, entry))
			return true;
	}
	return false;
}

static bool is_wanted_of(struct kmonitor_wanted __rcu *const *place, u32 types)
{
	const struct kmonitor_wanted *wanted = rcu_dereference(*place);

	return unlikely(wanted) && READ_ONCE(wanted->events) & types;
}

static bool is_wanted_of_cgroup(struct cgroup *cgroup, u32 types)
{
	for (; cgroup; cgroup = kmonitor_cgroup_parent(cgroup)) {
		if (is_wanted_of(kmonitor_cgroup_wanted(cgroup), types))
			return true;
	}
	return false;
}

/**
 * kmonitor_id_may_match - test whether conditions want events of a task's ids
 * @task: The subject.
 * @types: Event types.
 *
 * Context: Any.
 * Return: False if no condition of any pid namespace that wants these types
 *	names the user or a cgroup of the task.
 */
bool kmonitor_id_may_match(struct task_struct *task, u32 types)
{
	guard(rcu)();
	return is_wanted_of(&__task_cred(task)->user->kmonitor_wanted, types) ||
	       is_wanted_of_cgroup(kmonitor_task_cgroup(task), types);
}

/**
 * kmonitor_fork_id_may_match - the same for a fork by the current task
 * @child: The new task, which may be in another cgroup.
 * @types: Event types.
 *
 * Context: Any.
 * Return: As of kmonitor_id_may_match().
 */
bool kmonitor_fork_id_may_match(struct task_struct *child, u32 types)
{
	struct cgroup *own, *other;

	if (kmonitor_id_may_match(current, types))
		return true;
	guard(rcu)();
	own = kmonitor_task_cgroup(current);
	other = kmonitor_task_cgroup(child);
	return own != other && is_wanted_of_cgroup(other, types);
}

static int __init kmonitor_condition_init(void)
{
	return rhltable_init(&condition_table, &condition_params);
}
fs_initcall(kmonitor_condition_init);
