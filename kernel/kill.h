/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals to the members of an entry.
 */
#ifndef _KMONITOR_KILL_H
#define _KMONITOR_KILL_H

struct kmonitor_filter_table;
struct kmonitor_kill;

int kmonitor_kill(struct kmonitor_filter_table *filters,
		  struct kmonitor_kill *arg);
void kmonitor_kill_on_close(struct kmonitor_filter_table *filters);

#endif /* _KMONITOR_KILL_H */
