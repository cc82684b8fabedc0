// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command for a limited time, with all that it starts: tree SECONDS
 * COMMAND...  Reports each process that fails, and the end of the last.
 * If it is killed itself, so is the command.
 */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

/* The child waits at a gate until it is watched. */
static pid_t start(char **argv, int *gate)
{
	int ends[2];
	pid_t pid;
	char c;

	if (pipe(ends))
		return -1;
	pid = fork();
	if (!pid) {
		close(ends[1]);
		if (read(ends[0], &c, 1) == 1) {
			close(ends[0]);
			execvp(argv[0], argv);
		}
		_exit(127);
	}
	close(ends[0]);
	*gate = ends[1];
	return pid;
}

/* Returns whether the tree lives on. */
static int report(const struct kmonitor_event *e)
{
	unsigned long long lost = e->lost.count;

	switch (e->type) {
	case KMONITOR_PROCESS_EXIT:
		printf("process %d (%s): status %#x\n", e->tgid, e->comm,
		       e->exit.status);
		return 1;
	case KMONITOR_LOST:
		printf("%llu records lost\n", lost);
		return 1;
	case KMONITOR_EMPTY:
		printf("%u processes, %u failed\n", e->empty.members,
		       e->empty.failed);
		return 0;
	default:
		return 1;
	}
}

int main(int argc, char **argv)
{
	struct kmonitor_filter tree = {
		.target = KMONITOR_TARGET_TREE,
		.flags = KMONITOR_FILTER_FAILED_ONLY |
			 KMONITOR_FILTER_KILL_ON_CLOSE,
		.events = KMONITOR_PROCESS_EXIT,
	};
	struct kmonitor_kill kill = { .signo = SIGKILL };
	struct itimerspec limit = {};
	struct kmonitor_event events[64];
	struct pollfd pfd[2];
	int fd, timer, gate = -1, alive = 1;
	ssize_t len, i;

	if (argc < 3)
		return 2;
	limit.it_value.tv_sec = atoi(argv[1]);
	fd = syscall(__NR_kmonitor_init, NULL, 0, KMONITOR_CLOEXEC);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	tree.id = start(argv + 2, &gate);
	if (ioctl(fd, KMONITOR_IOC_FILTER_ADD, &tree) ||
	    timerfd_settime(timer, 0, &limit, NULL) ||
	    write(gate, "", 1) != 1) {
		perror("tree");
		return 1;
	}
	kill.handle = tree.handle;
	pfd[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	pfd[1] = (struct pollfd){ .fd = timer, .events = POLLIN };

	while (alive) {
		if (poll(pfd, 2, -1) < 0)
			continue;
		if (pfd[1].revents) {
			ioctl(fd, KMONITOR_IOC_KILL, &kill);
			printf("%u processes killed\n", kill.signalled);
			pfd[1].fd = -1;
		}
		if (!pfd[0].revents)
			continue;
		len = read(fd, events, sizeof(events));
		for (i = 0; i < len / (ssize_t)sizeof(*events); i++)
			alive = report(&events[i]);
	}
	return 0;
}
