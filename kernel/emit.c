// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fan-out of a record: match -> record, once -> each ring -> wake.  All
 * runs under RCU in the context of the subject, see kmonitor_enter().
 */

#include <linux/hardirq.h>
#include <linux/local_lock.h>
#include <linux/percpu.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>

#include "access.h"
#include "args.h"
#include "condition.h"
#include "emit.h"
#include "empty.h"
#include "entry.h"
#include "event_data.h"
#include "mark.h"
#include "monitor.h"
#include "record.h"
#include "ring_fast.h"
#include "task_pid.h"
#include "usage.h"
#include "wake.h"

static struct kmonitor *monitor_of(const struct kmonitor_entry *entry)
{
	return container_of(READ_ONCE(entry->filters), struct kmonitor,
			    filters);
}

/* Whether it is the end that an entry names: it is never lost, and urgent. */
static bool is_named_end(const struct kmonitor_entry *entry, u32 type)
{
	return (type == KMONITOR_PROCESS_EXIT &&
		entry->target == KMONITOR_TARGET_PROCESS) ||
	       (type == KMONITOR_THREAD_EXIT &&
		entry->target == KMONITOR_TARGET_THREAD);
}

/*
 * Events have numbers, per processor; a monitor remembers on each processor the
 * last one that was decided for it.  Edits may change what an entry wants in
 * the middle of the fan-out, so that entries are asked until one decides, and
 * then no more.  Fan-outs don't nest: no hook runs in an interrupt.  Where they
 * can be preempted they take the lock.
 */
struct fan_out_cpu {
	local_lock_t lock;
	u64 event;
};

static DEFINE_PER_CPU(struct fan_out_cpu, fan_out_cpu) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

/* A record on its way to the descriptors, made once for each view of it. */
struct fan_out {
	struct kmonitor_event_data *data;
	/* The number of the event on this processor. */
	u64 number;
	/* The unit in which its loss is counted. */
	u64 loss_unit;
	/* @event is for the view of this creator; NULL before it is made. */
	const struct kmonitor_creator *made_for;
	bool redacted;
	/* Types for which @event must be made anew, even for plain creators. */
	u32 stale_types;
	struct kmonitor_event event;
};

static bool same_view(const struct kmonitor_creator *a,
		      const struct kmonitor_creator *b)
{
	return a->pid_ns == b->pid_ns &&
	       (a->cred == b->cred || a->cred->user_ns == b->cred->user_ns);
}

/*
 * Fork and exit are reported even for tasks the creator may not see, so that
 * tree membership stays complete.
 */
static bool reported_when_redacted(const struct kmonitor_entry *entry, u32 type)
{
	return !kmonitor_entry_is_condition(entry) &&
	       (type == KMONITOR_PROCESS_FORK || type == KMONITOR_PROCESS_EXIT);
}

/* The records of one exec take up half of the ring at most. */
static enum kmonitor_wakeup
append_exec_with_args(struct fan_out *out, struct kmonitor *mon, u64 cookie)
{
	struct kmonitor_args *args = kmonitor_args_of_exec(out->data);
	const struct kmonitor_group group = {
		.nr_args = kmonitor_args_number(args, &out->event,
						mon->ring.size / 2 - 1),
		.event = &out->event,
		.args = args ? args->part : NULL,
		.cookie = cookie,
	};
	enum kmonitor_wakeup wakeup;

	wakeup = kmonitor_ring_append_group(&mon->ring, &group);
	out->event.flags &= ~KMONITOR_EVENT_TRUNCATED;
	return wakeup;
}

/* Appends the end that an entry names, or lets it wait for room. */
static enum kmonitor_wakeup append_named_end(struct fan_out *out,
					     struct kmonitor *mon,
					     struct kmonitor_entry *entry)
{
	const struct kmonitor_group group = {
		.event = &out->event,
		.cookie = READ_ONCE(entry->cookie),
		.urgent = true,
	};
	enum kmonitor_wakeup wakeup;

	if (!list_empty(&mon->filters.pending) ||
	    !kmonitor_ring_try_append(&mon->ring, &group, &wakeup)) {
		if (kmonitor_mark_kill(entry))
			kmonitor_keep_end(mon, entry, &out->event);
		return KMONITOR_WAKEUP_NONE;
	}
	return wakeup;
}

/*
 * Appends an end that no entry names while others wait for room.  A thread of
 * this process may be among them: if they still wait the end of the process is
 * lost.
 */
static enum kmonitor_wakeup append_behind_waiting(struct fan_out *out,
						  struct kmonitor *mon,
						  struct kmonitor_entry *entry)
{
	const struct kmonitor_group group = {
		.event = &out->event,
		.cookie = READ_ONCE(entry->cookie),
	};

