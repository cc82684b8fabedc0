/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path and the arguments of a program, as continuation records.
 */
#ifndef _KMONITOR_ARGS_H
#define _KMONITOR_ARGS_H

#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct kmonitor_event_data;
struct task_struct;

/**
 * struct kmonitor_args - the path and the arguments; owned by the caller
 * @len: Bytes of text in all parts.
 * @room: Capacity in bytes.
 * @truncated: Some text was left out.
 * @part: The records.
 */
struct kmonitor_args {
	u32 len;
	u32 room;
	bool truncated;
	struct kmonitor_exec_args part[];
};

struct kmonitor_args *kmonitor_args_of_exec(struct kmonitor_event_data *data);
struct kmonitor_args *kmonitor_args_of_task(struct task_struct *task);
u32 kmonitor_args_number(struct kmonitor_args *args,
			 struct kmonitor_event *event, u32 max_parts);

#endif /* _KMONITOR_ARGS_H */
