/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the id of a filter to the object that it names.
 */
#ifndef _KMONITOR_TARGET_H
#define _KMONITOR_TARGET_H

#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct kmonitor_creator;
struct pid;
struct task_struct;

int kmonitor_target_check(const struct kmonitor_filter *arg);
struct pid *kmonitor_target_pid(const struct kmonitor_creator *creator,
				const struct kmonitor_filter *arg);
struct task_struct *kmonitor_target_task(struct pid *pid, u32 target);
int kmonitor_target_condition(const struct kmonitor_creator *creator,
			      const struct kmonitor_filter *arg, u64 *id);
int kmonitor_target_may_add(const struct kmonitor_creator *creator,
			    const struct kmonitor_filter *arg, u64 id);

#endif /* _KMONITOR_TARGET_H */