	kmonitor_flush_pending(mon);
	if (!list_empty(&mon->filters.pending))
		return kmonitor_ring_drop(&mon->ring, &out->event);
	return kmonitor_ring_append_group(&mon->ring, &group);
}

/* Whether there is more to an append than a slot; see @checked of the table. */
static bool needs_special_append(const struct kmonitor *mon,
				 const struct kmonitor_entry *entry, u32 type)
{
	if (type == KMONITOR_PROCESS_EXEC)
		return mon->report & KMONITOR_REPORT_EXEC_ARGS;
	if (!(type & KMONITOR_EXITS))
		return false;
	return !list_empty(&mon->filters.pending) ||
	       (mon->ring.watermark > 1 && is_named_end(entry, type));
}

static noinline enum kmonitor_wakeup
append_specially(struct fan_out *out, struct kmonitor *mon,
		 struct kmonitor_entry *entry)
{
	if (out->event.type == KMONITOR_PROCESS_EXEC)
		return append_exec_with_args(out, mon,
					     READ_ONCE(entry->cookie));
	if (is_named_end(entry, out->event.type))
		return append_named_end(out, mon, entry);
	return append_behind_waiting(out, mon, entry);
}

/* Appends a record that has not got a slot at once: there is a loss, or no room. */
static __always_inline enum kmonitor_wakeup
append_behind_loss(struct fan_out *out, u32 type, struct kmonitor *mon,
		   struct kmonitor_entry *entry)
{
	enum kmonitor_wakeup wakeup;
	bool counted;

	if (type & KMONITOR_EXITS && is_named_end(entry, type))
		return append_specially(out, mon, entry);
	/* The times of a loss are in order as long as nothing gets in between. */
	kmonitor_ring_pin();
	counted = kmonitor_ring_count_loss(&mon->ring, out->loss_unit,
					   out->event.time_ns, &wakeup);
	kmonitor_ring_unpin();
	if (!counted) {
		const struct kmonitor_group group = {
			.event = &out->event,
			.cookie = READ_ONCE(entry->cookie),
		};

		wakeup = kmonitor_ring_append_group(&mon->ring, &group);
	}
	return wakeup;
}

static __always_inline enum kmonitor_wakeup
append_record(struct fan_out *out, u32 type, struct kmonitor *mon,
	      struct kmonitor_entry *entry)
{
	struct kmonitor_slot slot __uninitialized;
	enum kmonitor_wakeup wakeup;

	kmonitor_ring_pin();
	if (likely(kmonitor_ring_reserve_slot(&mon->ring, &slot))) {
		kmonitor_ring_copy_record(slot.record, &out->event,
					  READ_ONCE(entry->cookie));
		wakeup = kmonitor_ring_commit_slot(&mon->ring, &slot);
		kmonitor_ring_unpin();
		return wakeup;
	}
	kmonitor_ring_unpin();
	return append_behind_loss(out, type, mon, entry);
}

/* The types that name a second task, which some creators may not see. */
#define NAMES_SECOND_TASK (KMONITOR_PTRACE | KMONITOR_ABORTS)

static bool same_for_all(u32 type)
{
	return !(type & NAMES_SECOND_TASK);
}

static bool names_subject(const struct kmonitor_entry *entry,
			  const struct kmonitor_event_data *data)
{
	return entry->pid == kmonitor_task_pid(data->task) ||
	       (data->type == KMONITOR_PROCESS_EXEC &&
		entry->pid == data->exec.old_pid);
}

/*
 * FAILED_ONLY must not reveal the exit status of a task the creator may not
 * see.
 */
static bool has_visible_failure(const struct kmonitor_entry *entry,
				const struct kmonitor_event_data *data)
{
	if (!(data->type & KMONITOR_EXITS))
		return true;
	return data->exit.status &&
	       kmonitor_may_see(&entry->filters->creator, data->task);
}

/* Slow path: does a THREAD or FAILED_ONLY entry match this event? */
static noinline bool
special_entry_matches(const struct kmonitor_entry *entry,
		      const struct kmonitor_event_data *data)
{
	return kmonitor_entry_alive(entry) &&
	       (entry->target != KMONITOR_TARGET_THREAD ||
		names_subject(entry, data)) &&
	       (!(READ_ONCE(entry->flags) & KMONITOR_FILTER_FAILED_ONLY) ||
		has_visible_failure(entry, data));
}

enum match { NO_MATCH, DELIVER, IGNORE };

