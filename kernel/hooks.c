// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks in fork, exec and exit, and the fan-out to descriptors.
 *
 * hook -> match -> record, once -> each ring -> wake
 *
 * A task that no filter matches costs its hook two loads: the marks of its
 * process, and for each pid namespace it is visible in (most often one) the
 * event types that conditions there want.  All runs under RCU in the context
 * of the subject.
 */

#include <linux/jump_label_ratelimit.h>
#include <linux/kmonitor.h>
#include <linux/oom.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/timekeeping.h>

#include "entry.h"
#include "fd.h"
#include "mark.h"
#include "record.h"

/*
 * On while a descriptor is open, and for up to a second longer: switching
 * patches the text of the kernel, which no user may make happen at will.
 */
DEFINE_STATIC_KEY_DEFERRED_FALSE(kmonitor_key, HZ);

/* Turns the hooks on for one more descriptor.  May sleep. */
void kmonitor_hooks_get(void)
{
	static_branch_inc(&kmonitor_key.key);
}

/* Turns the hooks off, a second after the last descriptor is gone. */
void kmonitor_hooks_put(void)
{
	static_branch_slow_dec_deferred(&kmonitor_key);
}

static struct kmonitor *owner(const struct kmonitor_entry *entry)
{
	return container_of(READ_ONCE(entry->filters), struct kmonitor,
			    filters);
}

