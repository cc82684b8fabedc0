// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is notified by a signal, as by the first kmonitor: sigmonitor COMMAND [ARG...]
 *
 * Runs the command and shows what its processes do.  The descriptor sends
 * SIGRTMIN when records come to where there were none; a signal says that there
 * is something to read, not how much.
 *
 *	sigmonitor sh -c 'date; date'
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

/* A descriptor that sends @signo to this process. */
static int open_monitor(int signo)
{
	int fd = syscall(__NR_kmonitor_init, NULL, 0,
			 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);

	if (fd < 0 || fcntl(fd, F_SETOWN, getpid()) ||
	    fcntl(fd, F_SETSIG, signo) ||
	    fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK))
		return -1;
	return fd;
}

/* Joins a tree by itself, before it becomes the command. */
static pid_t start(int fd, char **argv, const sigset_t *mask)
{
	struct kmonitor_filter tree = {
		.target = KMONITOR_TARGET_TREE,
		.events = KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXIT,
	};
	pid_t pid = fork();

	if (pid)
		return pid;
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (!ioctl(fd, KMONITOR_IOC_FILTER_ADD, &tree))
		execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static void show(const struct kmonitor_event *e)
{
	if (e->type == KMONITOR_PROCESS_FORK)
		printf("%d started %d\n", e->tgid, e->fork.tgid);
	else if (e->type == KMONITOR_PROCESS_EXIT)
		printf("%d ended with status %#x\n", e->tgid, e->exit.status);
	else if (e->type == KMONITOR_LOST)
		printf("some records were lost\n");
	else if (e->type == KMONITOR_EMPTY)
		printf("%u processes, all ended\n", e->empty.members);
}

/* Reads all, or there would be no other signal; gives 1 after the last. */
static int drain(int fd)
{
	struct kmonitor_event e = {};

	while (read(fd, &e, sizeof(e)) == sizeof(e)) {
		show(&e);
		if (e.type == KMONITOR_EMPTY)
			return 1;
	}
	return errno == EAGAIN ? 0 : -1;
}

int main(int argc, char **argv)
{
	sigset_t set, mask;
	int fd, ended = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: sigmonitor COMMAND [ARG...]\n");
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	/* When the queue of real-time signals is full, SIGIO comes instead. */
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, &mask);
	fd = open_monitor(SIGRTMIN);
	if (fd < 0 || start(fd, argv + 1, &mask) < 0) {
		perror("kmonitor");
		return 1;
	}
	while (!ended) {
		if (sigwaitinfo(&set, NULL) > 0)
			ended = drain(fd);
	}
	wait(NULL);
	return ended < 0;
}