/* Matches an entry against an event of a task that it selects. */
static __always_inline enum match
match_entry(const struct kmonitor_entry *entry,
	    const struct kmonitor_event_data *data, u32 type)
{
	if (!(READ_ONCE(entry->events) & type))
		return NO_MATCH;
	if (likely(!READ_ONCE(entry->state)))
		return DELIVER;
	if (!special_entry_matches(entry, data))
		return NO_MATCH;
	return kmonitor_entry_ignores(entry) ? IGNORE : DELIVER;
}

static __always_inline bool
entry_matches(const struct kmonitor_entry *entry,
	      const struct kmonitor_event_data *data)
{
	return match_entry(entry, data, data->type) != NO_MATCH;
}

static bool visit_ignoring(void *arg, struct kmonitor_entry *entry)
{
	return entry_matches(entry, arg);
}

/* Returns true if the record made for another descriptor can be shared. */
static bool has_record_for(const struct fan_out *out,
			   const struct kmonitor_creator *creator,
			   bool redacted)
{
	return out->made_for && out->redacted == redacted &&
	       same_view(out->made_for, creator) &&
	       same_for_all(out->data->type);
}

static __always_inline void make_record(struct kmonitor_event *event,
					struct kmonitor_event_data *data,
					const struct kmonitor_creator *creator,
					bool plain_fork)
{
	if (plain_fork)
		kmonitor_record_fill_fork(event, data);
	else
		kmonitor_record_fill(event, data, creator, false);
}

/* Makes the record for a descriptor.  Returns false if it gets none. */
static noinline bool make_record_for(struct fan_out *out,
				     const struct kmonitor *mon,
				     const struct kmonitor_entry *entry)
{
	struct kmonitor_event_data *data = out->data;
	const struct kmonitor_creator *creator = &mon->filters.creator;
	bool redacted =
		!kmonitor_may_see(creator, kmonitor_event_subject(data));

	if (redacted && !reported_when_redacted(entry, data->type))
		return false;
	/*
	 * Do not apply IGNORE to invisible tasks: a missing record would leak
	 * information.
	 */
	if (!redacted && READ_ONCE(mon->filters.checked) & data->type &&
	    kmonitor_conditions_visit(&mon->filters.ignored, data,
				      visit_ignoring, (void *)data))
		return false;
	if (has_record_for(out, creator, redacted))
		return true;
	if (redacted)
		kmonitor_record_fill(&out->event, data, creator, true);
	else
		make_record(&out->event, data, creator,
			    creator->plain && kmonitor_event_is_fork(data));
	/* Another task than the current one may have been reaped meanwhile. */
	if (unlikely(!out->event.pid || !out->event.tgid) &&
	    !kmonitor_event_joins(data)) {
		out->made_for = NULL;
		out->stale_types = data->type;
		return false;
	}
	out->made_for = creator;
	out->redacted = redacted;
	out->stale_types =
		creator->plain && same_for_all(data->type) ? 0 : data->type;
	return true;
}

/*
 * Pass @type by value: each cmpxchg clobbers memory and would force a reload of
 * data->type.
 */
static __always_inline void
append_to_monitor(struct fan_out *out, u32 type, struct kmonitor_entry *entry,
		  struct kmonitor_filter_table *filters)
{
	struct kmonitor *mon = container_of(filters, struct kmonitor, filters);
	enum kmonitor_wakeup wakeup;

	if (!((READ_ONCE(filters->checked) | out->stale_types) & type))
		wakeup = append_record(out, type, mon, entry);
	else if (!make_record_for(out, mon, entry))
		return;
	else if (needs_special_append(mon, entry, type))
		wakeup = append_specially(out, mon, entry);
	else
		wakeup = append_record(out, type, mon, entry);
	if (wakeup)
		kmonitor_wake_as_owed(mon, wakeup, out->redacted);
}

static __always_inline u64 __percpu *
decided_of(const struct kmonitor_filter_table *filters)
{
	return container_of(filters, struct kmonitor, filters)->decided;
}

/* Whether the event has been decided for a monitor; from now on it is. */
static __always_inline bool
test_and_set_decided(const struct fan_out *out,
		     const struct kmonitor_filter_table *filters)
{
	u64 __percpu *decided = decided_of(filters);

	if (__this_cpu_read(*decided) == out->number)
		return true;
	__this_cpu_write(*decided, out->number);
	return false;
}

