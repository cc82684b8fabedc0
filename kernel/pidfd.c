// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the identity of a process to a pidfd.
 */

#include <linux/file.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <uapi/linux/kmonitor.h>

#include "access.h"
#include "pidfd.h"

static struct pid *find_process(const struct kmonitor_creator *creator,
				const struct kmonitor_get_pidfd *arg)
{
	const struct task_struct *leader;
	struct pid *pid;

	guard(rcu)();
	pid = find_pid_ns(arg->tgid, creator->pid_ns);
	leader = pid_task(pid, PIDTYPE_TGID);
	if (!leader || leader->start_boottime != arg->start_ns)
		return NULL;
	return get_pid(pid);
}

/**
 * kmonitor_pidfd_open - open a pidfd of the process that a record named
 * @creator: The creator of the descriptor.
 * @arg: Names the process in the creator's pid namespace.
 *
 * Needs no permission, like pidfd_open(2): a pidfd grants none, and start_ns
 * can't be guessed.
 *
 * Context: May sleep.
 * Return: The pidfd, closed on exec, of a process that may be a zombie;
 *	-EINVAL for flags or a tgid that is none; -ESRCH if no such process is
 *	visible, or it has been reaped; -EMFILE, -ENFILE, -ENOMEM.
 */
int kmonitor_pidfd_open(const struct kmonitor_creator *creator,
			const struct kmonitor_get_pidfd *arg)
{
	struct file *file;
	struct pid *pid;
	int fd;

	if (arg->flags || arg->tgid <= 0)
		return -EINVAL;
	pid = find_process(creator, arg);
	if (!pid)
		return -ESRCH;
	fd = pidfd_prepare(pid, 0, &file);
	put_pid(pid);
	/* The only reason for EINVAL here is that it has been reaped. */
	if (fd == -EINVAL)
		return -ESRCH;
	if (fd >= 0)
		fd_install(fd, file);
	return fd;
}