static void wake(struct kmonitor *mon, bool redacted)
{
	if (redacted)
		irq_work_queue(&mon->wake);
	else
		wake_up_interruptible_poll(&mon->wait, EPOLLIN | EPOLLRDNORM);
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
	if (kmonitor_ring_append(&mon->ring, &out->event,
				 READ_ONCE(entry->cookie)) ==
	    KMONITOR_APPEND_WAKE)
		wake(mon, redacted);
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

/* The caller is the subject and holds the RCU read lock. */
static void emit(const struct kmonitor_source *source,
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

static const struct kmonitor_mark_set *marks_of(const struct task_struct *task)
{
	return rcu_dereference(task->signal->kmonitor_marks);
}

/* Whether anything wants to know: what a task without filters pays. */
static bool watched(struct task_struct *task, u32 type)
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

static u16 worker_flag(const struct task_struct *task)
{
	return task->flags & (PF_IO_WORKER | PF_USER_WORKER) ?
		       KMONITOR_EVENT_WORKER :
		       0;
}

static u16 oom_flag(const struct signal_struct *sig)
{
	return READ_ONCE(sig->oom_mm) ? KMONITOR_EVENT_OOM : 0;
}

/* Writes the first EMPTY record that waits for room; whether one has found it. */
static bool flush_one(struct kmonitor *mon)
{
	struct kmonitor_filters *filters = &mon->filters;
	enum kmonitor_append done = KMONITOR_APPEND_FULL;
	struct kmonitor_entry *entry;
	struct kmonitor_event event;
	unsigned long flags;

	spin_lock_irqsave(&filters->pending_lock, flags);
	entry = list_first_entry_or_null(&filters->pending,
					 struct kmonitor_entry, pending);
	if (entry) {
		kmonitor_record_fill_empty(&event, entry, &filters->creator);
		done = kmonitor_ring_try_append(&mon->ring, &event,
						entry->cookie);
	}
	if (done != KMONITOR_APPEND_FULL) {
		list_del_init(&entry->pending);
		kmonitor_entry_discard(entry);
	}
	spin_unlock_irqrestore(&filters->pending_lock, flags);

	if (done == KMONITOR_APPEND_WAKE)
		irq_work_queue(&mon->wake);
	return done != KMONITOR_APPEND_FULL;
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
			irq_work_queue(&mon->wake);
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
		list_add_tail(&entry->pending, &filters->pending);
	/* Pairs with the barrier in kmonitor_ring_consume(). */
	smp_mb();
	kmonitor_flush_pending(mon);
}

void __kmonitor_inherit(struct task_struct *child)
{
	kmonitor_mark_inherit(current->signal, child->signal);
}

void __kmonitor_fork(struct task_struct *child, u64 clone_flags)
{
	struct kmonitor_source source = {
		.type = clone_flags & CLONE_THREAD ? KMONITOR_THREAD_CREATE :
						     KMONITOR_PROCESS_FORK,
		.task = current,
		.fork.child = child,
		.fork.clone_flags = clone_flags,
	};

	might_sleep();
	if (!child->pid || !watched(current, source.type))
		return;
	source.flags = worker_flag(child);

	guard(rcu)();
	emit(&source, marks_of(current));
}

/* Thread entries end with the tid that they name: this one, or all others. */
static void retire_threads(const struct kmonitor_mark_set *set,
			   const struct pid *pid, bool this)
{
	for (u32 i = 0; set && i < set->nr; i++) {
		struct kmonitor_entry *entry = set->entries[i];
		bool named = entry->pid == pid;

		if (entry->target == KMONITOR_TARGET_THREAD && named == this)
			kmonitor_entry_retire(entry);
	}
}

void __kmonitor_exec(struct linux_binprm *bprm, struct pid *old_pid)
{
	struct kmonitor_source source = {
		.type = KMONITOR_PROCESS_EXEC,
		.task = current,
		.exec.bprm = bprm,
		.exec.old_pid = old_pid,
	};

	might_sleep();
	if (!watched(current, source.type))
		return;

	guard(rcu)();
	emit(&source, marks_of(current));
	/* One thread is left. */
	retire_threads(marks_of(current), task_pid(current), false);
}

void __kmonitor_thread_exit(struct task_struct *task, long code, bool last)
{
	struct kmonitor_source source = {
		.type = KMONITOR_THREAD_EXIT,
		.task = task,
	};

	might_sleep();
	if (!watched(task, source.type))
		return;
	source.flags = worker_flag(task);
	if (last)
		source.flags |= KMONITOR_EVENT_LAST_THREAD;
	source.exit.status = code;
	kmonitor_thread_usage(task, &source.exit);

	guard(rcu)();
	emit(&source, marks_of(task));
	retire_threads(marks_of(task), task_pid(task), true);
}

/* A tree counts all its members, and adds up what its creator may see. */
static void account(const struct kmonitor_mark_set *set,
		    const struct kmonitor_source *source)
{
	static const struct kmonitor_exit nothing;

	for (u32 i = 0; i < set->nr; i++) {
		struct kmonitor_entry *entry = set->entries[i];
		bool seen;

		if (!kmonitor_entry_alive(entry))
			continue;
		if (entry->target != KMONITOR_TARGET_TREE) {
			kmonitor_entry_retire(entry);
			continue;
		}
		seen = kmonitor_may_see(&entry->filters->creator, source->task);
		kmonitor_entry_account(entry, task_tgid(source->task),
				       seen ? &source->exit : &nothing,
				       seen && source->flags &
						       KMONITOR_EVENT_OOM);
	}
}

void __kmonitor_process_exit(struct task_struct *task)
{
	struct kmonitor_source source = {
		.type = KMONITOR_PROCESS_EXIT,
		.task = task,
	};
	struct kmonitor_mark_set *set;

	might_sleep();
	if (!watched(task, source.type))
		return;
	source.flags = oom_flag(task->signal);
	source.exit.status = task->signal->group_exit_code;
	kmonitor_process_usage(task, &source.exit);

	set = kmonitor_mark_take(task->signal);
	rcu_read_lock();
	emit(&source, set);
	if (set)
		account(set, &source);
	rcu_read_unlock();
	kmonitor_mark_put(set);
}

void __kmonitor_free_signal(struct signal_struct *sig)
{
	kmonitor_mark_put(kmonitor_mark_take(sig));
}
