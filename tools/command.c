// SPDX-License-Identifier: GPL-2.0-only
/* The command that is followed, and the signals that come meanwhile. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static int signal_pipe[2];

static void on_signal(int signo)
{
	int saved = errno;
	char byte = (char)signo;
	ssize_t n = write(signal_pipe[1], &byte, 1);

	(void)n;
	errno = saved;
}

/*
 * The first signal of a kind is a request; the second has the default action,
 * which ends even a tool that is stuck in a write.  What was ignored stays so.
 */
int catch_signals(void)
{
	const struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART | SA_RESETHAND,
	};
	struct sigaction old;

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK)) {
		complain("pipe: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	return 0;
}

int signal_fd(void)
{
	return signal_pipe[0];
}

int take_signal(void)
{
	char signo;

	return read(signal_pipe[0], &signo, 1) == 1 ? signo : 0;
}

int start_command(struct source *source)
{
	struct kmonitor_filter tree = {
		.target = KMONITOR_TARGET_TREE,
		.flags = source->filter_flags,
		.events = source->events,
	};
	const struct kmon_command command = {
		.file = source->command[0],
		.argv = source->command,
	};
	int ret;

	/* If it is ignored, there is no status to wait for. */
	signal(SIGCHLD, SIG_DFL);
	ret = kmon_spawn(source->fd, &tree, &command, &source->child);
	switch (ret) {
	case 0:
		source->child_tree = tree.handle;
		return 0;
	case -ENOSPC:
	case -ENOMEM:
	case -EAGAIN:
	case -EOPNOTSUPP:
		complain("%s: %s", source->command[0],
			 kmon_filter_strerror(&tree, ret));
		return EXIT_FAILURE;
	}
	complain("%s: %s", source->command[0], strerror(-ret));
	return ret == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

int command_status(struct source *source)
{
	int status;

	while (waitpid(source->child, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		complain("%s: waiting for it: %s", source->command[0],
			 strerror(errno));
		return EXIT_FAILURE;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   EXIT_SIGNAL(WTERMSIG(status));
}
