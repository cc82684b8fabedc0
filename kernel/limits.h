/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a user may have of each thing.
 */
#ifndef _KMONITOR_LIMITS_H
#define _KMONITOR_LIMITS_H

#include <linux/types.h>

struct ucounts;

/*
 * Unprivileged entries of one target that may hold one process, thread or user:
 * what its events may cost.
 */
#define KMONITOR_MAX_UNPRIVILEGED 16

extern unsigned int kmonitor_max_ring_records;

struct ucounts *kmonitor_charge_instance(void);
void kmonitor_uncharge_instance(struct ucounts *ucounts);
struct ucounts *kmonitor_charge_filter(void);
void kmonitor_uncharge_filter(struct ucounts *ucounts);

#endif /* _KMONITOR_LIMITS_H */
