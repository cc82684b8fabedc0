// SPDX-License-Identifier: GPL-2.0-only
/* Runs a command; then says how each of its processes ended. */

#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

int main(int argc, char **argv)
{
	/* Id 0 is the caller; its children will be members. */
	struct kmonitor_filter tree = {
		.target = KMONITOR_TARGET_TREE,
		.events = KMONITOR_PROCESS_EXIT,
	};
	int fd = syscall(__NR_kmonitor_init, NULL, 0,
			 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	struct kmonitor_event e;

	if (argc < 2 || ioctl(fd, KMONITOR_IOC_FILTER_ADD, &tree)) {
		perror("kmonitor");
		return 1;
	}
	if (!fork()) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	/* The record of an exit is there before wait() returns. */
	wait(NULL);
	while (read(fd, &e, sizeof(e)) == sizeof(e)) {
		unsigned long long cpu = e.exit.utime_ns + e.exit.stime_ns;

		if (e.type == KMONITOR_LOST)
			printf("and more: the ring was full\n");
		else
			printf("%d %s: status %#x, %llu us CPU\n", e.tgid,
			       e.comm, e.exit.status, cpu / 1000);
	}
	return 0;
}
