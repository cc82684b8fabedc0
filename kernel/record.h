/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a task to a record.
 */
#ifndef _KMONITOR_RECORD_H
#define _KMONITOR_RECORD_H

#include <linux/sched.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct cred;
struct file;
struct kmonitor_args;
struct kmonitor_creator;
struct kmonitor_entry;
struct kmonitor_killer;
struct linux_binprm;
struct pid;

/**
 * struct kmonitor_source - what a record is made of
 * @type: The event type.
 * @flags: Bits of KMONITOR_EVENT_*.
 * @has_usage: The usage in @exit has been taken.
 * @task: The subject.
 * @time_ns: When it happened, if that was before the record; else 0.
 * @fork: Of PROCESS_FORK and THREAD_CREATE.
 * @exec: Of PROCESS_EXEC; the arguments are made when first wanted.
 * @exec_failed: Of EXEC_FAILED.
 * @exit: Of PROCESS_EXIT and THREAD_EXIT.
 * @abort: Of PROCESS_ABORT, THREAD_ABORT and COREDUMP; killer is NULL if
 *	not known.
 * @cred: Of CRED.
 * @comm: Of COMM.
 * @ptrace: Of PTRACE.
 * @snapshot: Of TASK.
 */
struct kmonitor_source {
	u32 type;
	u16 flags;
	bool has_usage;
	struct task_struct *task;
	u64 time_ns;
	union {
		struct {
			struct task_struct *child;
			u64 clone_flags;
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
			const struct kmonitor_killer *killer;
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

/* Whose ids and name a record has: a process is its leader. */
static inline struct task_struct *
kmonitor_source_subject(const struct kmonitor_source *source)
{
	const u32 of_process = KMONITOR_PROCESS_EXIT | KMONITOR_PROCESS_ABORT |
			       KMONITOR_COREDUMP;

	return source->type & of_process ? source->task->group_leader :
					   source->task;
}

void kmonitor_record_fill_birth(struct kmonitor_event *event,
				const struct kmonitor_source *source);
void kmonitor_record_fill(struct kmonitor_event *event,
			  struct kmonitor_source *source,
			  const struct kmonitor_creator *creator,
			  bool redacted);
void kmonitor_record_fill_empty(struct kmonitor_event *event,
				const struct kmonitor_entry *entry,
				const struct kmonitor_creator *creator);
void kmonitor_task_program(struct task_struct *task,
			   struct kmonitor_task *details);
void kmonitor_take_usage(struct kmonitor_source *source);

#endif /* _KMONITOR_RECORD_H */
