// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command, for SECONDS at most, then kills all that it started, in
 * whatever session that is by then, and reports the usage.
 */

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

/* Joins a tree of its own, then runs the command. */
static pid_t start(int fd, struct kmonitor_filter *tree, char **argv)
{
	int gate[2];
	pid_t pid;
	char c;

	if (pipe(gate))
		return -1;
	pid = fork();
	if (pid) {
		close(gate[0]);
		tree->id = pid;
		if (pid > 0 && ioctl(fd, KMONITOR_IOC_FILTER_ADD, tree))
			pid = -1;
		/* The command goes on when the gate is closed. */
		close(gate[1]);
		return pid;
	}
	close(gate[1]);
	if (read(gate[0], &c, 1) < 0)
		_exit(127);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static void end(int fd, uint64_t handle)
{
	struct kmonitor_kill kill = { .handle = handle, .signo = SIGKILL };

	if (ioctl(fd, KMONITOR_IOC_KILL, &kill))
		perror("kill");
	else
		printf("killed %u processes, could not kill %u\n",
		       kill.signalled, kill.refused);
}

int main(int argc, char **argv)
{
	struct kmonitor_filter tree = {
		.target = KMONITOR_TARGET_TREE,
		.flags = KMONITOR_FILTER_KILL_ON_CLOSE,
	};
	struct pollfd pfd = { .events = POLLIN };
	struct kmonitor_event event;

	if (argc < 3) {
		fprintf(stderr, "usage: %s SECONDS COMMAND [ARG...]\n",
			argv[0]);
		return 2;
	}
	pfd.fd = syscall(__NR_kmonitor_init, NULL, 0, KMONITOR_CLOEXEC);
	if (pfd.fd < 0 || start(pfd.fd, &tree, argv + 2) < 0) {
		perror("kmonitor");
		return 1;
	}
	/* A tree without events has one record: that it is empty. */
	if (!poll(&pfd, 1, atoi(argv[1]) * 1000))
		end(pfd.fd, tree.handle);
	if (read(pfd.fd, &event, sizeof(event)) != sizeof(event)) {
		perror("read");
		return 1;
	}
	printf("%u processes, %u failed\n", event.empty.members,
	       event.empty.failed);
	return event.empty.root_status ? 1 : 0;
}