/* Entries of one descriptor are adjacent, the most specific first. */
static void emit_to_marks(struct fan_out *out,
			  const struct kmonitor_mark_set *set)
{
	const u32 type = out->data->type;
	struct kmonitor_filter_table *filters, *done = NULL;
	struct kmonitor_entry *entry;
	enum match match;

	for (u32 i = 0, nr = set->nr; i < nr; i++) {
		entry = set->entries[i];
		filters = READ_ONCE(entry->filters);
		if (filters == done)
			continue;
		match = match_entry(entry, out->data, type);
		if (match == NO_MATCH)
			continue;
		done = filters;
		__this_cpu_write(*decided_of(filters), out->number);
		if (match == DELIVER)
			append_to_monitor(out, type, entry, filters);
	}
}

static bool emit_to_condition(void *arg, struct kmonitor_entry *entry)
{
	struct kmonitor_filter_table *filters = READ_ONCE(entry->filters);
	struct fan_out *out = arg;

	if (entry_matches(entry, out->data) &&
	    !test_and_set_decided(out, filters))
		append_to_monitor(out, out->data->type, entry, filters);
	return false;
}

/* A descriptor has one ALL entry at most, and it is matched last. */
static void emit_to_whole(struct fan_out *out,
			  const struct kmonitor_conditions *conditions)
{
	const u32 type = out->data->type;
	struct kmonitor_filter_table *filters;
	struct kmonitor_entry *entry;

	hlist_for_each_entry_rcu(entry, &conditions->all, all) {
		filters = READ_ONCE(entry->filters);
		if (match_entry(entry, out->data, type) != NO_MATCH &&
		    !test_and_set_decided(out, filters))
			append_to_monitor(out, type, entry, filters);
	}
}

static void emit_to_conditions(struct fan_out *out,
			       const struct pid_namespace *ns)
{
	const struct kmonitor_conditions *conditions =
		rcu_dereference(ns->kmonitor_conditions);
	const u32 type = out->data->type;

	if (!conditions)
		return;
	if (kmonitor_conditions_id_events(conditions) & type)
		kmonitor_conditions_visit_ids(conditions, out->data,
					      emit_to_condition, out);
	if (READ_ONCE(ns->kmonitor_all_events) & type)
		emit_to_whole(out, conditions);
}

/*
 * A child may be visible in pid namespaces that its creator is not in: there
 * the event is about the child.
 */
static void choose_subject(struct kmonitor_event_data *data,
			   const struct pid_namespace *ns)
{
	if (kmonitor_event_is_fork(data))
		data->fork.joins = ns->level > task_pid(data->task)->level;
}

static noinline void emit_to_all(struct kmonitor_event_data *data,
				 const struct kmonitor_mark_set *set)
{
	/* Each member is set before it is read, and it is large. */
	struct fan_out out __uninitialized;
	struct pid_namespace *ns;

	local_lock(&fan_out_cpu.lock);
	out.data = data;
	out.number = __this_cpu_inc_return(fan_out_cpu.event);
	out.loss_unit = kmonitor_loss_unit(data->type);
	out.made_for = NULL;
	out.stale_types = data->type;
	if (kmonitor_event_is_fork(data))
		data->fork.joins = false;
	if (set)
		emit_to_marks(&out, set);
	for (ns = kmonitor_event_ns(data); ns; ns = ns->parent) {
		if (!(READ_ONCE(ns->kmonitor_events) & data->type))
			continue;
		choose_subject(data, ns);
		emit_to_conditions(&out, ns);
	}
	local_unlock(&fan_out_cpu.lock);
}

/* The only condition that may want a type, if it is of target ALL. */
static __always_inline struct kmonitor_entry *
only_condition(const struct pid_namespace *ns, u32 type)
{
	const struct kmonitor_conditions *conditions =
		rcu_dereference(ns->kmonitor_conditions);
	struct hlist_node *first;

	if (!conditions || kmonitor_conditions_id_events(conditions) & type)
		return NULL;
	first = rcu_dereference(hlist_first_rcu(&conditions->all));
	if (!first || rcu_access_pointer(hlist_next_rcu(first)))
		return NULL;
	return hlist_entry(first, struct kmonitor_entry, all);
}

/* The only entry that may want the record, or NULL if there may be more. */
static __always_inline struct kmonitor_entry *
only_entry(const struct kmonitor_event_data *data, u32 type,
	   const struct kmonitor_mark_set *set, bool fork)
{
	struct kmonitor_entry *entry = NULL;
	const struct pid_namespace *ns;

	if (set && READ_ONCE(set->events) & type) {
		if (set->nr > 1)
			return NULL;
		entry = set->entries[0];
	}
	/* A child has a namespace more than its creator, or the same ones. */
	ns = ns_of_pid(kmonitor_task_pid(fork ? data->fork.child : data->task));
	for (; ns; ns = ns->parent) {
		if (!(READ_ONCE(ns->kmonitor_events) & type))
			continue;
		if (entry)
			return NULL;
		entry = only_condition(ns, type);
		if (!entry)
			return NULL;
	}
	return entry;
}

