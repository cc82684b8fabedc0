// SPDX-License-Identifier: GPL-2.0-only
/* Runs a command and counts the programs that it and its children run. */

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <kmon.h>

int main(int argc, char **argv)
{
	struct kmonitor_filter tree = { .events = KMONITOR_PROCESS_EXEC };
	struct kmon_command command = { .argv = argv + 1 };
	int fd = kmon_open(NULL, KMONITOR_CLOEXEC);
	unsigned int programs = 0;
	struct kmonitor_event e;
	pid_t pid;
	int ret;

	if (argc < 2 || fd < 0)
		return 1;
	command.file = argv[1];
	ret = kmon_spawn(fd, &tree, &command, &pid);
	if (ret) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	while (kmon_read(fd, &e, 1) == 1 && e.type != KMONITOR_EMPTY)
		programs += e.type == KMONITOR_PROCESS_EXEC;
	waitpid(pid, NULL, 0);
	printf("%u programs\n", programs);
	return 0;
}
