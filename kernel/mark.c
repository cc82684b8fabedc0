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
 *   hooks   read the pointer and the set under RCU.
 *
 * signal->kmonitor_events has the events of the set, and more during an edit, so
 * that a hook that none of its entries wants has no need of RCU.  Edits write it,
 * under their lock.  Once the process has exited it means nothing.
 *
 * The last thread.  Each thread sets a bit in its own task_struct when it comes
 * to its last hook.  There it looks at the bits of the others, if anything may
 * match the process and signal->live says that none is yet to begin its exit:
 *
 *   thread: set its bit;       full barrier; look at live, and at the other bits
 *   others: decrement live;    full barrier; come to that hook later
 *
 * The last to set its bit sees them all; if another does, too, one of them gets
 * the marks by its exchange, and that one reports the end.  It has not left
 * its hook before, so nobody can wait for the process until then.
 *
 * Late marks.  An edit may come when the last thread is already past its
 * hook, so nobody would retire the mark.
 *
 *   edit: add to the events,   full barrier; look at the bits of all threads
 *         swap in the set;
 *   exit: set its bit;         full barrier; look at the events, take the set
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

/* The number of processes after which an edit lets others go on. */
#define BATCH 256

/* Number of edits that are widening the events of sets; under edit_lock. */
int kmonitor_mark_widenings;

/* Edits the marks of a process.  Returns true if another pass is needed. */
typedef bool (*visit_process_t)(struct kmonitor_mark_edit *edit,
				struct task_struct *leader);

/* The caller holds the RCU read lock, tasklist_lock or siglock. */
static bool have_threads_exited(const struct signal_struct *sig)
{
	const struct task_struct *thread;

	__for_each_thread(sig, thread) {
		/* It is set once; the thread writes other bits as it likes. */
		if (data_race(!thread->kmonitor_exited))
			return false;
	}
	return true;
}

/**
 * kmonitor_process_ended - test whether all threads have come to their last hook
 * @sig: The process.
 *
 * A process one of whose threads is stuck has ended when its marks were taken.
 *
 * Context: Under RCU, tasklist_lock or siglock.
 * Return: True if they have.
 */
bool kmonitor_process_ended(const struct signal_struct *sig)
{
	return rcu_access_pointer(sig->kmonitor_marks) == &exited_set ||
	       have_threads_exited(sig);
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
 * pairs with the one in __kmonitor_process_exit().
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
	u32 events;

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
		events = new ? READ_ONCE(new->events) : 0;
		/* Before the full barrier of the late-mark rule. */
		WRITE_ONCE(sig->kmonitor_events,
			   READ_ONCE(sig->kmonitor_events) | events);
		if (replace_marks(sig, old, new))
			break;
		kmonitor_mark_put(new);
		kmonitor_mark_put(old);
	}
	WRITE_ONCE(sig->kmonitor_events, events);
	/* The reference of the process to old, and the one just taken. */
	kmonitor_mark_put(old);
	kmonitor_mark_put(old);

	if (edit->entry && have_threads_exited(sig) && new->nr == 1 &&
	    replace_marks(sig, new, &exited_set)) {
		kmonitor_mark_put(new);
		return 0;
	}
	return 1;
}

/* Visitor of __walk_process_tree(): an exited process may still have children. */
static int mark_descendant(struct task_struct *child, void *edit)
{
	return mark_process(edit, child->signal) < 0 ? -1 : 1;
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

static bool visit_batch(struct kmonitor_mark_edit *edit, visit_process_t visit,
			int *nr, bool *found)
{
	struct task_struct *leader;
	bool more = true;

	guard(mutex)(&edit_lock);
	for (int batch = BATCH; more && batch; batch--) {
		guard(rcu)();
		more = kmonitor_process_walk(&init_pid_ns, nr, &leader);
		(*nr)++;
		if (leader)
			*found |= visit(edit, leader);
	}
	kmonitor_mark_edit_end(edit);
	return more;
}

/* Visits all processes.  Those that start meanwhile may be left out. */
static bool visit_processes(struct kmonitor_mark_edit *edit,
			    visit_process_t visit)
{
	bool found = false;
	int nr = 1;

	while (visit_batch(edit, visit, &nr, &found))
		cond_resched();
	return found;
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

static bool widen_events(struct kmonitor_mark_edit *edit,
			 struct task_struct *leader)
{
	struct kmonitor_mark_set *set;

	set = rcu_dereference(leader->signal->kmonitor_marks);
	if (kmonitor_mark_set_has(set, edit->entry)) {
		kmonitor_mark_set_widen(set);
		if (set->inherit)
			kmonitor_mark_set_widen(set->inherit);
		WRITE_ONCE(leader->signal->kmonitor_events,
			   READ_ONCE(set->events));
	}
	return false;
}

/* Gives a new process a set while an edit widens sets. */
void kmonitor_mark_share_widened(struct signal_struct *child,
				 struct kmonitor_mark_set *set)
{
	kmonitor_mark_set_widen(set);
	kmonitor_mark_share(child, set);
}

/*
 * Lets all sets with an entry have the events that it may want.  Children that
 * are born meanwhile get them from their creators; the lock waits for those
 * whose creators have not seen that.
 */
static void widen_all_sets(struct kmonitor_entry *entry)
{
	struct kmonitor_mark_edit edit = { .entry = entry };

	read_lock(&tasklist_lock);
	read_unlock(&tasklist_lock);
	visit_processes(&edit, widen_events);
}

static void count_widenings(int change)
{
	guard(mutex)(&edit_lock);
	WRITE_ONCE(kmonitor_mark_widenings, kmonitor_mark_widenings + change);
}

/**
 * kmonitor_mark_set_events - change the events that an entry wants
 * @entry: The entry, other than a condition.
 * @events: Bits of the event types.
 *
 * Context: May sleep.  Under the lock of the filter table.  If an event is new to
 *	the entry, walks over all processes.
 */
void kmonitor_mark_set_events(struct kmonitor_entry *entry, u32 events)
{
	if (events & ~entry->may_want) {
		WRITE_ONCE(entry->may_want, entry->may_want | events);
		count_widenings(1);
		widen_all_sets(entry);
		count_widenings(-1);
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
 * kmonitor_mark_claim - take the marks of a process that has ended
 * @sig: The process.
 * @set: Set to its marks with their reference, or NULL without any.
 *
 * The exchange is a full barrier.
 *
 * Context: A thread that has found the process ended, or the worker of stuck.c;
 *	or when no one can find it any more.
 * Return: True for the first caller.
 */
bool kmonitor_mark_claim(struct signal_struct *sig,
			 struct kmonitor_mark_set **set)
{
	*set = unrcu_pointer(
		xchg(&sig->kmonitor_marks, RCU_INITIALIZER(&exited_set)));
	WRITE_ONCE(sig->kmonitor_events, 0);
	if (*set != &exited_set)
		return true;
	*set = NULL;
	return false;
}

static bool drop_dead_entries(struct kmonitor_mark_edit *edit,
			      struct task_struct *leader)
{
	if (!kmonitor_mark_set_has_dead(
		    rcu_dereference(leader->signal->kmonitor_marks)))
		return false;
	edit->error = 0;
	/* Keeps a fork from copying a set that is being replaced. */
	read_lock(&tasklist_lock);
	mark_process(edit, leader->signal);
	read_unlock(&tasklist_lock);
	return true;
}

static void sweep_all_marks(struct work_struct *work)
{
	struct kmonitor_mark_edit edit = {};

	/* A fork may have passed a set on to a pid behind the cursor. */
	if (visit_processes(&edit, drop_dead_entries))
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
