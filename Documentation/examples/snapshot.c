// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists all processes, then watches them come and go, with no gap between:
 * each process is seen as TASK or as the child of a FORK.
 */

#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

static void report(const struct kmonitor_event *e)
{
	unsigned long long count = e->lost.count;

	switch (e->type) {
	case KMONITOR_TASK:
		printf("%d is there: %.16s\n", e->tgid, e->comm);
		break;
	case KMONITOR_SNAPSHOT_END:
		printf("the list is complete\n");
		break;
	case KMONITOR_PROCESS_FORK:
		printf("%d was born of %d\n", e->fork.tgid, e->tgid);
		break;
	case KMONITOR_PROCESS_EXEC:
		printf("%d runs %.16s\n", e->tgid, e->comm);
		break;
	case KMONITOR_PROCESS_EXIT:
		printf("%d is gone\n", e->tgid);
		break;
	case KMONITOR_LOST:
		printf("%llu records lost: list again\n", count);
		break;
	}
}

/* Reads what is there. */
static void drain(int fd)
{
	struct kmonitor_event events[64];
	ssize_t len, i;

	do {
		len = read(fd, events, sizeof(events));
		for (i = 0; i < len / (ssize_t)sizeof(*events); i++)
			report(&events[i]);
	} while (len > 0);
	fflush(stdout);
}

int main(void)
{
	struct kmonitor_filter all = {
		.target = KMONITOR_TARGET_ALL,
		.events = KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXEC |
			  KMONITOR_PROCESS_EXIT,
	};
	struct kmonitor_snapshot snapshot = { .token = 1 };
	struct pollfd pfd = { .events = POLLIN };
	int more;

	pfd.fd = syscall(__NR_kmonitor_init, NULL, 0,
			 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	if (ioctl(pfd.fd, KMONITOR_IOC_FILTER_ADD, &all)) {
		perror("kmonitor");
		return 1;
	}
	do {
		more = ioctl(pfd.fd, KMONITOR_IOC_SNAPSHOT, &snapshot);
		drain(pfd.fd);
	} while (more > 0);
	if (more < 0) {
		perror("snapshot");
		return 1;
	}
	for (;;) {
		poll(&pfd, 1, -1);
		drain(pfd.fd);
	}
}
