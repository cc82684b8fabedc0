// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of mark sets: order, inheritance, dead entries, and ownership.
 */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/uidgid.h>

#include "entry.h"
#include "limits.h"
#include "mark.h"
#include "mark_set.h"

/* In place of descriptors; only their addresses matter. */
static u64 filters[2];

static void drop_set(void *set)
{
	kmonitor_mark_put(set);
}

/* The set has gone: only the creator has the entry. */
static void drop_entry(void *data)
{
	struct kmonitor_entry *entry = data;

	WARN_ON(atomic_read(&entry->sets) != 1);
	WARN_ON(refcount_read(&entry->refs) != 1);
	kmonitor_entry_put(entry);
}

static struct kmonitor_entry *make_entry(struct kunit *test, u32 target,
					 int owner)
{
	struct kmonitor_entry *entry = kmonitor_entry_create(target, NULL, 0);

	KUNIT_ASSERT_NOT_NULL(test, entry);
	entry->filters = (void *)&filters[owner];
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drop_entry, entry));
	return entry;
}

/* Adds the entry, or drops the dead if there is none. */
static struct kmonitor_mark_set *try_edit(struct kunit *test,
					  struct kmonitor_mark_set *old,
					  struct kmonitor_entry *entry,
					  const struct kmonitor_mark_set *root)
{
	struct kmonitor_mark_edit edit = { .entry = entry, .root = root };
	struct kmonitor_mark_set *set = kmonitor_mark_set_replace(&edit, old);

	kmonitor_mark_edit_end(&edit);
	if (edit.error)
		return ERR_PTR(edit.error);
	if (set)
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, drop_set, set));
	return set;
}

static struct kmonitor_mark_set *add_to_set(struct kunit *test,
					    struct kmonitor_mark_set *old,
					    struct kmonitor_entry *entry)
{
	struct kmonitor_mark_set *set = try_edit(test, old, entry, old);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_EXPECT_TRUE(test, kmonitor_mark_set_has(set, entry));
	return set;
}

static void children_inherit_trees_only(struct kunit *test)
{
	struct kmonitor_entry *process =
		make_entry(test, KMONITOR_TARGET_PROCESS, 0);
	struct kmonitor_entry *tree = make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_mark_set *set;

	set = add_to_set(test, NULL, tree);
	KUNIT_EXPECT_PTR_EQ(test, set->inherit, set);
	set = add_to_set(test, set, process);
	KUNIT_ASSERT_NOT_NULL(test, set->inherit);
	KUNIT_EXPECT_EQ(test, set->nr, 2);
	KUNIT_EXPECT_EQ(test, set->inherit->nr, 1);
	KUNIT_EXPECT_FALSE(test, kmonitor_mark_set_has(set->inherit, process));
	KUNIT_EXPECT_PTR_EQ(test, set->inherit->inherit, set->inherit);

	set = add_to_set(test, NULL, process);
	KUNIT_EXPECT_NULL(test, set->inherit);
	set = add_to_set(test, set, tree);
	KUNIT_ASSERT_NOT_NULL(test, set->inherit);
	KUNIT_EXPECT_EQ(test, set->nr, 2);
	KUNIT_EXPECT_EQ(test, set->inherit->nr, 1);
	KUNIT_EXPECT_TRUE(test, kmonitor_mark_set_has(set->inherit, tree));
}

static void the_more_specific_stand_first(struct kunit *test)
{
	struct kmonitor_entry *outer =
		make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_entry *process =
		make_entry(test, KMONITOR_TARGET_PROCESS, 0);
	struct kmonitor_entry *inner =
		make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_entry *thread =
		make_entry(test, KMONITOR_TARGET_THREAD, 0);
	struct kmonitor_entry *ignore =
		make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_mark_set *set;

	__set_bit(KMONITOR_ENTRY_IGNORES, &ignore->state);
	set = add_to_set(test, NULL, outer);
	set = add_to_set(test, set, process);
	set = add_to_set(test, set, inner);
	set = add_to_set(test, set, thread);
	set = add_to_set(test, set, ignore);
	KUNIT_ASSERT_EQ(test, set->nr, 5);
	KUNIT_EXPECT_PTR_EQ(test, set->entries[0], ignore);
	KUNIT_EXPECT_PTR_EQ(test, set->entries[1], thread);
	KUNIT_EXPECT_PTR_EQ(test, set->entries[2], process);
	KUNIT_EXPECT_PTR_EQ(test, set->entries[3], inner);
	KUNIT_EXPECT_PTR_EQ(test, set->entries[4], outer);
}

