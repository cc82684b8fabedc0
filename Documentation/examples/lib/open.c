// SPDX-License-Identifier: GPL-2.0-only
/* Says what the kernel's kmonitor supports. */

#include <stdio.h>
#include <unistd.h>

#include <kmon.h>

int main(void)
{
	struct kmonitor_info info;
	int fd = kmon_open(NULL, KMONITOR_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "open: %s\n", kmon_open_strerror(fd));
		return 1;
	}
	if (kmon_info(fd, &info))
		return 1;
	printf("ring of %u records\n", info.ring_records);
	for (__u32 bit = 1; bit; bit <<= 1) {
		if (info.events & bit && kmon_event_name(bit))
			printf("%s\n", kmon_event_name(bit));
	}
	close(fd);
	return 0;
}
