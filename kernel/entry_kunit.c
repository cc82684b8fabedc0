// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the filter table: an entry is in it until it ends, no longer.
 */

#include <kunit/test.h>
#include <linux/mutex.h>

#include "entry.h"
#include "limits.h"

static int init_table(struct kunit *test)
{
	struct kmonitor_filter_table *filters =
		kunit_kzalloc(test, sizeof(*filters), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, filters);
	kmonitor_filter_table_init(filters);
	test->priv = filters;
	return 0;
}

static void destroy_table(struct kunit *test)
{
	kmonitor_filter_table_destroy(test->priv);
}

/* Returns an entry that the table and the test have. */
static struct kmonitor_entry *add_entry(struct kunit *test)
{
	struct kmonitor_filter_table *filters = test->priv;
	struct kmonitor_entry *entry;

	entry = kmonitor_entry_create(KMONITOR_TARGET_PROCESS, NULL, 0);
	KUNIT_ASSERT_NOT_NULL(test, entry);
	entry->ucounts = kmonitor_charge_filter();
	KUNIT_ASSERT_NOT_NULL(test, entry->ucounts);
	refcount_inc(&entry->refs);
	guard(mutex)(&filters->lock);
	KUNIT_ASSERT_EQ(test, 0, kmonitor_filter_table_add(filters, entry));
	return entry;
}

static void discard(struct kmonitor_entry *entry)
{
	kmonitor_entry_kill(entry);
	rcu_read_lock();
	kmonitor_entry_discard(entry);
	rcu_read_unlock();
}

/* With no edit that would take it out. */
static void an_entry_that_ends_leaves_at_once(struct kunit *test)
{
	struct kmonitor_filter_table *filters = test->priv;
	struct kmonitor_entry *entry = add_entry(test);

	KUNIT_EXPECT_EQ(test, kmonitor_filter_table_count(filters), 1);
	discard(entry);
	KUNIT_EXPECT_EQ(test, kmonitor_filter_table_count(filters), 0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&filters->entries));
	KUNIT_EXPECT_EQ(test, refcount_read(&entry->refs), 1);
	kmonitor_entry_put(entry);
}

static void a_dead_entry_is_not_found_by_its_handle(struct kunit *test)
{
	struct kmonitor_filter_table *filters = test->priv;
	struct kmonitor_entry *entry = add_entry(test);
	struct kmonitor_entry *found;

	found = kmonitor_filter_table_get(filters, entry->handle);
	KUNIT_EXPECT_PTR_EQ(test, found, entry);
	if (found)
		kmonitor_entry_put(found);
	kmonitor_entry_kill(entry);
	KUNIT_EXPECT_NULL(test,
			  kmonitor_filter_table_get(filters, entry->handle));
	discard(entry);
	kmonitor_entry_put(entry);
}

static void a_walk_finds_those_that_are_left(struct kunit *test)
{
	struct kmonitor_filter_table *filters = test->priv;
	struct kmonitor_entry *entry, *entries[3];
	unsigned long handle = 0;
	u32 nr = 0;

	for (u32 i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = add_entry(test);
	discard(entries[1]);
	while ((entry = kmonitor_filter_table_next(filters, &handle))) {
		KUNIT_EXPECT_PTR_EQ(test, entry, entries[2 * nr]);
		kmonitor_entry_put(entry);
		handle++;
		nr++;
	}
	KUNIT_EXPECT_EQ(test, nr, 2);
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++)
		kmonitor_entry_put(entries[i]);
}

static struct kunit_case entry_cases[] = {
	KUNIT_CASE(an_entry_that_ends_leaves_at_once),
	KUNIT_CASE(a_dead_entry_is_not_found_by_its_handle),
	KUNIT_CASE(a_walk_finds_those_that_are_left),
	{}
};

static struct kunit_suite entry_suite = {
	.name = "kmonitor_entry",
	.init = init_table,
	.exit = destroy_table,
	.test_cases = entry_cases,
};

kunit_test_suite(entry_suite);

MODULE_DESCRIPTION("KUnit tests of the filter table");
MODULE_LICENSE("GPL");
