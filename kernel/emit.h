/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fan-out of a record.
 */
#ifndef _KMONITOR_EMIT_H
#define _KMONITOR_EMIT_H

#include <linux/types.h>

struct kmonitor_mark_set;
struct kmonitor_source;
struct task_struct;

bool kmonitor_watched(struct task_struct *task, u32 type);
void kmonitor_emit(struct kmonitor_source *source,
		   const struct kmonitor_mark_set *set);
void kmonitor_report(struct kmonitor_source *source);

#endif /* _KMONITOR_EMIT_H */
