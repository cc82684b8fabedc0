// SPDX-License-Identifier: GPL-2.0-only
/*
 * odd_life sibling: has a child that is its parent's, not its own, and that
 *		     sleeps; ends with status 4.
 * odd_life vfork:   has a child that sleeps before it has run or ended, so that
 *		     no signal but a deadly one gets through.
 * odd_life zombies: has 50 children, each second one of which fails, reaps none
 *		     of them, and ends with status 5 when all have ended.
 * odd_life status N: ends with this status, whatever its size.
 * odd_life ignore SIGNAL CMD [ARG...]: runs it with the signal ignored.
 */

#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ZOMBIES 50

static void sleep_on(void)
{
	for (;;)
		pause();
}

static int have_sibling(void)
{
	long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL,
			     NULL, NULL);

	if (child < 0)
		err(127, "clone");
	if (!child)
		sleep_on();
	return 4;
}

static int have_zombies(void)
{
	siginfo_t info;

	for (int i = 0; i < ZOMBIES; i++) {
		pid_t child = fork();

		if (child < 0)
			err(127, "fork");
		if (!child)
			_exit(i % 2);
		if (waitid(P_PID, child, &info, WEXITED | WNOWAIT))
			err(127, "waitid");
	}
	return 5;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";

	if (!strcmp(kind, "sibling"))
		return have_sibling();
	if (!strcmp(kind, "zombies"))
		return have_zombies();
	if (!strcmp(kind, "vfork")) {
		if (!vfork())
			sleep_on();
		return 0;
	}
	if (!strcmp(kind, "status") && argc == 3)
		syscall(SYS_exit_group, atoi(argv[2]));
	if (!strcmp(kind, "ignore") && argc > 3) {
		signal(atoi(argv[2]), SIG_IGN);
		execvp(argv[3], argv + 3);
	}
	errx(127, "%s: not a kind of life", kind);
}
