/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a task to a record.
 */
#ifndef _KMONITOR_RECORD_H
#define _KMONITOR_RECORD_H

#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct kmonitor_creator;
struct kmonitor_event_data;
struct task_struct;

void kmonitor_record_fill_fork(struct kmonitor_event *event,
			       const struct kmonitor_event_data *data);
void kmonitor_record_fill(struct kmonitor_event *event,
			  struct kmonitor_event_data *data,
			  const struct kmonitor_creator *creator,
			  bool redacted);
void kmonitor_task_program(struct task_struct *task,
			   struct kmonitor_task *details);

#endif /* _KMONITOR_RECORD_H */
