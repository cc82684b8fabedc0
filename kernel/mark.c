// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mark sets: the filter entries that hold a process.
 *
 * signal->kmonitor_marks points to a refcounted set of entries, which never
 * change.
 *
 *   fork    copies the pointer to the part that children inherit, under the
 *           write-held tasklist_lock: no allocation, no failure.
 *   edit    makes new sets and swaps them in by compare-and-exchange, under
 *           the read-held tasklist_lock: no fork and no reparenting happens
 *           meanwhile, so a walk over the descendants is complete.
 *   exit    of the last thread exchanges the pointer for the "exited" set; for
 *           a process that never ends, see stuck.c, a worker does.
 *   hooks   read the pointer and the set under RCU, if signal->kmonitor_events
 *           has a bit of theirs: what the entries of the set may want.  Edits
 *           keep it above that, by the same locks.
 *
 * Late marks.  An edit may come when the last thread is already past its
 * hook, so nobody would retire the mark.
 *
 *   edit: swap in the set;     full barrier; look at kmonitor_threads
 *   exit: kmonitor_threads--;  full barrier; take the set
 *
 * At least one sees the other.  If both do, one of them gets the set by its
 * exchange, and that one retires it.
 *
 * An entry is in as many sets as entry->sets says.  A process pins its set,
 * so the last set with the entry goes when the last member has ended.
 *
 * An entry that ends before its members stays in their sets as a dead one,
 * which hooks pass over.  A sweep over all processes replaces such sets soon.
 */

#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "entry.h"
#include "limits.h"
#include "mark.h"
#include "mark_set.h"
#include "process_walk.h"

/* Replaces the set of a process after the exit of its last thread. */
static struct kmonitor_mark_set exited_set;

/* Serialises edits of marks.  Outside tasklist_lock. */
static DEFINE_MUTEX(edit_lock);

static bool hooks_done(const struct signal_struct *sig)
{
	return !atomic_read(&sig->kmonitor_threads);
}

static bool replace_marks(struct signal_struct *sig,
			  struct kmonitor_mark_set *old,
			  struct kmonitor_mark_set *new)
{
	return unrcu_pointer(cmpxchg(&sig->kmonitor_marks, RCU_INITIALIZER(old),
				     RCU_INITIALIZER(new))) == old;
}

/*
 * Swaps in a set.  The cmpxchg is the full barrier of the late-mark rule; it
 * pairs with the decrement in kmonitor_process_exit().
 *
 * If old had live entries, the hooks have been on since one of them was
 * added, and the process has not taken its set yet: it will take this one.
 * Otherwise the exit may have passed while the hooks were off, and the mark is
 * taken back, unless the exit has taken it already.
 *
 * Return: 1 if the process has the marks of the edit, 0 if it has exited, or the
 * error of the edit.
 */
static int mark_process(struct kmonitor_mark_edit *edit,
			struct signal_struct *sig)
{
	struct kmonitor_mark_set *old, *new;

	lockdep_assert_held(&tasklist_lock);
	for (;;) {
		guard(rcu)();
		old = rcu_dereference(sig->kmonitor_marks);
		if (old == &exited_set)
			return 0;
		if (edit->entry ? kmonitor_mark_set_has(old, edit->entry) :
				  !kmonitor_mark_set_has_dead(old))
			return 1;
		if (old && !atomic_inc_not_zero(&old->users))
			continue;
		new = kmonitor_mark_set_replace(edit, old);
		if (edit->error) {
			kmonitor_mark_put(old);
			return edit->error;
		}
		/* Before the full barrier of the late-mark rule. */
		if (new)
			WRITE_ONCE(sig->kmonitor_events,
				   sig->kmonitor_events | new->events);
		if (replace_marks(sig, old, new))
			break;
		kmonitor_mark_put(new);
		kmonitor_mark_put(old);
	}
	/* The reference of the process to old, and the one just taken. */
	kmonitor_mark_put(old);
	kmonitor_mark_put(old);
	WRITE_ONCE(sig->kmonitor_events, new ? new->events : 0);

	if (edit->entry && hooks_done(sig) && new->nr == 1 &&
	    replace_marks(sig, new, &exited_set)) {
		kmonitor_mark_put(new);
		return 0;
	}
	return 1;
}

/* Visitor of __walk_process_tree(): an exited process may still have children. */
static int mark_descendant(struct task_struct *child, void *edit)
{
	int ret = mark_process(edit, child->signal);

	return ret < 0 ? ret : 1;
}

/* Marks a process and all its descendants. */
static int mark_tree(struct kmonitor_mark_edit *edit, struct task_struct *top)
{
	int ret = mark_process(edit, top->signal);

	if (ret <= 0)
		return ret;
	__walk_process_tree(top, mark_descendant, edit);
	return edit->error ?: 1;
}

