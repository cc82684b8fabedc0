// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A command that is followed from before its first instruction.
 *
 * The child joins the filter as a tree by itself, before its exec.  It borrows
 * the caller's memory until then, so that it can say what went wrong.
 */

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kmon.h"

struct child {
	int fd;
	const struct kmon_command *command;
	struct kmonitor_filter tree;
	sigset_t mask;
	volatile int error;
};

static void default_signals(void)
{
	struct sigaction action;

	for (int signo = 1; signo < NSIG; signo++) {
		if (!sigaction(signo, NULL, &action) &&
		    action.sa_handler != SIG_IGN &&
		    action.sa_handler != SIG_DFL)
			signal(signo, SIG_DFL);
	}
}

/* Handlers of the caller must not run in the child: its signals are blocked. */
__attribute__((noreturn)) static void run(struct child *child)
{
	const struct kmon_command *command = child->command;

	default_signals();
	child->error = kmon_filter_add(child->fd, &child->tree);
	if (!child->error && command->prepare)
		child->error = command->prepare(command->arg);
	if (child->error)
		_exit(127);
	sigprocmask(SIG_SETMASK, command->mask ? command->mask : &child->mask,
		    NULL);
	execvpe(command->file, command->argv,
		command->envp ? command->envp : environ);
	child->error = -errno;
	_exit(127);
}

int kmon_spawn(int fd, struct kmonitor_filter *tree,
	       const struct kmon_command *command, pid_t *pid)
{
	/* As long as it has not joined: it may be killed before. */
	struct child child = {
		.fd = fd,
		.command = command,
		.tree = *tree,
		.error = -ESRCH,
	};
	sigset_t all;
	pid_t got;

	child.tree.target = KMONITOR_TARGET_TREE;
	child.tree.id = 0;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &child.mask);
	got = vfork();
	if (!got)
		run(&child);
	if (got < 0)
		child.error = -errno;
	sigprocmask(SIG_SETMASK, &child.mask, NULL);
	if (child.error) {
		while (got > 0 && waitpid(got, NULL, 0) < 0 && errno == EINTR)
			;
		return child.error;
	}
	tree->handle = child.tree.handle;
	*pid = got;
	return 0;
}
