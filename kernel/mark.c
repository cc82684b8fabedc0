// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mark sets: which filter entries hold a process.
 *
 * signal->kmonitor_marks points to an immutable, refcounted set of entries.
 *
 *   fork    copies the pointer to the part that children inherit, under the
 *           write-held tasklist_lock: no allocation, no failure.
 *   edit    makes new sets and swaps them in by compare-and-exchange, under
 *           the read-held tasklist_lock: no fork and no reparenting happens
 *           meanwhile, so a walk over the descendants is complete.
 *   exit    of the last thread exchanges the pointer for the "exited" set.
 *   hooks   read the pointer and the set under RCU.
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
 */

#include <linux/hash.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "entry.h"
#include "filter.h"
#include "limits.h"
#include "mark.h"

/* What a process points to that its last thread has left. */
static struct kmonitor_mark_set exited;

/* Serialises edits of marks.  Outside tasklist_lock. */
static DEFINE_MUTEX(edit_lock);

/**
 * kmonitor_mark_put - drop a reference to a set
 * @set: The set, or NULL.
 *
 * Reports the trees that become empty with it.
 *
 * Context: Any.
 */
void kmonitor_mark_put(struct kmonitor_mark_set *set)
{
	struct kmonitor_mark_set *inherit;

	while (set && set != &exited && refcount_dec_and_test(&set->users)) {
		inherit = set->inherit != set ? set->inherit : NULL;
		for (u32 i = 0; i < set->nr; i++)
			kmonitor_entry_leave(set->entries[i]);
		kfree_rcu(set, rcu);
		set = inherit;
	}
}

/* An edit: the entry to add and the sets made for it so far. */
struct edit {
	struct kmonitor_entry *entry;
	const struct kmonitor_mark_set *root;
	struct {
		struct kmonitor_mark_set *old;
		struct kmonitor_mark_set *new;
	} made[16];
	int error;
};

static bool has(const struct kmonitor_mark_set *set,
		const struct kmonitor_entry *entry)
{
	for (u32 i = 0; set && i < set->nr; i++) {
		if (set->entries[i] == entry)
			return true;
	}
	return false;
}

/*
 * Whether the new entry stands before another of its descriptor: the more
 * specific target first, and of trees the inner first.  A tree that holds the
 * root of the new one is outside it.
 */
static bool precedes(const struct edit *edit,
		     const struct kmonitor_entry *other)
{
	if (edit->entry->target != other->target)
		return edit->entry->target < other->target;
	return other->target != KMONITOR_TARGET_TREE || has(edit->root, other);
}

static u32 count_live(const struct kmonitor_mark_set *set)
{
	u32 nr = 0;

	for (u32 i = 0; set && i < set->nr; i++)
		nr += kmonitor_entry_alive(set->entries[i]);
	return nr;
}

static u32 count_unprivileged_trees(const struct kmonitor_mark_set *set)
{
	u32 nr = 0;

	for (u32 i = 0; set && i < set->nr; i++) {
		if (kmonitor_entry_alive(set->entries[i]) &&
		    set->entries[i]->unprivileged &&
		    set->entries[i]->target == KMONITOR_TARGET_TREE)
			nr++;
	}
	return nr;
}

static void push(struct kmonitor_mark_set *set, struct kmonitor_entry *entry)
{
	refcount_inc(&entry->refs);
	atomic_inc(&entry->sets);
	set->nr++;
	set->entries[set->nr - 1] = entry;
}

/*
 * Makes a set of the live entries of old and the new entry.  Entries may die
 * between count and copy, none comes alive: the count is enough.
 */
static struct kmonitor_mark_set *with_entry(struct edit *edit,
					    struct kmonitor_mark_set *old)
{
	struct kmonitor_entry *entry = edit->entry;
	struct kmonitor_mark_set *set;
	bool placed = false;

	if (entry->target == KMONITOR_TARGET_TREE && entry->unprivileged &&
	    count_unprivileged_trees(old) >= KMONITOR_MAX_UNPRIVILEGED_TREES) {
		edit->error = -ENOSPC;
		return NULL;
	}
	set = kzalloc(struct_size(set, entries, count_live(old) + 1),
		      GFP_ATOMIC | __GFP_ACCOUNT);
	if (!set) {
		edit->error = -ENOMEM;
		return NULL;
	}
	refcount_set(&set->users, 1);
	for (u32 i = 0; old && i < old->nr; i++) {
		struct kmonitor_entry *other = old->entries[i];

		if (!placed && (other->filters > entry->filters ||
				(other->filters == entry->filters &&
				 precedes(edit, other)))) {
			push(set, entry);
			placed = true;
		}
		if (kmonitor_entry_alive(other))
			push(set, other);
	}
	if (!placed)
		push(set, entry);
	return set;
}

