// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fan-out of a record: match -> record, once -> each ring -> wake.
 *
 * A task that no filter matches costs its hook two loads: the marks of its
 * process, and for each pid namespace it is visible in (most often one) the
 * event types that conditions there want.  All runs under RCU in the context
 * of the subject.
 */

#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>

#include "emit.h"
#include "entry.h"
#include "mark.h"
#include "record.h"
#include "wake.h"

static struct kmonitor *owner(const struct kmonitor_entry *entry)
{
	return container_of(READ_ONCE(entry->filters), struct kmonitor,
			    filters);
}

/* The end of a watched process is told below the watermark, too. */
static bool urgent(const struct kmonitor_entry *entry, u32 type)
{
	return type == KMONITOR_PROCESS_EXIT &&
	       (entry->target == KMONITOR_TARGET_PROCESS ||
		entry->target == KMONITOR_TARGET_THREAD);
}

static enum kmonitor_append append(struct kmonitor *mon,
				   const struct kmonitor_event *event,
				   const struct kmonitor_entry *entry)
{
	u64 cookie = READ_ONCE(entry->cookie);

	if (unlikely(urgent(entry, event->type)))
		return kmonitor_ring_append_group(&mon->ring, event, NULL, 0,
						  cookie, true);
	return kmonitor_ring_append(&mon->ring, event, cookie);
}

/*
 * A record under way to the descriptors, made once for each view of it.  Edits
 * may change what an entry wants meanwhile, so that it is asked once only: the
 * bits of sent are the indices of the mark set's entries that got the record.
 */
struct fan_out {
	const struct kmonitor_source *source;
	u64 sent;
	const struct kmonitor_creator *view;
	bool redacted;
	struct kmonitor_event event;
};

static bool same_view(const struct kmonitor_creator *a,
		      const struct kmonitor_creator *b)
{
	return a->pid_ns == b->pid_ns && a->cred->user_ns == b->cred->user_ns;
}

/* Of a task that it may not see, a descriptor gets what keeps trees true. */
static bool survives_redaction(const struct kmonitor_entry *entry, u32 type)
{
	return entry->target != KMONITOR_TARGET_ALL &&
	       (type == KMONITOR_PROCESS_FORK || type == KMONITOR_PROCESS_EXIT);
}

static void deliver(struct fan_out *out, const struct kmonitor_entry *entry)
{
	const struct kmonitor_source *source = out->source;
	struct kmonitor *mon = owner(entry);
	const struct kmonitor_creator *creator = &mon->filters.creator;
	bool redacted = !kmonitor_may_see(creator, source->task);

	if (redacted && !survives_redaction(entry, source->type))
		return;
	if (!out->view || out->redacted != redacted ||
	    !same_view(out->view, creator)) {
		kmonitor_record_fill(&out->event, source, creator, redacted);
		out->view = creator;
		out->redacted = redacted;
	}
	/* With interrupts off, a siglock is held. */
	kmonitor_appended(mon, append(mon, &out->event, entry),
			  redacted || irqs_disabled());
}

static bool names_subject(const struct kmonitor_entry *entry,
			  const struct kmonitor_source *source)
{
	return entry->target != KMONITOR_TARGET_THREAD ||
	       entry->pid == task_pid(source->task) ||
	       (source->type == KMONITOR_PROCESS_EXEC &&
		entry->pid == source->exec.old_pid);
}

static bool wants(const struct kmonitor_entry *entry,
		  const struct kmonitor_source *source)
{
	return READ_ONCE(entry->events) & source->type &&
	       kmonitor_entry_alive(entry) && names_subject(entry, source);
}

/* Whether a descriptor has got the record through its marks. */
static bool sent_to(const struct fan_out *out,
		    const struct kmonitor_mark_set *set,
		    const struct kmonitor_filters *filters)
{
	for (u32 i = 0; set && i < set->nr; i++) {
		if (set->entries[i]->filters == filters &&
		    (i < 64 ? out->sent & BIT_ULL(i) :
			      wants(set->entries[i], out->source)))
			return true;
	}
	return false;
}

/* Entries of one descriptor stand together, the most specific first. */
static void emit_to_marks(struct fan_out *out,
			  const struct kmonitor_mark_set *set)
{
	const struct kmonitor_filters *done = NULL;

	for (u32 i = 0; i < set->nr; i++) {
		if (set->entries[i]->filters != done &&
		    wants(set->entries[i], out->source)) {
			done = set->entries[i]->filters;
			if (i < 64)
				out->sent |= BIT_ULL(i);
			deliver(out, set->entries[i]);
		}
	}
}

static void emit_to_conditions(struct fan_out *out,
			       const struct pid_namespace *ns,
			       const struct kmonitor_mark_set *set)
{
	const struct kmonitor_entry *entry;

	hlist_for_each_entry_rcu(entry, &ns->kmonitor_conditions, condition) {
		if (wants(entry, out->source) &&
		    !sent_to(out, set, entry->filters))
			deliver(out, entry);
	}
}

/**
 * kmonitor_emit - send a record to each descriptor that wants it
 * @source: What happened.
 * @set: The marks of the subject's process, or NULL.
 *
 * Context: The current task is the subject.  Under RCU.
 */
void kmonitor_emit(const struct kmonitor_source *source,
		   const struct kmonitor_mark_set *set)
{
	struct fan_out out;
	struct pid_namespace *ns;

	out.source = source;
	out.sent = 0;
	out.view = NULL;
	if (set)
		emit_to_marks(&out, set);
	for (ns = task_active_pid_ns(source->task); ns; ns = ns->parent) {
		if (READ_ONCE(ns->kmonitor_events) & source->type)
			emit_to_conditions(&out, ns, set);
	}
}

/**
 * kmonitor_watched - whether anything wants to know
 * @task: The subject.
 * @type: The event type.
 *
 * This is what a task without filters pays.
 *
 * Context: Any.
 * Return: Whether kmonitor_emit() may find a descriptor.
 */
bool kmonitor_watched(struct task_struct *task, u32 type)
{
	struct pid_namespace *ns;

	if (rcu_access_pointer(task->signal->kmonitor_marks))
		return true;
	for (ns = task_active_pid_ns(task); ns; ns = ns->parent) {
		if (READ_ONCE(ns->kmonitor_events) & type)
			return true;
	}
	return false;
}
