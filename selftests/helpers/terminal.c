// SPDX-License-Identifier: GPL-2.0-only
/*
 * terminal CMD [ARG...]: runs it on a terminal of its own, copies what it writes,
 * and types what comes from its own standard input.
 */

#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns false at the end. */
static bool copy(int from, int to)
{
	char buf[4096];
	const ssize_t len = read(from, buf, sizeof(buf));

	return len > 0 && write(to, buf, len) == len;
}

int main(int argc, char **argv)
{
	struct pollfd fds[] = {
		{ .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	pid_t child;
	int status;

	if (argc < 2)
		return 127;
	child = forkpty(&fds[0].fd, NULL, NULL, NULL);
	if (!child) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0)
		return 127;
	while (poll(fds, 2, -1) > 0) {
		/* EIO when the last one has closed it. */
		if (fds[0].revents && !copy(fds[0].fd, STDOUT_FILENO))
			break;
		if (fds[1].revents && !copy(STDIN_FILENO, fds[0].fd))
			fds[1].fd = -1;
	}
	if (waitpid(child, &status, 0) != child)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}