static void remember(struct edit *edit, struct kmonitor_mark_set *old,
		     struct kmonitor_mark_set *new)
{
	u32 i = hash_ptr(old, ilog2(ARRAY_SIZE(edit->made)));

	kmonitor_mark_put(edit->made[i].new);
	kmonitor_mark_put(edit->made[i].old);
	if (old && old != &exited)
		refcount_inc(&old->users);
	edit->made[i].old = old;
	refcount_inc(&new->users);
	edit->made[i].new = new;
}

static struct kmonitor_mark_set *recall(struct edit *edit,
					struct kmonitor_mark_set *old)
{
	u32 i = hash_ptr(old, ilog2(ARRAY_SIZE(edit->made)));

	if (!edit->made[i].new || edit->made[i].old != old)
		return NULL;
	refcount_inc(&edit->made[i].new->users);
	return edit->made[i].new;
}

static void forget(struct edit *edit)
{
	for (u32 i = 0; i < ARRAY_SIZE(edit->made); i++) {
		kmonitor_mark_put(edit->made[i].new);
		kmonitor_mark_put(edit->made[i].old);
	}
}

/*
 * The replacement of a set, with a reference.  Two levels at most: the trees
 * that children inherit, and on top of them what only this process has.
 */
static struct kmonitor_mark_set *replacement(struct edit *edit,
					     struct kmonitor_mark_set *old)
{
	struct kmonitor_mark_set *inherit = old ? old->inherit : NULL;
	struct kmonitor_mark_set *new = recall(edit, old);

	if (new)
		return new;
	if (edit->entry->target != KMONITOR_TARGET_TREE) {
		new = with_entry(edit, old);
		if (inherit && new) {
			refcount_inc(&inherit->users);
			new->inherit = inherit;
		}
	} else if (inherit == old) {
		new = with_entry(edit, old);
		if (new)
			new->inherit = new;
	} else {
		inherit = replacement(edit, inherit);
		if (!inherit)
			return NULL;
		new = with_entry(edit, old);
		if (new)
			new->inherit = inherit;
		else
			kmonitor_mark_put(inherit);
	}
	if (new)
		remember(edit, old, new);
	return new;
}

static bool hooks_done(const struct signal_struct *sig)
{
	return !atomic_read(&sig->kmonitor_threads);
}

