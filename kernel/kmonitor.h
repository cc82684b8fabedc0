/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks of kmonitor in the kernel: fork, exec, exit, signals, and changes
 * of a task.
 *
 * While no descriptor is open each hook is a patched-out branch, but for two bits
 * in the task_struct: of a new task, which nobody else writes to, and of one that
 * has come to its end.
 */
#ifndef _LINUX_KMONITOR_H
#define _LINUX_KMONITOR_H

#include <linux/cleanup.h>
#include <linux/jump_label_ratelimit.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

struct cred;
struct kernel_siginfo;
struct linux_binprm;

static inline void kmonitor_put_pid(struct pid *pid)
{
	if (pid)
		put_pid(pid);
}

DEFINE_FREE(kmonitor_pid, struct pid *, kmonitor_put_pid(_T))

#ifdef CONFIG_KMONITOR

extern struct static_key_false_deferred kmonitor_key;
extern unsigned int kmonitor_nr_senders;

#define kmonitor_enabled() static_branch_unlikely(&kmonitor_key.key)

void __kmonitor_inherit(struct task_struct *child);
void __kmonitor_fork(struct task_struct *child, u64 clone_flags);
void __kmonitor_exec(struct linux_binprm *bprm, struct pid *old_pid);
void __kmonitor_thread_exit(struct task_struct *task, long code, bool last);
void __kmonitor_process_exit(struct task_struct *task);
void __kmonitor_free_signal(struct signal_struct *sig);
void __kmonitor_free_sender(const struct signal_struct *sig);
void __kmonitor_signal(struct task_struct *task, int signo,
		       const struct kernel_siginfo *info);
void __kmonitor_coredump(int signo);
void __kmonitor_exec_failed(const struct linux_binprm *bprm, int error);
void __kmonitor_cred(const struct cred *old, const struct cred *new);
void __kmonitor_set_comm(struct task_struct *task, const char *comm);
void __kmonitor_sid(struct task_struct *leader);
void __kmonitor_ptrace(struct task_struct *tracee, bool attached);
void kmonitor_stuck(void);

#ifdef CONFIG_KMONITOR_DEBUG
/**
 * kmonitor_debug_window - hold up the thread that a test has chosen
 *
 * To be called between two steps that others may get in between of.
 *
 * Context: Any but interrupts.
 */
void kmonitor_debug_window(void);
#else
static inline void kmonitor_debug_window(void)
{
}
#endif

/**
 * kmonitor_inherit - make a new process a member of its creator's trees
 * @child: The leader of the new process, which nobody can find yet.
 *
 * Context: copy_process(), write-held tasklist_lock and siglock, irqs off.
 *	Can't fail, doesn't allocate.  No failure of the fork follows.
 */
static inline void kmonitor_inherit(struct task_struct *child)
{
	child->kmonitor_new = 1;
	if (kmonitor_enabled())
		__kmonitor_inherit(child);
}

/**
 * kmonitor_fork - report a new process or thread
 * @child: The new task, which has not run yet.
 * @clone_flags: Flags of clone(2).
 *
 * Context: End of copy_process(); may sleep, no lock held.
 */
static inline void kmonitor_fork(struct task_struct *child, u64 clone_flags)
{
	kmonitor_debug_window();
	if (kmonitor_enabled())
		__kmonitor_fork(child, clone_flags);
	else
		kmonitor_debug_window();
	child->kmonitor_new = 0;
}

/**
 * kmonitor_exec_pid - hold the thread id that exec may change
 *
 * Context: Start of exec_binprm(); may sleep, no spinlock held.
 * Return: A reference to the caller's struct pid, or NULL.
 */
static inline struct pid *kmonitor_exec_pid(void)
{
	if (kmonitor_enabled())
		return get_pid(task_pid(current));
	return NULL;
}

/**
 * kmonitor_exec - report a successful exec
 * @bprm: The new program.
 * @old_pid: From kmonitor_exec_pid().
 *
 * Context: End of exec_binprm(); may sleep, no spinlock held.
 */
static inline void kmonitor_exec(struct linux_binprm *bprm, struct pid *old_pid)
{
	if (kmonitor_enabled())
		__kmonitor_exec(bprm, old_pid);
}

/**
 * kmonitor_thread_exit - report the end of a thread
 * @task: The current task, which still has its mm.
 * @code: Its exit code.
 * @last: True if it took signal->live to zero.
 *
 * Context: do_exit() after the decrement of signal->live, whose full barrier
 *	orders PF_EXITING before the look-up of the marks; may sleep, no lock
 *	held.
 */
static inline void kmonitor_thread_exit(struct task_struct *task, long code,
					bool last)
{
	if (kmonitor_enabled())
		__kmonitor_thread_exit(task, code, last);
}

/**
 * kmonitor_process_exit - report the end of a process, in its last thread
 * @task: The current task, which has released its resources.
 *
 * signal->live is decremented before exit_mm() and exit_files(), so it can't
 * tell which thread is the last to come here.
 *
 * Context: do_exit() just before exit_notify(); may sleep, no lock held.
 */
