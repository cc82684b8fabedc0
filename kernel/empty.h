/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a tree, and ends that wait for room.
 */
#ifndef _KMONITOR_EMPTY_H
#define _KMONITOR_EMPTY_H

struct kmonitor;
struct kmonitor_creator;
struct kmonitor_entry;
struct kmonitor_event;

void kmonitor_record_fill_empty(struct kmonitor_event *event,
				const struct kmonitor_entry *entry,
				const struct kmonitor_creator *creator);
void kmonitor_keep_end(struct kmonitor *mon, struct kmonitor_entry *entry,
		       const struct kmonitor_event *event);
void kmonitor_flush_pending(struct kmonitor *mon);
void kmonitor_entry_leave(struct kmonitor_entry *entry);

#endif /* _KMONITOR_EMPTY_H */
