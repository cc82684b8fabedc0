// SPDX-License-Identifier: GPL-2.0-only
/* Shows which processes of a user fail: filter UID. */

#include <stdio.h>
#include <stdlib.h>

#include <kmon.h>

int main(int argc, char **argv)
{
	struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_UID,
		.flags = KMONITOR_FILTER_FAILED_ONLY,
		.events = KMONITOR_PROCESS_EXIT,
	};
	int fd = kmon_open(NULL, KMONITOR_CLOEXEC);
	struct kmonitor_event event;
	char text[64];
	int ret;

	if (argc < 2 || fd < 0)
		return 1;
	filter.id = strtoul(argv[1], NULL, 10);
	ret = kmon_filter_add(fd, &filter);
	if (ret) {
		fprintf(stderr, "%s: %s\n", argv[1],
			kmon_filter_strerror(&filter, ret));
		return 1;
	}
	while (kmon_read(fd, &event, 1) == 1) {
		if (event.type != KMONITOR_PROCESS_EXIT)
			continue;
		kmon_format_status(event.exit.status, text, sizeof(text));
		printf("%d: %s\n", event.tgid, text);
	}
	return 0;
}
