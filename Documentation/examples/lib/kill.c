// SPDX-License-Identifier: GPL-2.0-only
/* Ends a process and all its descendants, whatever they do: kill PID. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kmon.h>

int main(int argc, char **argv)
{
	struct kmonitor_filter tree = { .target = KMONITOR_TARGET_TREE };
	struct kmonitor_kill kill = { .signo = SIGKILL };
	int fd = kmon_open(NULL, KMONITOR_CLOEXEC);
	struct kmonitor_event e;

	if (argc < 2 || fd < 0)
		return 1;
	tree.id = atoi(argv[1]);
	if (kmon_filter_add(fd, &tree))
		return 1;
	kill.handle = tree.handle;
	if (kmon_kill(fd, &kill))
		return 1;
	printf("%u killed, %u may not be\n", kill.signalled, kill.refused);
	if (kill.refused)
		return 1;
	/* None of them is left, and nothing that they held. */
	while (kmon_read(fd, &e, 1) == 1 && e.type != KMONITOR_EMPTY)
		;
	close(fd);
	return 0;
}
