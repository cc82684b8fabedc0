/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conditions: entries that are judged at each event.
 */
#ifndef _KMONITOR_CONDITION_H
#define _KMONITOR_CONDITION_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct kmonitor_entry;
struct kmonitor_filters;
struct kmonitor_source;

/**
 * enum kmonitor_condition_kind - targets of conditions, the most specific first
 * @KMONITOR_CONDITION_CGROUP: %KMONITOR_TARGET_CGROUP.
 * @KMONITOR_CONDITION_UID: %KMONITOR_TARGET_UID.
 * @KMONITOR_CONDITION_ALL: %KMONITOR_TARGET_ALL, which has no id.
 * @KMONITOR_CONDITION_KINDS: Their number.
 */
enum kmonitor_condition_kind {
	KMONITOR_CONDITION_CGROUP,
	KMONITOR_CONDITION_UID,
	KMONITOR_CONDITION_ALL,
	KMONITOR_CONDITION_KINDS,
};

/**
 * struct kmonitor_conditions - those of a pid namespace, or of a descriptor
 * @by_id: Event types that any with an id wants.  Read by hooks, as @events and
 *	@all are; all is written under the lock of the conditions.
 * @events: Event types that any of each kind wants.
 * @wanting: How many of each kind want each event type.
 * @nr: How many there are.
 * @all: Those of target ALL.
 * @rcu: Hooks find those of a namespace under RCU.
 */
struct kmonitor_conditions {
	u32 by_id;
	u32 events[KMONITOR_CONDITION_KINDS];
	u32 wanting[KMONITOR_CONDITION_KINDS][32];
	u32 nr;
	struct hlist_head all;
	struct rcu_head rcu;
};

/* Visits an entry; true ends the visit. */
typedef bool (*kmonitor_visit_t)(void *data, struct kmonitor_entry *entry);

int kmonitor_condition_add(struct kmonitor_entry *entry);
void kmonitor_condition_del(struct kmonitor_entry *entry);
void kmonitor_condition_set_events(struct kmonitor_entry *entry, u32 events);
struct kmonitor_entry *kmonitor_condition_find(struct kmonitor_filters *filters,
					       u32 target, u64 id, bool ignore);
bool kmonitor_conditions_visit_ids(const struct kmonitor_conditions *conditions,
				   const struct kmonitor_source *source,
				   kmonitor_visit_t visit, void *data);
bool kmonitor_conditions_visit(const struct kmonitor_conditions *conditions,
			       const struct kmonitor_source *source,
			       kmonitor_visit_t visit, void *data);

#endif /* _KMONITOR_CONDITION_H */
