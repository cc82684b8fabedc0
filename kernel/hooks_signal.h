/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks in signals.
 */
#ifndef _KMONITOR_HOOKS_SIGNAL_H
#define _KMONITOR_HOOKS_SIGNAL_H

struct task_struct;

void kmonitor_report_aborts(struct task_struct *task, long code);

#endif /* _KMONITOR_HOOKS_SIGNAL_H */
