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
 * The most unprivileged entries of one target that one user's monitors may have
 * on one process or thread, and the most of that user's monitors that may have
 * unprivileged conditions in one pid namespace.  It bounds the cost of an event.
 */
#define KMONITOR_MAX_PER_USER 16

/*
 * The most unprivileged entries of one target on one process or thread.  It can
 * have those of several users: of the one who began it and, through setuid
 * programs, of those who began its ancestors.
 */
#define KMONITOR_MAX_UNPRIVILEGED (4 * KMONITOR_MAX_PER_USER)

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
