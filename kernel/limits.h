/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a user may have of each thing.
 */
#ifndef _KMONITOR_LIMITS_H
#define _KMONITOR_LIMITS_H

#include <linux/gfp.h>
#include <linux/types.h>

struct ucounts;

/* Unprivileged trees that may hold one process: what its exit may cost. */
#define KMONITOR_MAX_UNPRIVILEGED_TREES 16

/*
 * What a user can ask for in any size fails with -ENOMEM at the limit of the
 * memory cgroup: nobody in it is killed to make room.
 */
#define KMONITOR_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

extern unsigned int kmonitor_max_ring_records;

bool kmonitor_may_init(void);

struct ucounts *kmonitor_charge_instance(void);
void kmonitor_uncharge_instance(struct ucounts *ucounts);
struct ucounts *kmonitor_charge_filter(void);
void kmonitor_uncharge_filter(struct ucounts *ucounts);

#endif /* _KMONITOR_LIMITS_H */
