// SPDX-License-Identifier: GPL-2.0-only
/* A program outside of the tree, in C and in C++: uses the installed library. */

#include <kmon.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what)
{
	printf("%s\n", what);
	return 1;
}

/* Each part that needs another library is linked. */
static int uses_all(void)
{
	struct kmonitor_event event;
	struct kmon_container container;
	struct kmon_reader *reader;
	char line[KMON_LINE_MAX];

	memset(&event, 0, sizeof(event));
	event.type = KMONITOR_PROCESS_FORK;
	if (kmon_format_event(&event, kmon_wall_offset(), KMON_TEXT_ASCII, line,
			      sizeof(line)) <= 0)
		return fail("kmon_format_event");
	if (!kmon_json_event(&event, 0))
		return fail("kmon_json_event");
	if (kmon_cgroup_container("/a.slice/b.service", &container) ||
	    container.kind != KMON_CONTAINER_UNIT)
		return fail("kmon_cgroup_container");
	if (kmon_reader_new(-1, KMON_METHOD_MMAP, 0, &reader) >= 0)
		return fail("kmon_reader_new without a descriptor");
	return 0;
}

int main(void)
{
	const char *name = kmon_event_name(KMONITOR_PROCESS_FORK);
	int fd = kmon_open(NULL, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);

	if (!name || strcmp(name, "fork"))
		return fail("kmon_event_name");
	if (fd >= 0)
		close(fd);
	else if (fd == -ENOSYS &&
		 !strstr(kmon_open_strerror(fd), "this kernel has no kmonitor"))
		return fail(kmon_open_strerror(fd));
	return uses_all();
}
