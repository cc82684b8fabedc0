// SPDX-License-Identifier: GPL-2.0-only
/*
 * secret ID: becomes that user and group, not dumpable; has a child that ends
 * with 3, and ends with 4.
 */

#include <err.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const unsigned int id = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	pid_t child;

	if (!id)
		errx(1, "usage: secret ID");
	if (setresgid(id, id, id) || setresuid(id, id, id) ||
	    prctl(PR_SET_DUMPABLE, 0))
		err(1, "can't become %u", id);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child)
		_exit(3);
	wait(NULL);
	return 4;
}
