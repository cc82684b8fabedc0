// SPDX-License-Identifier: GPL-2.0-only
/* The signals that ask a tool to end, see signals.h. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "signals.h"

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

int catch_signals(void)
{
	const struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART | SA_RESETHAND,
	};
	struct sigaction old;

	if (signal_pipe[1])
		return 0;
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
