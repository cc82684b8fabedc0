// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the targets of filters that need no descriptor.
 */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "access.h"
#include "target.h"

static const struct {
	u32 target;
	u32 flags;
	u64 id;
	int ret;
} checks[] = {
	{ KMONITOR_TARGET_THREAD, 0, 0, 0 },
	{ KMONITOR_TARGET_THREAD, 0, INT_MAX, 0 },
	{ KMONITOR_TARGET_THREAD, 0, INT_MAX + 1ULL, -EINVAL },
	{ KMONITOR_TARGET_PROCESS, 0, 0, 0 },
	{ KMONITOR_TARGET_PROCESS, 0, INT_MAX, 0 },
	{ KMONITOR_TARGET_PROCESS, 0, U64_MAX, -EINVAL },
	{ KMONITOR_TARGET_TREE, 0, 0, 0 },
	{ KMONITOR_TARGET_TREE, KMONITOR_FILTER_PIDFD, INT_MAX, 0 },
	{ KMONITOR_TARGET_TREE, KMONITOR_FILTER_PIDFD, INT_MAX + 1ULL,
	  -EINVAL },
	{ KMONITOR_TARGET_CGROUP, 0, 0, 0 },
	{ KMONITOR_TARGET_CGROUP, 0, U64_MAX, 0 },
	{ KMONITOR_TARGET_CGROUP, KMONITOR_FILTER_PIDFD, 1, -EINVAL },
	{ KMONITOR_TARGET_UID, 0, 0, 0 },
	{ KMONITOR_TARGET_UID, 0, U32_MAX, 0 },
	{ KMONITOR_TARGET_UID, 0, U32_MAX + 1ULL, -EINVAL },
	{ KMONITOR_TARGET_UID, KMONITOR_FILTER_PIDFD, 0, -EINVAL },
	{ KMONITOR_TARGET_ALL, 0, 0, 0 },
	{ KMONITOR_TARGET_ALL, KMONITOR_FILTER_IGNORE, 0, 0 },
	{ KMONITOR_TARGET_ALL, 0, 1, -EINVAL },
	{ KMONITOR_TARGET_ALL, 0, 1ULL << 63, -EINVAL },
	{ KMONITOR_TARGET_ALL, KMONITOR_FILTER_PIDFD, 0, -EINVAL },
};

static void target_id_and_flags_go_together(struct kunit *test)
{
	for (u32 i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct kmonitor_filter arg = {
			.target = checks[i].target,
			.flags = checks[i].flags,
			.id = checks[i].id,
		};

		KUNIT_EXPECT_EQ_MSG(test, kmonitor_target_check(&arg),
				    checks[i].ret,
				    "target %u, flags %#x, id %llu", arg.target,
				    arg.flags, arg.id);
	}
}

static void no_user_is_no_condition(struct kunit *test)
{
	const struct kmonitor_creator *creator = test->priv;
	struct kmonitor_filter arg = { .target = KMONITOR_TARGET_UID };
	u64 id;

	arg.id = U32_MAX;
	KUNIT_EXPECT_EQ(test, kmonitor_target_condition(creator, &arg, &id),
			-EINVAL);
	arg.id = U32_MAX - 1;
	KUNIT_EXPECT_EQ(test, kmonitor_target_condition(creator, &arg, &id), 0);
	KUNIT_EXPECT_EQ(test, id, U32_MAX - 1);
	/* The id of a cgroup is no user. */
	arg.target = KMONITOR_TARGET_CGROUP;
	arg.id = U32_MAX;
	KUNIT_EXPECT_EQ(test, kmonitor_target_condition(creator, &arg, &id), 0);
	KUNIT_EXPECT_EQ(test, id, U32_MAX);
}

static void zero_is_the_caller(struct kunit *test)
{
	const struct kmonitor_creator *creator = test->priv;
	struct kmonitor_filter arg = {};

	for (arg.target = KMONITOR_TARGET_THREAD;
	     arg.target <= KMONITOR_TARGET_TREE; arg.target++) {
		struct pid *pid = kmonitor_target_pid(creator, &arg);
		struct task_struct *task;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pid);
		KUNIT_EXPECT_PTR_EQ(test, pid, task_pid(current));
		task = kmonitor_target_task(pid, arg.target);
		KUNIT_EXPECT_PTR_EQ(test, task, current);
		if (task)
			put_task_struct(task);
		put_pid(pid);
	}
}

static void what_nobody_has_is_not_found(struct kunit *test)
{
	const struct kmonitor_creator *creator = test->priv;
	struct kmonitor_filter arg = {
		.target = KMONITOR_TARGET_PROCESS,
		.id = INT_MAX,
	};

	KUNIT_EXPECT_EQ(test, PTR_ERR(kmonitor_target_pid(creator, &arg)),
			-ESRCH);
	/* A thread of the kernel has no such file. */
	arg.flags = KMONITOR_FILTER_PIDFD;
	KUNIT_EXPECT_EQ(test, PTR_ERR(kmonitor_target_pid(creator, &arg)),
			-EBADF);
}

static struct kunit_case target_cases[] = {
	KUNIT_CASE(target_id_and_flags_go_together),
	KUNIT_CASE(no_user_is_no_condition),
	KUNIT_CASE(zero_is_the_caller),
	KUNIT_CASE(what_nobody_has_is_not_found),
	{}
};

static int target_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct kmonitor_creator),
				   GFP_KERNEL);
	if (!test->priv)
		return -ENOMEM;
	kmonitor_creator_init(test->priv);
	return 0;
}

static void target_exit(struct kunit *test)
{
	if (test->priv)
		kmonitor_creator_destroy(test->priv);
}

static struct kunit_suite target_suite = {
	.name = "kmonitor_target",
	.init = target_init,
	.exit = target_exit,
	.test_cases = target_cases,
};

kunit_test_suite(target_suite);

MODULE_DESCRIPTION("KUnit tests of what a filter entry may name");
MODULE_LICENSE("GPL");
