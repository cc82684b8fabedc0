// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fan-out of a record: match -> record, once -> each ring -> wake.  All
 * runs under RCU in the context of the subject, see kmonitor_enter().
 */

#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>

#include "args.h"
#include "condition.h"
#include "emit.h"
#include "entry.h"
#include "mark.h"
#include "record.h"
#include "ring_fast.h"
#include "wake.h"

static struct kmonitor *owner(const struct kmonitor_entry *entry)
{
	return container_of(READ_ONCE(entry->filters), struct kmonitor,
			    filters);
}

/* The end of a watched process is told below the watermark, if there is one. */
static bool urgent(const struct kmonitor *mon,
		   const struct kmonitor_entry *entry, u32 type)
{
	return type == KMONITOR_PROCESS_EXIT && mon->ring.watermark > 1 &&
	       (entry->target == KMONITOR_TARGET_PROCESS ||
		entry->target == KMONITOR_TARGET_THREAD);
}

/*
 * A record under way to the descriptors, made once for each view of it.  Edits
 * may change what an entry wants meanwhile, so that it is asked once only: the
 * bits of sent are the indices of the mark set's entries that decided for their
 * descriptor, matched has the descriptors for which a condition did.  Beyond
 * their room an edit at the same moment may cost or double a record.
 */
struct fan_out {
	struct kmonitor_source *source;
	u64 sent;
	const struct kmonitor_mark_set *set;
	const struct kmonitor_conditions *conditions;
	u32 nr_matched;
	const struct kmonitor_filters *matched[32];
	/* Whose @event is, or NULL; redacted or not. */
	const struct kmonitor_creator *view;
	bool redacted;
	/* Types for which @event is not what all plain creators get. */
	u32 unmade;
	struct kmonitor_event event;
};

static bool same_view(const struct kmonitor_creator *a,
		      const struct kmonitor_creator *b)
{
	return a->pid_ns == b->pid_ns &&
	       (a->cred == b->cred || a->cred->user_ns == b->cred->user_ns);
}

/* Of a task that it may not see, a descriptor gets what keeps trees true. */
static bool survives_redaction(const struct kmonitor_entry *entry, u32 type)
{
	return !kmonitor_entry_is_condition(entry) &&
	       (type == KMONITOR_PROCESS_FORK || type == KMONITOR_PROCESS_EXIT);
}