static bool replace(struct signal_struct *sig, struct kmonitor_mark_set *old,
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
 * Else the exit may have passed while the hooks were off, and the mark is
 * taken back, unless the exit was quicker.
 *
 * Return: 1 if the process is held, 0 if it has exited.
 */
static int mark(struct edit *edit, struct signal_struct *sig)
{
	struct kmonitor_mark_set *old, *new;

	lockdep_assert_held(&tasklist_lock);
	for (;;) {
		guard(rcu)();
		old = rcu_dereference(sig->kmonitor_marks);
		if (old == &exited)
			return 0;
		if (has(old, edit->entry))
			return 1;
		if (old && !refcount_inc_not_zero(&old->users))
			continue;
		new = replacement(edit, old);
		if (!new) {
			kmonitor_mark_put(old);
			return edit->error;
		}
		if (replace(sig, old, new))
			break;
		kmonitor_mark_put(new);
		kmonitor_mark_put(old);
	}
	/* The process's reference to old, and the one just taken. */
	kmonitor_mark_put(old);
	kmonitor_mark_put(old);

	if (hooks_done(sig) && new->nr == 1 && replace(sig, new, &exited)) {
		kmonitor_mark_put(new);
		return 0;
	}
	return 1;
}

/*
 * Marks a process and all below it, depth first.  Who has exited may still
 * have children.
 */
static int mark_tree(struct edit *edit, struct task_struct *top)
{
	struct task_struct *leader = top, *parent, *child;
	int ret;

	ret = mark(edit, top->signal);
	if (ret <= 0)
		return ret;
down:
	for_each_thread(leader, parent) {
		list_for_each_entry(child, &parent->children, sibling) {
			ret = mark(edit, child->signal);
			if (ret < 0)
				return ret;
			leader = child;
			goto down;
up:;
		}
	}
	if (leader == top)
		return 1;
	child = leader;
	parent = rcu_dereference_protected(child->real_parent,
					   lockdep_is_held(&tasklist_lock));
	leader = parent->group_leader;
	goto up;
}

/* The set that holds a process now, with a reference. */
static struct kmonitor_mark_set *get_set(const struct signal_struct *sig)
{
	struct kmonitor_mark_set *set;

	guard(rcu)();
	do {
		set = rcu_dereference(sig->kmonitor_marks);
	} while (set && set != &exited && !refcount_inc_not_zero(&set->users));
	return set;
}

/**
 * kmonitor_mark_add - let an entry hold a process, and of a tree all below it
 * @task: The process, or the thread of a thread entry; the caller holds a
 *	reference.
 * @entry: The entry, in no set yet.
 *
 * Context: May sleep.  Holds tasklist_lock for reading during the walk over
 *	the descendants, as prctl(PR_SET_CHILD_SUBREAPER) does.
 * Return: 0; -ESRCH if the process has exited; -ENOSPC if a process has its
 *	limit of unprivileged trees; -ENOMEM.  After an error the caller must
 *	kill the entry: some sets may have it.
 */
int kmonitor_mark_add(struct task_struct *task, struct kmonitor_entry *entry)
{
	struct edit edit = { .entry = entry };
	struct kmonitor_mark_set *root = NULL;
	int ret = 0;

	guard(mutex)(&edit_lock);

	read_lock(&tasklist_lock);
	if (pid_alive(task) && (entry->target != KMONITOR_TARGET_THREAD ||
				task_pid(task) == entry->pid)) {
		root = get_set(task->signal);
		edit.root = root;
		if (entry->target == KMONITOR_TARGET_TREE)
			ret = mark_tree(&edit, task->group_leader);
		else
			ret = mark(&edit, task->signal);
	}
	read_unlock(&tasklist_lock);

	forget(&edit);
	kmonitor_mark_put(root);
	return ret > 0 ? 0 : ret ?: -ESRCH;
}

/**
 * kmonitor_mark_find - the live entry of a descriptor that names a process
 * @task: The process; the caller holds a reference.
 * @target: THREAD, PROCESS or TREE.
 * @pid: What the entry names.
 * @filters: The descriptor's filter.
 *
 * Context: Under the filter's lock, which keeps the entry in its table.
 * Return: The entry or NULL.
 */
struct kmonitor_entry *kmonitor_mark_find(struct task_struct *task, u32 target,
					  struct pid *pid, const void *filters)
{
	const struct kmonitor_mark_set *set;
	struct kmonitor_entry *entry;

	guard(rcu)();
	set = rcu_dereference(task->signal->kmonitor_marks);
	for (u32 i = 0; set && i < set->nr; i++) {
		entry = set->entries[i];
		if (entry->filters == filters && entry->target == target &&
		    entry->pid == pid && kmonitor_entry_alive(entry))
			return entry;
	}
	return NULL;
}

/**
 * kmonitor_mark_count - count a process in the entries that hold it
 * @sig: The process.
 * @filters: The descriptor's filter, whose entries are meant.
 *
 * Context: Under RCU and the filter's lock.
 */
void kmonitor_mark_count(const struct signal_struct *sig, const void *filters)
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
 * kmonitor_mark_inherit - give a new process what its creator's children get
 * @parent: The creator: the current process.
 * @child: The new process.
 *
 * Context: Write-held tasklist_lock, irqs off: no edit is under way, and the
 *	creator has not exited.
 */
void kmonitor_mark_inherit(struct signal_struct *parent,
			   struct signal_struct *child)
{
	struct kmonitor_mark_set *set;

	set = rcu_dereference_protected(parent->kmonitor_marks,
					lockdep_is_held(&tasklist_lock));
	if (!set || !set->inherit)
		return;
	refcount_inc(&set->inherit->users);
	rcu_assign_pointer(child->kmonitor_marks, set->inherit);
}

/**
 * kmonitor_mark_take - take the marks of a process that has exited
 * @sig: The process.
 *
 * Context: Its last thread, after the full barrier of its decrement of
 *	kmonitor_threads; or when nobody can find it any more.
 * Return: The set with its reference, or NULL.
 */
struct kmonitor_mark_set *kmonitor_mark_take(struct signal_struct *sig)
{
	struct kmonitor_mark_set *set;

	if (!rcu_access_pointer(sig->kmonitor_marks))
		return NULL;
	set = unrcu_pointer(
		xchg(&sig->kmonitor_marks, RCU_INITIALIZER(&exited)));
	return set == &exited ? NULL : set;
}
