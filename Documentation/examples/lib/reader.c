// SPDX-License-Identifier: GPL-2.0-only
/* Shows all that happens, from the mapped ring. */

#include <errno.h>
#include <stdio.h>

#include <kmon.h>

int main(void)
{
	struct kmonitor_filter all = {
		.target = KMONITOR_TARGET_ALL,
		.events = KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXIT,
	};
	int fd = kmon_open(NULL, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	const struct kmonitor_event *event;
	struct kmon_reader *reader;
	char line[KMON_LINE_MAX];
	int64_t offset;
	int ret;

	if (fd < 0 || kmon_filter_add(fd, &all) ||
	    kmon_reader_new(fd, KMON_METHOD_MMAP, 0, &reader))
		return 1;
	for (;;) {
		ret = kmon_reader_next(reader, &event);
		if (ret == 0) {
			ret = kmon_reader_wait(reader, -1);
			if (ret < 0 && ret != -EINTR)
				break;
			continue;
		}
		/* -EOVERFLOW: the record has the number of lost ones. */
		if (ret < 0 && ret != -EOVERFLOW)
			break;
		offset = kmon_wall_offset();
		kmon_format_event(event, offset, 0, line, sizeof(line));
		puts(line);
	}
	kmon_reader_free(reader);
	return 1;
}