/* Slow path of emit_in_place(): a LOST record comes first, or there is no room. */
static noinline enum kmonitor_wakeup
fill_behind_loss(struct kmonitor *mon, struct kmonitor_event_data *data,
		 const struct kmonitor_entry *entry)
{
	struct kmonitor_reservation place __uninitialized;
	u64 time = data->time_ns ?: ktime_get_boottime_ns();
	struct kmonitor_event *record;
	enum kmonitor_wakeup wakeup;

	if (kmonitor_ring_count_loss(&mon->ring, kmonitor_loss_unit(data->type),
				     time, &wakeup) ||
	    !kmonitor_ring_reserve(&mon->ring, data->type, time, &place,
				   &wakeup))
		return wakeup;
	record = kmonitor_ring_reserved_slot(&mon->ring, &place);
	make_record(record, data, &mon->filters.creator,
		    kmonitor_event_is_fork(data));
	record->cookie = READ_ONCE(entry->cookie);
	return kmonitor_ring_commit(&mon->ring, &place);
}

/*
 * Fast path: with a single entry to match, the record is made in its slot of the
 * ring, without a copy.  Returns false, without effect, if that is not possible.
 */
static __always_inline bool emit_in_place(struct kmonitor_event_data *data,
					  u32 type,
					  const struct kmonitor_entry *entry,
					  bool fork)
{
	struct kmonitor *mon = monitor_of(entry);
	const struct kmonitor_creator *creator = &mon->filters.creator;
	struct kmonitor_slot slot __uninitialized;
	enum kmonitor_wakeup wakeup;
	bool done = true;

	/* A dead entry may outlive its descriptor: match it before anything. */
	if (match_entry(entry, data, type) != DELIVER)
		return true;
	if (READ_ONCE(mon->filters.checked) & type)
		return false;
	if (!fork) {
		if (!(type & KMONITOR_EXITS))
			return false;
		/* This may take sleeping locks: not while a slot is reserved. */
		kmonitor_take_usage(data);
	}
	kmonitor_ring_pin();
	if (likely(kmonitor_ring_reserve_slot(&mon->ring, &slot))) {
		make_record(slot.record, data, creator, fork);
		slot.record->cookie = READ_ONCE(entry->cookie);
		wakeup = kmonitor_ring_commit_slot(&mon->ring, &slot);
	} else if (fork || !is_named_end(entry, type)) {
		wakeup = fill_behind_loss(mon, data, entry);
	} else {
		/* It may have to wait for room. */
		wakeup = KMONITOR_WAKEUP_NONE;
		done = false;
	}
	kmonitor_ring_unpin();
	if (wakeup)
		kmonitor_wake_as_owed(mon, wakeup, false);
	return done;
}

static __always_inline void
emit_to_monitors(struct kmonitor_event_data *data,
		 const struct kmonitor_mark_set *set, bool fork)
{
	const u32 type = data->type;
	struct kmonitor_entry *entry = only_entry(data, type, set, fork);

	if (!entry || !emit_in_place(data, type, entry, fork))
		emit_to_all(data, set);
}

/**
 * kmonitor_emit_fork - send the record of a fork to all descriptors that want it
 * @data: A PROCESS_FORK or THREAD_CREATE of the current task.
 * @set: The marks of its process, or NULL.
 *
 * Context: Between kmonitor_enter() and kmonitor_leave().
 */
void kmonitor_emit_fork(struct kmonitor_event_data *data,
			const struct kmonitor_mark_set *set)
{
	emit_to_monitors(data, set, true);
}

/**
 * kmonitor_emit - send a record to all descriptors that want it
 * @data: The event, other than a fork.
 * @set: The marks of the subject's process, or NULL.
 *
 * Context: Between kmonitor_enter(), where the subject was alive, and
 *	kmonitor_leave().
 */
void kmonitor_emit(struct kmonitor_event_data *data,
		   const struct kmonitor_mark_set *set)
{
	emit_to_monitors(data, set, false);
}

/**
 * kmonitor_report - send a record about a task with the marks that it has now
 * @data: The event.
 *
 * Context: The current task is the subject, or the caller holds a reference to
 *	it; otherwise under RCU.
 */
void kmonitor_report(struct kmonitor_event_data *data)
{
	struct task_struct *task = data->task;

	kmonitor_enter();
	if (task == current || kmonitor_task_alive(task))
		kmonitor_emit(data,
			      rcu_dereference(task->signal->kmonitor_marks));
	kmonitor_leave();
}
