/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waking the consumers of a descriptor.
 */
#ifndef _KMONITOR_WAKE_H
#define _KMONITOR_WAKE_H

#include "monitor.h"

void kmonitor_wake_init(struct kmonitor *mon, u32 delay_us);
void kmonitor_wake_stop(struct kmonitor *mon);
void kmonitor_wake(struct kmonitor *mon, bool defer);
void kmonitor_wake_later(struct kmonitor *mon);
void kmonitor_wake_as_owed(struct kmonitor *mon, enum kmonitor_wakeup wakeup,
			   bool defer);

#endif /* _KMONITOR_WAKE_H */
