// SPDX-License-Identifier: GPL-2.0-only
/*
 * service NAME DIR: a service with a daemon and many short-lived children.
 *
 * All its processes are called NAME.PID, with the pid of the first of them, and
 * hold the lock DIR/NAME.  It notes its start in DIR/log, and if it is not the
 * only one.  On SIGUSR1 it has 5000 children.
 */

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOD 5000

static volatile sig_atomic_t flood;

static void ask_for_flood(int signo)
{
	(void)signo;
	flood = 1;
}

/* The children have the lock, too: it is free when none is left. */
static int hold_lock(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);

	if (fd < 0)
		err(1, "%s", name);
	return flock(fd, LOCK_EX | LOCK_NB);
}

static void note(const char *what, const char *name)
{
	int fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || dprintf(fd, "%s %s %d\n", what, name, getpid()) < 0)
		err(1, "log");
	close(fd);
}

static void start_daemon(void)
{
	if (fork())
		return;
	setsid();
	if (fork())
		_exit(0);
	for (;;)
		pause();
}

/* Every other child leaves an orphan. */
static void have_child(int nr)
{
	pid_t child = fork();

	if (!child) {
		if (nr % 2 && !fork())
			usleep(1000);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	char comm[16];

	if (argc != 3 || chdir(argv[2]))
		errx(1, "usage: service NAME DIR");
	if (hold_lock(argv[1])) {
		note("twice", argv[1]);
		return 1;
	}
	snprintf(comm, sizeof(comm), "%s.%d", argv[1], getpid());
	prctl(PR_SET_NAME, comm);
	signal(SIGUSR1, ask_for_flood);
	note("start", argv[1]);
	start_daemon();
	for (int nr = 0;; nr++) {
		have_child(nr);
		usleep(20000);
		for (int i = 0; flood && i < FLOOD; i++)
			have_child(0);
		if (flood)
			note("flooded", argv[1]);
		flood = 0;
	}
}