/* Returns the current set of a process with a reference, or NULL. */
static struct kmonitor_mark_set *
get_current_set(const struct signal_struct *sig)
{
	struct kmonitor_mark_set *set;

	guard(rcu)();
	do {
		set = rcu_dereference(sig->kmonitor_marks);
		if (set == &exited_set)
			return NULL;
	} while (set && !atomic_inc_not_zero(&set->users));
	return set;
}

/*
 * Reclaims memory for the set that could not be allocated under tasklist_lock.
 * Called between two tries, without the lock of all edits.  Returns true if
 * there is memory now.
 */
static bool try_reclaim(const struct kmonitor_mark_edit *edit)
{
	void *memory = kmalloc(edit->missing, KMONITOR_GFP);

	kfree(memory);
	return memory;
}

static int try_mark_task(struct kmonitor_mark_edit *edit,
			 struct task_struct *task)
{
	const struct kmonitor_entry *entry = edit->entry;
	struct kmonitor_mark_set *root = NULL;
	int ret = 0;

	edit->error = 0;
	guard(mutex)(&edit_lock);
	read_lock(&tasklist_lock);
	if (pid_alive(task) && (entry->target != KMONITOR_TARGET_THREAD ||
				task_pid(task) == entry->pid)) {
		root = get_current_set(task->signal);
		edit->root = root;
		if (entry->target == KMONITOR_TARGET_TREE)
			ret = mark_tree(edit, task->group_leader);
		else
			ret = mark_process(edit, task->signal);
	}
	read_unlock(&tasklist_lock);

	kmonitor_mark_edit_end(edit);
	kmonitor_mark_put(root);
	return ret > 0 ? 0 : ret ?: -ESRCH;
}

/**
 * kmonitor_mark_add - mark a process, and all its descendants for a tree
 * @task: The process, or the thread of a thread entry; the caller holds a
 *	reference.
 * @entry: The entry, in no set yet.
 *
 * Context: May sleep.  Holds tasklist_lock for reading during the walk over
 *	the descendants, as prctl(PR_SET_CHILD_SUBREAPER) does.
 * Return: 0; -ESRCH if the process has exited; -ENOSPC if a process has reached
 *	the limit of unprivileged entries; -ENOMEM.  After an error the caller
 *	must kill the entry: some sets may have it.
 */
int kmonitor_mark_add(struct task_struct *task, struct kmonitor_entry *entry)
{
	struct kmonitor_mark_edit edit = { .entry = entry };
	int tries = 8;
	int ret;

	do {
		ret = try_mark_task(&edit, task);
	} while (ret == -ENOMEM && --tries && try_reclaim(&edit));
	return ret;
}

/**
 * kmonitor_mark_find - find the live entry of a descriptor that names a process
 * @task: The process; the caller holds a reference.
 * @target: THREAD, PROCESS or TREE.
 * @pid: The pid that the entry names.
 * @filters: The filters of the descriptor.
 * @ignore: Look for one that suppresses records.
 *
 * Context: Any.
 * Return: The entry with a reference, or NULL.
 */
struct kmonitor_entry *
kmonitor_mark_find(struct task_struct *task, u32 target, struct pid *pid,
		   const struct kmonitor_filter_table *filters, bool ignore)
{
	const struct kmonitor_mark_set *set;
	struct kmonitor_entry *entry;

	guard(rcu)();
	set = rcu_dereference(task->signal->kmonitor_marks);
	for (u32 i = 0; set && i < set->nr; i++) {
		entry = set->entries[i];
		if (entry->filters == filters && entry->target == target &&
		    entry->pid == pid &&
		    kmonitor_entry_ignores(entry) == ignore &&
		    kmonitor_entry_alive(entry) &&
		    refcount_inc_not_zero(&entry->refs))
			return entry;
	}
	return NULL;
}

static void widen_events(struct signal_struct *sig,
			 const struct kmonitor_entry *entry)
{
	struct kmonitor_mark_set *set;

	guard(rcu)();
	set = rcu_dereference(sig->kmonitor_marks);
	if (!kmonitor_mark_set_has(set, entry))
		return;
	WRITE_ONCE(set->events, set->events | entry->may_want);
	if (set->inherit && kmonitor_mark_set_has(set->inherit, entry))
		WRITE_ONCE(set->inherit->events,
			   set->inherit->events | entry->may_want);
	WRITE_ONCE(sig->kmonitor_events,
		   sig->kmonitor_events | entry->may_want);
}

