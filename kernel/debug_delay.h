/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A knob that keeps records in flight: it delays their publication.
 */
#ifndef _KMONITOR_DEBUG_DELAY_H
#define _KMONITOR_DEBUG_DELAY_H

#ifdef CONFIG_KMONITOR_DEBUG_DELAY
/**
 * kmonitor_delay_commit - hold up a producer between reservation and publication
 *
 * As an interrupt, or a hypervisor that takes the processor away, would.
 *
 * Context: Any but NMI; preemption off.
 */
void kmonitor_delay_commit(void);
#else
static inline void kmonitor_delay_commit(void)
{
}
#endif

#endif /* _KMONITOR_DEBUG_DELAY_H */