/* A tree whose root the other holds is the inner one, whichever came first. */
static void a_tree_added_above_another_is_outside(struct kunit *test)
{
	struct kmonitor_entry *inner =
		make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_entry *outer =
		make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_mark_set *set = add_to_set(test, NULL, inner);

	set = try_edit(test, set, outer, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_EXPECT_PTR_EQ(test, set->entries[0], inner);
	KUNIT_EXPECT_PTR_EQ(test, set->entries[1], outer);
}

static void entries_of_a_descriptor_stand_together(struct kunit *test)
{
	struct kmonitor_mark_set *set = NULL;

	for (int i = 0; i < 6; i++)
		set = add_to_set(test, set,
				 make_entry(test, KMONITOR_TARGET_TREE, i % 2));
	for (u32 i = 0; i < 6; i++)
		KUNIT_EXPECT_PTR_EQ(test, set->entries[i]->filters,
				    (void *)&filters[i / 3]);
}

static void the_dead_go_from_both_levels(struct kunit *test)
{
	struct kmonitor_entry *dead = make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_entry *tree = make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_entry *process =
		make_entry(test, KMONITOR_TARGET_PROCESS, 0);
	struct kmonitor_mark_set *set = add_to_set(test, NULL, dead);

	set = add_to_set(test, set, tree);
	set = add_to_set(test, set, process);
	KUNIT_EXPECT_FALSE(test, kmonitor_mark_set_has_dead(set));
	KUNIT_EXPECT_PTR_EQ(test, try_edit(test, set, NULL, NULL), set);

	KUNIT_EXPECT_TRUE(test, kmonitor_entry_kill(dead));
	KUNIT_EXPECT_TRUE(test, kmonitor_mark_set_has_dead(set));
	set = try_edit(test, set, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_EXPECT_EQ(test, set->nr, 2);
	KUNIT_EXPECT_EQ(test, set->inherit->nr, 1);
	KUNIT_EXPECT_FALSE(test, kmonitor_mark_set_has_dead(set));

	KUNIT_EXPECT_TRUE(test, kmonitor_entry_kill(tree));
	KUNIT_EXPECT_TRUE(test, kmonitor_entry_kill(process));
	KUNIT_EXPECT_NULL(test, try_edit(test, set, NULL, NULL));
}

static void an_addition_drops_the_dead(struct kunit *test)
{
	struct kmonitor_entry *dead = make_entry(test, KMONITOR_TARGET_TREE, 0);
	struct kmonitor_mark_set *set = add_to_set(test, NULL, dead);

	KUNIT_EXPECT_TRUE(test, kmonitor_entry_kill(dead));
	set = add_to_set(test, set, make_entry(test, KMONITOR_TARGET_TREE, 0));
	KUNIT_EXPECT_EQ(test, set->nr, 1);
	KUNIT_EXPECT_FALSE(test, kmonitor_mark_set_has(set, dead));
}

static void who_shared_a_set_goes_on_sharing(struct kunit *test)
{
	struct kmonitor_mark_edit edit = {
		.entry = make_entry(test, KMONITOR_TARGET_TREE, 0),
	};
	struct kmonitor_mark_set *old, *first, *second;

	old = add_to_set(test, NULL, make_entry(test, KMONITOR_TARGET_TREE, 0));
	first = kmonitor_mark_set_replace(&edit, old);
	second = kmonitor_mark_set_replace(&edit, old);
	KUNIT_EXPECT_NOT_NULL(test, first);
	KUNIT_EXPECT_PTR_EQ(test, first, second);
	/* Two owners and the edit. */
	if (first)
		KUNIT_EXPECT_EQ(test, atomic_read(&first->users), 3);
	kmonitor_mark_edit_end(&edit);
	kmonitor_mark_put(first);
	kmonitor_mark_put(second);
}

static struct kmonitor_entry *make_unprivileged(struct kunit *test, u32 target,
						unsigned int owner)
{
	struct kmonitor_entry *entry = make_entry(test, target, 0);

	entry->unprivileged = true;
	entry->owner = KUIDT_INIT(owner);
	return entry;
}

static void each_user_has_a_limit_of_unprivileged_trees(struct kunit *test)
{
	struct kmonitor_mark_set *set = NULL;
	struct kmonitor_entry *entry, *last = NULL;

	for (int i = 0; i < KMONITOR_MAX_PER_USER; i++) {
		last = make_unprivileged(test, KMONITOR_TARGET_TREE, 1);
		set = add_to_set(test, set, last);
	}
	entry = make_unprivileged(test, KMONITOR_TARGET_TREE, 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(try_edit(test, set, entry, set)),
			-ENOSPC);
	/* Root has no limit; another user and another target have their own. */
	add_to_set(test, set, make_entry(test, KMONITOR_TARGET_TREE, 0));
	add_to_set(test, set, make_unprivileged(test, KMONITOR_TARGET_TREE, 2));
	entry = make_unprivileged(test, KMONITOR_TARGET_PROCESS, 1);
	set = add_to_set(test, set, entry);
	/* The dead don't count. */
	KUNIT_EXPECT_TRUE(test, kmonitor_entry_kill(last));
	add_to_set(test, set, make_unprivileged(test, KMONITOR_TARGET_TREE, 1));
}

static void all_users_have_a_limit_of_unprivileged_trees(struct kunit *test)
{
	struct kmonitor_mark_set *set = NULL;
	struct kmonitor_entry *entry;

	for (int i = 0; i < KMONITOR_MAX_UNPRIVILEGED; i++) {
		entry = make_unprivileged(test, KMONITOR_TARGET_TREE,
					  i / KMONITOR_MAX_PER_USER);
		set = add_to_set(test, set, entry);
	}
	entry = make_unprivileged(test, KMONITOR_TARGET_TREE, 100);
	KUNIT_EXPECT_EQ(test, PTR_ERR(try_edit(test, set, entry, set)),
			-ENOSPC);
	add_to_set(test, set, make_entry(test, KMONITOR_TARGET_TREE, 0));
}

static struct kunit_case mark_set_cases[] = {
	KUNIT_CASE(children_inherit_trees_only),
	KUNIT_CASE(the_more_specific_stand_first),
	KUNIT_CASE(a_tree_added_above_another_is_outside),
	KUNIT_CASE(entries_of_a_descriptor_stand_together),
	KUNIT_CASE(the_dead_go_from_both_levels),
	KUNIT_CASE(an_addition_drops_the_dead),
	KUNIT_CASE(who_shared_a_set_goes_on_sharing),
	KUNIT_CASE(each_user_has_a_limit_of_unprivileged_trees),
	KUNIT_CASE(all_users_have_a_limit_of_unprivileged_trees),
	{}
};

static struct kunit_suite mark_set_suite = {
	.name = "kmonitor_mark_set",
	.test_cases = mark_set_cases,
};

kunit_test_suite(mark_set_suite);

MODULE_DESCRIPTION("KUnit tests of mark sets");
MODULE_LICENSE("GPL");
