/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Knobs that make rare moments frequent.
 */
#ifndef _KMONITOR_DEBUG_H
#define _KMONITOR_DEBUG_H

#ifdef CONFIG_KMONITOR_DEBUG
/**
 * kmonitor_delay_commit - hold up a producer between reservation and publication
 *
 * As an interrupt, or a hypervisor that takes the processor away, would.
 *
 * Context: Any but NMI; preemption off.
 */
void kmonitor_delay_commit(void);

/**
 * kmonitor_debug_exit - keep the thread that was chosen from ending
 *
 * It goes the way of a task that oopses in do_exit(), and never returns.
 *
 * Context: The current task exits; no lock held.
 */
void kmonitor_debug_exit(void);
#else
static inline void kmonitor_delay_commit(void)
{
}

static inline void kmonitor_debug_exit(void)
{
}
#endif

#endif /* _KMONITOR_DEBUG_H */
