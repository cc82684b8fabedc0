// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits for each user: /proc/sys/kernel/kmonitor/.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/sizes.h>
#include <linux/sysctl.h>
#include <linux/user_namespace.h>

#include "limits.h"

#define DEFAULT_MAX_USER_INSTANCES 128
#define DEFAULT_MAX_USER_FILTERS 16384
#define RING_RECORDS_LIMIT SZ_1M

unsigned int kmonitor_max_ring_records __read_mostly = RING_RECORDS_LIMIT;
static unsigned int unprivileged __read_mostly = 1;

/**
 * kmonitor_may_init - check whether the caller may use the system call
 *
 * With kernel.kmonitor.unprivileged at 0 unprivileged users need /dev/kmonitor,
 * for which the administrator sets permissions.
 *
 * Context: Process context.
 * Return: True if it may.
 */
bool kmonitor_may_init(void)
{
	return READ_ONCE(unprivileged) || capable(CAP_SYS_PTRACE);
}

/**
 * kmonitor_charge_instance - charge a descriptor to the calling user
 *
 * Context: Any.
 * Return: For kmonitor_uncharge_instance(), or NULL over the limit.
 */
struct ucounts *kmonitor_charge_instance(void)
{
	return inc_ucount(current_user_ns(), current_euid(),
			  UCOUNT_KMONITOR_INSTANCES);
}

/**
 * kmonitor_uncharge_instance - take a charge back
 * @ucounts: From kmonitor_charge_instance().
 *
 * Context: Any.
 */
void kmonitor_uncharge_instance(struct ucounts *ucounts)
{
	dec_ucount(ucounts, UCOUNT_KMONITOR_INSTANCES);
}

/**
 * kmonitor_charge_pages - charge locked memory to the calling user
 * @nr_pages: Number of pages.
 *
 * As for registered buffers of io_uring, RLIMIT_MEMLOCK of the caller limits
 * what its user has locked in all of them; CAP_IPC_LOCK is exempt.
 *
 * Context: Process context.
 * Return: For kmonitor_uncharge_pages(), NULL for an exempt caller, -EAGAIN if
 *	the limit is used up, or -ENOMEM if that many pages are beyond it.
 */
struct user_struct *kmonitor_charge_pages(unsigned long nr_pages)
{
	const unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	struct user_struct *user = current_user();
	long old = atomic_long_read(&user->locked_vm);

	if (ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK))
		return NULL;
	if (nr_pages > limit)
		return ERR_PTR(-ENOMEM);
	do {
		if (old + nr_pages > limit)
			return ERR_PTR(-EAGAIN);
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &old,
					  old + nr_pages));
	return get_uid(user);
}

/**
 * kmonitor_uncharge_pages - take a charge back
 * @user: From kmonitor_charge_pages().
 * @nr_pages: As it was charged.
 *
 * Context: May sleep.
 */
void kmonitor_uncharge_pages(struct user_struct *user, unsigned long nr_pages)
{
	if (!user)
		return;
	atomic_long_sub(nr_pages, &user->locked_vm);
	free_uid(user);
}

/**
 * kmonitor_charge_filter - charge a filter entry to the calling user
 *
 * Context: Any.
 * Return: For kmonitor_uncharge_filter(), or NULL over the limit.
 */
struct ucounts *kmonitor_charge_filter(void)
{
	return inc_ucount(current_user_ns(), current_euid(),
			  UCOUNT_KMONITOR_FILTERS);
}

/**
 * kmonitor_uncharge_filter - take a charge back
 * @ucounts: From kmonitor_charge_filter().
 *
 * Context: Any.
 */
void kmonitor_uncharge_filter(struct ucounts *ucounts)
{
	dec_ucount(ucounts, UCOUNT_KMONITOR_FILTERS);
}

#ifdef CONFIG_SYSCTL
static unsigned int min_ring_records = 2;
static unsigned int max_ring_records = RING_RECORDS_LIMIT;
static long ucount_zero;
static long ucount_max = INT_MAX;

static struct ctl_table kmonitor_table[] = {
	{
		.procname = "max_user_instances",
		.data = &init_user_ns.ucount_max[UCOUNT_KMONITOR_INSTANCES],
		.maxlen = sizeof(long),
		.mode = 0644,
		.proc_handler = proc_doulongvec_minmax,
		.extra1 = &ucount_zero,
		.extra2 = &ucount_max,
	},
	{
		.procname = "max_user_filters",
		.data = &init_user_ns.ucount_max[UCOUNT_KMONITOR_FILTERS],
		.maxlen = sizeof(long),
		.mode = 0644,
		.proc_handler = proc_doulongvec_minmax,
		.extra1 = &ucount_zero,
		.extra2 = &ucount_max,
	},
	{
		.procname = "max_ring_records",
		.data = &kmonitor_max_ring_records,
		.maxlen = sizeof(unsigned int),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = &min_ring_records,
		.extra2 = &max_ring_records,
	},
	{
		.procname = "unprivileged",
		.data = &unprivileged,
		.maxlen = sizeof(unsigned int),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	},
};
#endif

static int __init kmonitor_limits_init(void)
{
	init_user_ns.ucount_max[UCOUNT_KMONITOR_INSTANCES] =
		DEFAULT_MAX_USER_INSTANCES;
	init_user_ns.ucount_max[UCOUNT_KMONITOR_FILTERS] =
		DEFAULT_MAX_USER_FILTERS;
#ifdef CONFIG_SYSCTL
	register_sysctl("kernel/kmonitor", kmonitor_table);
#endif
	return 0;
}
fs_initcall(kmonitor_limits_init);
