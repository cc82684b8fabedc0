/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pids of a task that may be released meanwhile: RCU keeps the task and what
 * it points to, not the pointers.
 */
#ifndef _KMONITOR_TASK_PID_H
#define _KMONITOR_TASK_PID_H

#include <linux/compiler.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

static inline bool kmonitor_task_alive(const struct task_struct *task)
{
	/* Cleared once, by a plain store; callers tolerate either answer. */
	return data_race(pid_alive(task));
}

/* Returns NULL for a task that has been released. */
static inline struct pid *kmonitor_task_pid(const struct task_struct *task)
{
	/* As above. */
	return data_race(READ_ONCE(task->thread_pid));
}

/* Returns NULL for a task whose process has been released. */
static inline struct pid *kmonitor_task_tgid(const struct task_struct *task)
{
	/* As above. */
	return data_race(READ_ONCE(task->signal->pids[PIDTYPE_TGID]));
}

#endif /* _KMONITOR_TASK_PID_H */
