/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a task to a record.
 */
#ifndef _KMONITOR_RECORD_H
#define _KMONITOR_RECORD_H

#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct kmonitor_creator;
struct kmonitor_entry;
struct linux_binprm;
struct pid;
struct task_struct;

/**
 * struct kmonitor_source - what a record is made of
 * @type: The event type.
 * @flags: Bits of KMONITOR_EVENT_*.
 * @task: The subject.
 * @fork: Of PROCESS_FORK and THREAD_CREATE.
 * @exec: Of PROCESS_EXEC.
 * @exit: Of PROCESS_EXIT and THREAD_EXIT.
 * @snapshot: Of TASK.
 */
struct kmonitor_source {
	u32 type;
	u16 flags;
	struct task_struct *task;
	union {
		struct {
			struct task_struct *child;
			u64 clone_flags;
		} fork;
		struct {
			struct linux_binprm *bprm;
			struct pid *old_pid;
		} exec;
		struct kmonitor_exit exit;
		struct kmonitor_task snapshot;
	};
};

void kmonitor_record_fill(struct kmonitor_event *event,
			  const struct kmonitor_source *source,
			  const struct kmonitor_creator *creator,
			  bool redacted);
void kmonitor_record_fill_empty(struct kmonitor_event *event,
				const struct kmonitor_entry *entry,
				const struct kmonitor_creator *creator);
void kmonitor_thread_usage(struct task_struct *task,
			   struct kmonitor_exit *exit);
void kmonitor_process_usage(struct task_struct *task,
			    struct kmonitor_exit *exit);
void kmonitor_task_program(struct task_struct *task,
			   struct kmonitor_task *details);

#endif /* _KMONITOR_RECORD_H */
