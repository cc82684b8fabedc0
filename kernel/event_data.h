/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event on its way to the descriptors, from which records are made.
 */
#ifndef _KMONITOR_EVENT_DATA_H
#define _KMONITOR_EVENT_DATA_H

#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

#include "task_pid.h"

/* Events that name the sender of a signal. */
#define KMONITOR_ABORTS \
	(KMONITOR_PROCESS_ABORT | KMONITOR_THREAD_ABORT | KMONITOR_COREDUMP)

struct cred;
struct file;
struct kmonitor_args;
struct kmonitor_sender;
struct linux_binprm;
struct pid;

/**
 * struct kmonitor_event_data - an event
 * @type: The event type.
 * @flags: Bits of KMONITOR_EVENT_*.
 * @has_usage: The usage in @exit has been taken.
 * @task: The subject.
 * @time_ns: Time of the event if it precedes that of the record, otherwise 0.
 * @fork: For PROCESS_FORK and THREAD_CREATE.
 * @exec: For PROCESS_EXEC; the arguments are made when first wanted.
 * @exec_failed: For EXEC_FAILED.
 * @exit: For PROCESS_EXIT and THREAD_EXIT.
 * @abort: For PROCESS_ABORT, THREAD_ABORT and COREDUMP; sender is NULL if it is
 *	not known.
 * @cred: For CRED.
 * @comm: For COMM.
 * @ptrace: For PTRACE.
 * @snapshot: For TASK.
 */
struct kmonitor_event_data {
	u32 type;
	u16 flags;
	bool has_usage;
	struct task_struct *task;
	u64 time_ns;
	union {
		struct {
			struct task_struct *child;
			u64 clone_flags;
			bool joins;
		} fork;
		struct {
			struct linux_binprm *bprm;
			struct pid *old_pid;
			struct kmonitor_args *args;
			bool args_tried;
		} exec;
		struct {
			int error;
			const struct file *file;
		} exec_failed;
		struct kmonitor_exit exit;
		struct {
			int signo;
			const struct kmonitor_sender *sender;
		} abort;
		struct {
			const struct cred *old;
			const struct cred *new;
		} cred;
		struct {
			const char *old;
		} comm;
		struct {
			struct task_struct *tracee;
			bool attached;
		} ptrace;
		struct kmonitor_task snapshot;
	};
};

static inline bool
kmonitor_event_is_fork(const struct kmonitor_event_data *data)
{
	return data->type & (KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE);
}

/* Whether the creator of a child is outside of the pid namespace at hand. */
static inline bool kmonitor_event_joins(const struct kmonitor_event_data *data)
{
	return kmonitor_event_is_fork(data) && data->fork.joins;
}

/* Returns the task that gives a record its ids and name. */
static inline struct task_struct *
kmonitor_event_subject(const struct kmonitor_event_data *data)
{
	const u32 process_types = KMONITOR_PROCESS_EXIT |
				  KMONITOR_PROCESS_ABORT | KMONITOR_COREDUMP;

	if (kmonitor_event_joins(data))
		return data->fork.child;
	return data->type & process_types ? data->task->group_leader :
					    data->task;
}

/* The innermost pid namespace in which the event is visible. */
static inline struct pid_namespace *
kmonitor_event_ns(const struct kmonitor_event_data *data)
{
	return ns_of_pid(kmonitor_task_pid(
		kmonitor_event_is_fork(data) ? data->fork.child : data->task));
}

#endif /* _KMONITOR_EVENT_DATA_H */