/**
 * kmonitor_mark_set_events - change the events that an entry wants
 * @entry: The entry, other than a condition.
 * @events: Bits of the event types.
 *
 * Context: May sleep.  Under the lock of the filter table.  If an event is new to
 *	the entry, holds tasklist_lock for reading during a walk over all
 *	processes.
 */
void kmonitor_mark_set_events(struct kmonitor_entry *entry, u32 events)
{
	struct task_struct *task;

	if (events & ~entry->may_want) {
		guard(mutex)(&edit_lock);
		entry->may_want |= events;
		/* Keeps a fork from copying a set meanwhile. */
		read_lock(&tasklist_lock);
		for_each_process(task)
			widen_events(task->signal, entry);
		read_unlock(&tasklist_lock);
	}
	WRITE_ONCE(entry->events, events);
}

/**
 * kmonitor_mark_count - count a process in the entries that hold it
 * @sig: The process.
 * @filters: The filters of the descriptor.
 *
 * Context: Under RCU and the lock of the filter table.
 */
void kmonitor_mark_count(const struct signal_struct *sig,
			 const struct kmonitor_filter_table *filters)
{
	const struct kmonitor_mark_set *set;

	set = rcu_dereference(sig->kmonitor_marks);
	for (u32 i = 0; set && i < set->nr; i++) {
		if (kmonitor_entry_alive(set->entries[i]) &&
		    set->entries[i]->filters == filters)
			set->entries[i]->members++;
	}
}

/**
 * kmonitor_mark_take - take the marks of a process that has exited
 * @sig: The process.
 *
 * Context: Its last thread, or the worker of stuck.c, after the full barrier
 *	behind the end of kmonitor_threads; or when no one can find it any more.
 * Return: The set with its reference, or NULL.
 */
struct kmonitor_mark_set *kmonitor_mark_take(struct signal_struct *sig)
{
	struct kmonitor_mark_set *set;

	if (!rcu_access_pointer(sig->kmonitor_marks))
		return NULL;
	set = unrcu_pointer(
		xchg(&sig->kmonitor_marks, RCU_INITIALIZER(&exited_set)));
	return set == &exited_set ? NULL : set;
}

/*
 * Replaces the sets with dead entries of the next processes.  tasklist_lock
 * keeps a fork from copying a set that is being replaced.
 */
static bool sweep_batch(int *nr, bool *found)
{
	struct kmonitor_mark_edit edit = {};
	struct task_struct *leader;
	bool more = true;

	for (int batch = 256; more && batch; batch--) {
		guard(rcu)();
		more = kmonitor_process_walk(&init_pid_ns, nr, &leader);
		(*nr)++;
		if (!leader || !kmonitor_mark_set_has_dead(rcu_dereference(
				       leader->signal->kmonitor_marks)))
			continue;
		*found = true;
		edit.error = 0;
		read_lock(&tasklist_lock);
		mark_process(&edit, leader->signal);
		read_unlock(&tasklist_lock);
	}
	kmonitor_mark_edit_end(&edit);
	return more;
}

static void sweep_all_marks(struct work_struct *work)
{
	bool found = false;
	bool more;
	int nr = 1;

	do {
		mutex_lock(&edit_lock);
		more = sweep_batch(&nr, &found);
		mutex_unlock(&edit_lock);
		cond_resched();
	} while (more);
	/* A fork may have passed a set on to a pid behind the cursor. */
	if (found)
		kmonitor_mark_sweep_later();
}

static DECLARE_DELAYED_WORK(sweep_work, sweep_all_marks);

/**
 * kmonitor_mark_sweep_later - drop dead entries from the sets of all processes
 *
 * At most once a second, however often entries are deleted.
 *
 * Context: Any.
 */
void kmonitor_mark_sweep_later(void)
{
	queue_delayed_work(system_unbound_wq, &sweep_work, HZ);
}

/**
 * kmonitor_mark_kill - kill the entry of a thread or process that ends
 * @entry: The entry, found under RCU.
 *
 * Context: Under RCU.
 * Return: True if the caller must discard it, at once or when its last record
 *	has found room; false if it was dead already.
 */
bool kmonitor_mark_kill(struct kmonitor_entry *entry)
{
	if (!kmonitor_entry_kill(entry))
		return false;
	/* The process may live on. */
	if (entry->target == KMONITOR_TARGET_THREAD)
		kmonitor_mark_sweep_later();
	return true;
}

/**
 * kmonitor_mark_retire - an entry ends with the thread or process it names
 * @entry: The entry, found under RCU.
 *
 * Context: Under RCU.
 */
void kmonitor_mark_retire(struct kmonitor_entry *entry)
{
	if (kmonitor_mark_kill(entry))
		kmonitor_entry_discard(entry);
}
