// SPDX-License-Identifier: GPL-2.0-only
/*
 * sleepers N STATUS: N children, whose ids it writes a line each, wait for its
 * input's end, and then end: the first with this status, the others with 0.  It
 * ends after them.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char byte;

	if (argc != 3)
		errx(127, "usage: sleepers N STATUS");
	for (int i = 0; i < atoi(argv[1]); i++) {
		pid_t child = fork();

		if (child < 0)
			err(127, "fork");
		if (!child)
			_exit(read(STDIN_FILENO, &byte, 1) ? 127 :
			      i				   ? 0 :
							     atoi(argv[2]));
		printf("%d\n", child);
		/* A child must not have a part of it to write, too. */
		fflush(stdout);
	}
	if (read(STDIN_FILENO, &byte, 1))
		return 127;
	while (wait(NULL) > 0)
		;
	return 0;
}