/* A program with its arguments, of which half of the ring must be enough. */
static noinline enum kmonitor_wakeup
append_exec(struct fan_out *out, struct kmonitor *mon, u64 cookie)
{
	struct kmonitor_args *args = kmonitor_args_of_exec(out->source);
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

static noinline enum kmonitor_wakeup
append_urgent(struct kmonitor_ring *ring, const struct kmonitor_event *event,
	      u64 cookie)
{
	const struct kmonitor_group group = {
		.event = event,
		.cookie = cookie,
		.urgent = true,
	};

	return kmonitor_ring_append_group(ring, &group);
}

static __always_inline enum kmonitor_wakeup
append_one(struct fan_out *out, u32 type, struct kmonitor *mon,
	   const struct kmonitor_entry *entry)
{
	const struct kmonitor_event *event = &out->event;
	struct kmonitor_ring *ring = &mon->ring;
	u64 cookie = READ_ONCE(entry->cookie);

	if (type & (KMONITOR_PROCESS_EXIT | KMONITOR_PROCESS_EXEC)) {
		if (urgent(mon, entry, type))
			return append_urgent(ring, event, cookie);
		if (type == KMONITOR_PROCESS_EXEC &&
		    mon->report & KMONITOR_REPORT_EXEC_ARGS)
			return append_exec(out, mon, cookie);
	}
	return kmonitor_ring_append(ring, event, cookie);
}

/* What a record says of another task than its subject is for one creator. */
static bool same_for_all(u32 type)
{
	return type != KMONITOR_PTRACE;
}

static bool names_subject(const struct kmonitor_entry *entry,
			  const struct kmonitor_source *source)
{
	return entry->pid == task_pid(source->task) ||
	       (source->type == KMONITOR_PROCESS_EXEC &&
		entry->pid == source->exec.old_pid);
}

/* Of a task that its creator may not see, an entry doesn't learn the status. */
static bool passes(const struct kmonitor_entry *entry,
		   const struct kmonitor_source *source)
{
	const u32 exits = KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_EXIT;

	if (!(source->type & exits))
		return true;
	return source->exit.status &&
	       kmonitor_may_see(&entry->filters->creator, source->task);
}

/* Of an entry for such events that is special, whether it wants this one. */
static noinline bool picks(const struct kmonitor_entry *entry,
			   const struct kmonitor_source *source)
{
	return kmonitor_entry_alive(entry) &&
	       (entry->target != KMONITOR_TARGET_THREAD ||
		names_subject(entry, source)) &&
	       (!(READ_ONCE(entry->flags) & KMONITOR_FILTER_FAILED_ONLY) ||
		passes(entry, source));
}

enum verdict { PASS, RECORD, SUPPRESS };

/* What an entry says to an event of the subject that it is about. */
static __always_inline enum verdict judge(const struct kmonitor_entry *entry,
					  const struct kmonitor_source *source,
					  u32 type)
{
	if (!(READ_ONCE(entry->events) & type))
		return PASS;
	if (likely(!READ_ONCE(entry->state)))
		return RECORD;
	if (!picks(entry, source))
		return PASS;
	return kmonitor_entry_ignores(entry) ? SUPPRESS : RECORD;
}

static __always_inline bool wants(const struct kmonitor_entry *entry,
				  const struct kmonitor_source *source)
{
	return judge(entry, source, source->type) != PASS;
}

static bool ignores(void *data, struct kmonitor_entry *entry)
{
	return wants(entry, data);
}

/* Whether the record made for another descriptor is right for this one. */
static bool has_record(const struct fan_out *out,
		       const struct kmonitor_creator *creator, bool redacted)
{
	return out->view && out->redacted == redacted &&
	       same_view(out->view, creator) && same_for_all(out->source->type);
}

static __always_inline void fill(struct kmonitor_event *event,
				 struct kmonitor_source *source,
				 const struct kmonitor_creator *creator,
				 bool plain_birth)
{
	if (plain_birth)
		kmonitor_record_fill_birth(event, source);
	else
		kmonitor_record_fill(event, source, creator, false);
}

static bool is_birth(const struct kmonitor_source *source)
{
	return source->type & (KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE);
}

/* Judges what a descriptor may have, and makes it.  False if nothing. */
static noinline bool prepare(struct fan_out *out, const struct kmonitor *mon,
			     const struct kmonitor_entry *entry)
{
	struct kmonitor_source *source = out->source;
	const struct kmonitor_creator *creator = &mon->filters.creator;
	bool redacted = !kmonitor_may_see(creator, source->task);

	if (redacted && !survives_redaction(entry, source->type))
		return false;
	/* What can't be seen isn't judged either: its absence would tell. */
	if (!redacted && READ_ONCE(mon->filters.judged) & source->type &&
	    kmonitor_conditions_visit(&mon->filters.ignored, source, ignores,
				      (void *)source))
		return false;
	if (has_record(out, creator, redacted))
		return true;
	if (redacted)
		kmonitor_record_fill(&out->event, source, creator, true);
	else
		fill(&out->event, source, creator,
		     creator->plain && is_birth(source));
	/* Another task than the current one may have been reaped meanwhile. */
	if (unlikely(!out->event.pid || !out->event.tgid)) {
		out->view = NULL;
		out->unmade = source->type;
		return false;
	}
	out->view = creator;
	out->redacted = redacted;
	out->unmade =
		creator->plain && same_for_all(source->type) ? 0 : source->type;
	return true;
}

/* The type is at hand: the source is in memory that each exchange may change. */
static __always_inline void deliver(struct fan_out *out, u32 type,
				    const struct kmonitor_entry *entry,
				    struct kmonitor_filters *filters)
{
	struct kmonitor *mon = container_of(filters, struct kmonitor, filters);
	enum kmonitor_wakeup wakeup;

	if ((READ_ONCE(filters->judged) | out->unmade) & type &&
	    !prepare(out, mon, entry))
		return;
	wakeup = append_one(out, type, mon, entry);
	if (wakeup)
		kmonitor_wake_as_owed(mon, wakeup, out->redacted);
}

/* Whether a descriptor has got the record, or will not get it. */
static noinline bool has_decided(const struct fan_out *out,
				 const struct kmonitor_filters *filters)
{
	const struct kmonitor_mark_set *set = out->set;

	for (u32 i = 0; set && i < set->nr; i++) {
		if (set->entries[i]->filters == filters &&
		    (i < 64 ? out->sent & BIT_ULL(i) :
			      wants(set->entries[i], out->source)))
			return true;
	}
	for (u32 i = 0; i < out->nr_matched; i++) {
		if (out->matched[i] == filters)
			return true;
	}
	return false;
}

static __always_inline bool decided(const struct fan_out *out,
				    const struct kmonitor_filters *filters)
{
	return unlikely(out->set || out->nr_matched) &&
	       has_decided(out, filters);
}

/* Entries of one descriptor stand together, the most specific first. */
static void emit_to_marks(struct fan_out *out)
{
	const struct kmonitor_mark_set *set = out->set;
	const u32 type = out->source->type;
	struct kmonitor_filters *filters, *done = NULL;
	struct kmonitor_entry *entry;
	enum verdict verdict;
	u64 sent = 0, bit = 1;

	for (u32 i = 0, nr = set->nr; i < nr; i++, bit <<= 1) {
		entry = set->entries[i];
		filters = READ_ONCE(entry->filters);
		if (filters == done)
			continue;
		verdict = judge(entry, out->source, type);
		if (verdict == PASS)
			continue;
		done = filters;
		sent |= bit;
		if (verdict == RECORD)
			deliver(out, type, entry, filters);
	}
	out->sent = sent;
}

struct first {
	const struct kmonitor_source *source;
	const struct kmonitor_filters *filters;
	const struct kmonitor_entry *entry;
};

static bool find_first(void *data, struct kmonitor_entry *entry)
{
	struct first *first = data;

	if (entry->filters != first->filters || !wants(entry, first->source))
		return false;
	first->entry = entry;
	return true;
}

/* Whether it is the most specific condition of its descriptor. */
static bool is_first(const struct fan_out *out,
		     const struct kmonitor_entry *entry)
{
	struct first first = { out->source, entry->filters };

	kmonitor_conditions_visit(out->conditions, out->source, find_first,
				  &first);
	return first.entry == entry;
}

static bool emit_to_condition(void *data, struct kmonitor_entry *entry)
{
	struct fan_out *out = data;
	struct kmonitor_filters *filters = READ_ONCE(entry->filters);

	if (!wants(entry, out->source) || decided(out, filters))
		return false;
	if (out->nr_matched < ARRAY_SIZE(out->matched))
		out->matched[out->nr_matched++] = filters;
	else if (!is_first(out, entry))
		return false;
	deliver(out, out->source->type, entry, filters);
	return false;
}

/* A descriptor has one such entry, the last to be judged. */
static void emit_to_whole(struct fan_out *out)
{
	const bool filled = out->nr_matched == ARRAY_SIZE(out->matched);
	const u32 type = out->source->type;
	const struct kmonitor_entry *entry;
	struct kmonitor_filters *filters;

	hlist_for_each_entry_rcu(entry, &out->conditions->all, all) {
		filters = READ_ONCE(entry->filters);
		if (judge(entry, out->source, type) == PASS ||
		    decided(out, filters) ||
		    (unlikely(filled) && !is_first(out, entry)))
			continue;
		deliver(out, type, entry, filters);
	}
}

static void emit_to_conditions(struct fan_out *out)
{
	const struct kmonitor_conditions *conditions = out->conditions;
	const u32 type = out->source->type;

	if (!conditions)
		return;
	if (READ_ONCE(conditions->by_id) & type)
		kmonitor_conditions_visit_ids(conditions, out->source,
					      emit_to_condition, out);
	if (READ_ONCE(conditions->events[KMONITOR_CONDITION_ALL]) & type)
		emit_to_whole(out);
}

static noinline void emit_to_all(struct kmonitor_source *source,
				 const struct kmonitor_mark_set *set)
{
	/* All that is looked at is set, and it is large. */
	struct fan_out out __uninitialized;
	struct pid_namespace *ns;

	out.source = source;
	out.sent = 0;
	out.set = set;
	out.nr_matched = 0;
	out.view = NULL;
	out.unmade = source->type;
	if (set)
		emit_to_marks(&out);
	for (ns = ns_of_pid(task_pid(source->task)); ns; ns = ns->parent) {
		if (!(READ_ONCE(ns->kmonitor_events) & source->type))
			continue;
		out.conditions = rcu_dereference(ns->kmonitor_conditions);
		emit_to_conditions(&out);
	}
}

/* The only condition that may want a type, if it is of target ALL. */
static __always_inline const struct kmonitor_entry *
only_condition(const struct kmonitor_conditions *conditions, u32 type)
{
	const struct hlist_node *first;

	if (!conditions || READ_ONCE(conditions->by_id) & type)
		return NULL;
	first = rcu_dereference(hlist_first_rcu(&conditions->all));
	if (!first || rcu_access_pointer(hlist_next_rcu(first)))
		return NULL;
	return hlist_entry(first, struct kmonitor_entry, all);
}

/* The only entry that may want the record, or NULL if there may be more. */
static __always_inline const struct kmonitor_entry *
only_entry(const struct kmonitor_source *source,
	   const struct kmonitor_mark_set *set)
{
	const struct kmonitor_entry *entry = NULL;
	const struct pid_namespace *ns;

	if (set && READ_ONCE(set->events) & source->type) {
		if (set->nr > 1)
			return NULL;
		entry = set->entries[0];
	}
	for (ns = ns_of_pid(task_pid(source->task)); ns; ns = ns->parent) {
		if (!(READ_ONCE(ns->kmonitor_events) & source->type))
			continue;
		if (entry)
			return NULL;
		entry = only_condition(rcu_dereference(ns->kmonitor_conditions),
				       source->type);
		if (!entry)
			return NULL;
	}
	return entry;
}

/* The same behind a loss, if there is room at all. */
static noinline enum kmonitor_wakeup
fill_behind_loss(struct kmonitor *mon, struct kmonitor_source *source,
		 const struct kmonitor_entry *entry)
{
	struct kmonitor_reservation place __uninitialized;
	u64 time = source->time_ns ?: ktime_get_boottime_ns();
	struct kmonitor_event *record;
	enum kmonitor_wakeup wakeup;

	if (kmonitor_ring_count_loss(&mon->ring, source->type, time, &wakeup) ||
	    !kmonitor_ring_reserve(&mon->ring, source->type, time, &place,
				   &wakeup))
		return wakeup;
	record = kmonitor_ring_reserved_slot(&mon->ring, &place);
	fill(record, source, &mon->filters.creator, is_birth(source));
	record->cookie = READ_ONCE(entry->cookie);
	return kmonitor_ring_commit(&mon->ring, &place);
}

/*
 * A record of the current task for one descriptor is made where it will be
 * read.  False if it can't be, and nothing has been done.
 */
static __always_inline bool emit_in_place(struct kmonitor_source *source,
					  const struct kmonitor_entry *entry,
					  bool birth)
{
	const u32 exits = KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_EXIT;
	struct kmonitor *mon = owner(entry);
	const struct kmonitor_creator *creator = &mon->filters.creator;
	struct kmonitor_slot slot __uninitialized;
	enum kmonitor_wakeup wakeup;

	/* Of an entry that has ended, the descriptor may be gone. */
	if (judge(entry, source, source->type) != RECORD)
		return true;
	if (READ_ONCE(mon->filters.judged) & source->type)
		return false;
	if (!birth) {
		if (!(source->type & exits) || urgent(mon, entry, source->type))
			return false;
		/* It may take locks that sleep where a slot is not to be kept. */
		kmonitor_take_usage(source);
	}
	kmonitor_ring_pin();
	if (likely(kmonitor_ring_reserve_slot(&mon->ring, &slot))) {
		fill(slot.record, source, creator, birth);
		slot.record->cookie = READ_ONCE(entry->cookie);
		wakeup = kmonitor_ring_commit_slot(&mon->ring, &slot);
	} else {
		wakeup = fill_behind_loss(mon, source, entry);
	}
	kmonitor_ring_unpin();
	if (wakeup)
		kmonitor_wake_as_owed(mon, wakeup, false);
	return true;
}

static bool wants_any(void *data, struct kmonitor_entry *entry)
{
	const u32 *types = data;

	return READ_ONCE(entry->events) & *types && kmonitor_entry_alive(entry);
}

/**
 * kmonitor_matched - whether an entry may want a record of this task
 * @task: The task, alive or held by the caller.
 * @types: Event types, of no birth.
 *
 * For what costs too much to be done for each task while kmonitor_watched(): of
 * conditions it looks at those that match.  An abort of a thread is judged by
 * the thread, whichever of several that is.
 *
 * Context: Any but NMI.
 * Return: Whether there is such an entry.
 */
bool kmonitor_matched(struct task_struct *task, u32 types)
{
	const struct kmonitor_source source = { .type = types, .task = task };
	const u32 by_thread =
		thread_group_empty(task) ? 0 : types & KMONITOR_THREAD_ABORT;
	const struct pid_namespace *ns;

	if (READ_ONCE(task->signal->kmonitor_events) & types)
		return true;
	guard(rcu)();
	for (ns = ns_of_pid(task_pid(task)); ns; ns = ns->parent) {
		if (READ_ONCE(ns->kmonitor_events) & by_thread)
			return true;
		if (READ_ONCE(ns->kmonitor_events) & types &&
		    kmonitor_conditions_visit(
			    rcu_dereference(ns->kmonitor_conditions), &source,
			    wants_any, &types))
			return true;
	}
	return false;
}

static __always_inline void emit(struct kmonitor_source *source,
				 const struct kmonitor_mark_set *set,
				 bool birth)
{
	const struct kmonitor_entry *entry = only_entry(source, set);

	if (!entry || !emit_in_place(source, entry, birth))
		emit_to_all(source, set);
}

/**
 * kmonitor_emit_birth - send the record of a birth to each that wants it
 * @source: A PROCESS_FORK or THREAD_CREATE of the current task.
 * @set: The marks of its process, or NULL.
 *
 * Context: Between kmonitor_enter() and kmonitor_leave().
 */
void kmonitor_emit_birth(struct kmonitor_source *source,
			 const struct kmonitor_mark_set *set)
{
	emit(source, set, true);
}

/**
 * kmonitor_emit - send a record to each descriptor that wants it
 * @source: What happened; no birth.
 * @set: The marks of the subject's process, or NULL.
 *
 * Context: Between kmonitor_enter(), where the subject was alive, and
 *	kmonitor_leave().
 */
void kmonitor_emit(struct kmonitor_source *source,
		   const struct kmonitor_mark_set *set)
{
	emit(source, set, false);
}

/**
 * kmonitor_report - send a record about a task with the marks that it has now
 * @source: What happened.
 *
 * Context: The current task is the subject, or the caller holds a reference to
 *	it; else under RCU.
 */
void kmonitor_report(struct kmonitor_source *source)
{
	struct task_struct *task = source->task;

	kmonitor_enter();
	if (task == current || kmonitor_task_alive(task))
		kmonitor_emit(source,
			      rcu_dereference(task->signal->kmonitor_marks));
	kmonitor_leave();
}