static inline void kmonitor_process_exit(struct task_struct *task)
{
	task->kmonitor_exited = 1;
	/* Not behind the test: see the late marks of mark.c. */
	barrier();
	if (kmonitor_enabled())
		__kmonitor_process_exit(task);
}

/**
 * kmonitor_free_signal - free what is left of a process
 * @sig: About to be freed.
 *
 * Its marks if no exit hook took them, and the sender of its fatal signal.
 *
 * Context: Any, also softirq.
 */
static inline void kmonitor_free_signal(struct signal_struct *sig)
{
	if (unlikely(rcu_access_pointer(sig->kmonitor_marks)))
		__kmonitor_free_signal(sig);
	if (unlikely(READ_ONCE(kmonitor_nr_senders)))
		__kmonitor_free_sender(sig);
}

/**
 * kmonitor_signal - record the sender of a signal that may be fatal
 * @task: The receiver.
 * @signo: The signal, which is not ignored and not yet marked as pending.
 * @info: As for send_signal_locked().
 *
 * Context: The sender's, or any for signals of the kernel; siglock of @task
 *	held, irqs off.
 */
static inline void kmonitor_signal(struct task_struct *task, int signo,
				   const struct kernel_siginfo *info)
{
	if (kmonitor_enabled())
		__kmonitor_signal(task, signo, info);
}

/**
 * kmonitor_coredump - report that the current process dumps core
 * @signo: The signal that causes it.
 *
 * Context: do_coredump(), when nothing but SIGKILL can change the status any
 *	more; may sleep, no lock held.
 */
static inline void kmonitor_coredump(int signo)
{
	if (kmonitor_enabled())
		__kmonitor_coredump(signo);
}

/**
 * kmonitor_exec_failed - report that execve(2) returns an error
 * @bprm: The attempt, or NULL if no file was opened.
 * @error: The return value of execve(2).
 *
 * Context: Process context, no spinlock held.
 */
static inline void kmonitor_exec_failed(const struct linux_binprm *bprm,
					int error)
{
	if (kmonitor_enabled() && error < 0)
		__kmonitor_exec_failed(bprm, error);
}

/**
 * kmonitor_cred - report that the ids of the current task changed
 * @old: Its credentials before.
 * @new: Its credentials now.
 *
 * Context: commit_creds(); no spinlock held.
 */
static inline void kmonitor_cred(const struct cred *old, const struct cred *new)
{
	if (kmonitor_enabled())
		__kmonitor_cred(old, new);
}

/**
 * kmonitor_set_comm - rename a task and report it
 * @task: The current task or another thread of its process; the caller holds
 *	a reference.
 * @comm: The new name.
 *
 * Context: Process context, no spinlock held.
 */
static inline void kmonitor_set_comm(struct task_struct *task, const char *comm)
{
	if (kmonitor_enabled())
		__kmonitor_set_comm(task, comm);
	else
		set_task_comm(task, comm);
}

/**
 * kmonitor_sid - report a new session
 * @leader: Its leader: the leader of the current process.
 *
 * Context: Process context, no spinlock held.
 */
static inline void kmonitor_sid(struct task_struct *leader)
{
	if (kmonitor_enabled())
		__kmonitor_sid(leader);
}

/**
 * kmonitor_ptrace - report the start or the end of tracing
 * @tracee: The traced task: the current one, or the caller holds a reference.
 * @attached: True at the start.
 *
 * Context: The tracer, or the tracee for PTRACE_TRACEME; after the start,
 *	before the end; no spinlock held.
 */
static inline void kmonitor_ptrace(struct task_struct *tracee, bool attached)
{
	if (kmonitor_enabled())
		__kmonitor_ptrace(tracee, attached);
}

#else /* !CONFIG_KMONITOR */

static inline void kmonitor_inherit(struct task_struct *child)
{
}

static inline void kmonitor_fork(struct task_struct *child, u64 clone_flags)
{
}

static inline struct pid *kmonitor_exec_pid(void)
{
	return NULL;
}

static inline void kmonitor_exec(struct linux_binprm *bprm, struct pid *old_pid)
{
}

static inline void kmonitor_thread_exit(struct task_struct *task, long code,
					bool last)
{
}

static inline void kmonitor_process_exit(struct task_struct *task)
{
}

static inline void kmonitor_free_signal(struct signal_struct *sig)
{
}

static inline void kmonitor_signal(struct task_struct *task, int signo,
				   const struct kernel_siginfo *info)
{
}

static inline void kmonitor_coredump(int signo)
{
}

static inline void kmonitor_exec_failed(const struct linux_binprm *bprm,
					int error)
{
}

static inline void kmonitor_cred(const struct cred *old, const struct cred *new)
{
}

static inline void kmonitor_set_comm(struct task_struct *task, const char *comm)
{
	set_task_comm(task, comm);
}

static inline void kmonitor_sid(struct task_struct *leader)
{
}

static inline void kmonitor_ptrace(struct task_struct *tracee, bool attached)
{
}

static inline void kmonitor_stuck(void)
{
}

#endif /* CONFIG_KMONITOR */
#endif /* _LINUX_KMONITOR_H */
