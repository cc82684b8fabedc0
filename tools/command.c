// SPDX-License-Identifier: GPL-2.0-only
/* A command that is followed from before its first instruction, see command.h. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "command.h"
#include "common.h"

static int ignore_sigchld(void *arg)
{
	(void)arg;
	return signal(SIGCHLD, SIG_IGN) == SIG_ERR ? -errno : 0;
}

int start_command(int fd, struct kmonitor_filter *tree,
		  const struct kmon_command *command, pid_t *child)
{
	struct kmon_command child_command = *command;
	int ret;

	/* While it is ignored there is no status to wait for. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_IGN)
		child_command.prepare = ignore_sigchld;
	ret = kmon_spawn(fd, tree, &child_command, child);
	switch (ret) {
	case 0:
		return 0;
	case -ENOSPC:
	case -ENOMEM:
	case -EAGAIN:
	case -EOPNOTSUPP:
		complain("%s: %s", command->file,
			 kmon_filter_strerror(tree, ret));
		return EXIT_FAILURE;
	}
	complain("%s: %s", command->file, strerror(-ret));
	return ret == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

int shell_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) :
					EXIT_SIGNAL(WTERMSIG(wait_status));
}

int command_status(const char *name, pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		complain("%s: waiting for it: %s", name, strerror(errno));
		return EXIT_FAILURE;
	}
	return shell_status(status);
}
