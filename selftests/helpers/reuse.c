// SPDX-License-Identifier: GPL-2.0-only
/*
 * reuse PID...: a child with each of these ids, which must be free, waits for
 * its input's end.  Writes a line when they are there; ends after them.
 */

#include <err.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

int main(int argc, char **argv)
{
	char byte;

	for (int i = 1; i < argc; i++) {
		pid_t pid = atoi(argv[i]);
		struct clone_args args = {
			.exit_signal = SIGCHLD,
			.set_tid = (uintptr_t)&pid,
			.set_tid_size = 1,
		};
		long child = syscall(SYS_clone3, &args, sizeof(args));

		if (child < 0)
			err(127, "%d", pid);
		if (!child)
			_exit(read(STDIN_FILENO, &byte, 1) ? 127 : 0);
	}
	puts("there");
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1))
		return 127;
	while (wait(NULL) > 0)
		;
	return 0;
}
