/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conditions: entries that are matched at each event.
 */
#ifndef _KMONITOR_CONDITION_H
#define _KMONITOR_CONDITION_H

#include <linux/types.h>

struct kmonitor_conditions;
struct kmonitor_entry;
struct kmonitor_event_data;
struct kmonitor_filter_table;
struct task_struct;

/* Visits an entry; true ends the visit. */
typedef bool (*kmonitor_visit_t)(void *arg, struct kmonitor_entry *entry);

int kmonitor_condition_add(struct kmonitor_entry *entry);
void kmonitor_condition_del(struct kmonitor_entry *entry);
void kmonitor_condition_set_events(struct kmonitor_entry *entry, u32 events);
struct kmonitor_entry *
kmonitor_condition_find(struct kmonitor_filter_table *filters, u32 target,
			u64 id, bool ignore);
bool kmonitor_conditions_visit_ids(const struct kmonitor_conditions *conditions,
				   const struct kmonitor_event_data *data,
				   kmonitor_visit_t visit, void *arg);
bool kmonitor_conditions_visit(const struct kmonitor_conditions *conditions,
			       const struct kmonitor_event_data *data,
			       kmonitor_visit_t visit, void *arg);
bool kmonitor_id_may_match(struct task_struct *task, u32 types);
bool kmonitor_fork_id_may_match(struct task_struct *child, u32 types);

#endif /* _KMONITOR_CONDITION_H */
