// SPDX-License-Identifier: GPL-2.0-only
/*
 * record FILE CMD [ARG...]: runs the command and writes what the whole machine
 * did meanwhile as lines:
 *
 *   fork PID TGID FORKER PARENT CLONE_FLAGS
 *   exec PID OLD_PID COMM
 *   exit PID STATUS COMM
 *   lost COUNT
 *
 * Its status is that of the command, 127 if it can't do its work.
 */

#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

#define FAILED 127

static void write_record(FILE *out, const struct kmonitor_event *event)
{
	switch (event->type) {
	case KMONITOR_PROCESS_FORK:
	case KMONITOR_THREAD_CREATE:
		fprintf(out, "fork %d %d %d %d %llu\n", event->fork.pid,
			event->fork.tgid, event->pid, event->fork.ppid,
			(unsigned long long)event->fork.clone_flags);
		break;
	case KMONITOR_PROCESS_EXEC:
		fprintf(out, "exec %d %d %s\n", event->pid, event->exec.old_pid,
			event->comm);
		break;
	case KMONITOR_PROCESS_EXIT:
		fprintf(out, "exit %d %d %s\n", event->pid, event->exit.status,
			event->comm);
		break;
	case KMONITOR_LOST:
		fprintf(out, "lost %llu\n",
			(unsigned long long)event->lost.count);
		break;
	}
}

/* Writes what there is; true once the command's end is among it. */
static bool drain(int fd, FILE *out, pid_t command)
{
	struct kmonitor_event event[64];
	bool ended = false;
	ssize_t len;

	while ((len = read(fd, event, sizeof(event))) > 0) {
		for (size_t i = 0; i < len / sizeof(*event); i++) {
			write_record(out, &event[i]);
			ended |= event[i].type == KMONITOR_PROCESS_EXIT &&
				 event[i].pid == command;
		}
	}
	return ended;
}

int main(int argc, char **argv)
{
	struct kmonitor_attr attr = { .ring_records = 65536 };
	struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_ALL,
		.events = KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE |
			  KMONITOR_PROCESS_EXEC | KMONITOR_PROCESS_EXIT,
	};
	struct pollfd pollfd = { .events = POLLIN };
	pid_t command;
	FILE *out;
	int status;

	if (argc < 3)
		errx(FAILED, "usage: record FILE CMD [ARG...]");
	out = fopen(argv[1], "we");
	if (!out)
		err(FAILED, "%s", argv[1]);
	pollfd.fd = syscall(__NR_kmonitor_init, &attr, sizeof(attr),
			    KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	if (pollfd.fd < 0 || ioctl(pollfd.fd, KMONITOR_IOC_FILTER_ADD, &filter))
		err(FAILED, "kmonitor");
	command = fork();
	if (!command) {
		execvp(argv[2], argv + 2);
		err(FAILED, "%s", argv[2]);
	}
	if (command < 0)
		err(FAILED, "fork");
	while (!drain(pollfd.fd, out, command)) {
		if (poll(&pollfd, 1, -1) < 0)
			err(FAILED, "poll");
	}
	if (waitpid(command, &status, 0) != command || fclose(out))
		err(FAILED, "%s", argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}
