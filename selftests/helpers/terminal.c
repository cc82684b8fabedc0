// SPDX-License-Identifier: GPL-2.0-only
/* terminal CMD [ARG...]: runs it on a terminal of its own and copies what it writes. */

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char buf[4096];
	int terminal, status;
	pid_t child;
	ssize_t len;

	if (argc < 2)
		return 127;
	child = forkpty(&terminal, NULL, NULL, NULL);
	if (!child) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	/* EIO when the last one has closed it. */
	while (child > 0 && (len = read(terminal, buf, sizeof(buf))) > 0) {
		if (write(STDOUT_FILENO, buf, len) != len)
			return 127;
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}
