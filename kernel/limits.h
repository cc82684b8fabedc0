/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits for each user.
 */
#ifndef _KMONITOR_LIMITS_H
#define _KMONITOR_LIMITS_H

#include <linux/gfp.h>
#include <linux/types.h>

struct ucounts;
struct user_struct;

/*
 * The most unprivileged entries of one target that may hold one process, thread
 * or user.  It bounds the cost of an event.
 */
#define KMONITOR_MAX_UNPRIVILEGED 16

/*
 * For allocations whose size a user can choose: at the limit of the memory
 * cgroup they fail with -ENOMEM instead of invoking the OOM killer.
 */
#define KMONITOR_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

extern unsigned int kmonitor_max_ring_records;

bool kmonitor_may_init(void);

struct ucounts *kmonitor_charge_instance(void);
void kmonitor_uncharge_instance(struct ucounts *ucounts);
struct user_struct *kmonitor_charge_pages(unsigned long nr_pages);
void kmonitor_uncharge_pages(struct user_struct *user, unsigned long nr_pages);
struct ucounts *kmonitor_charge_filter(void);
void kmonitor_uncharge_filter(struct ucounts *ucounts);

#endif /* _KMONITOR_LIMITS_H */
