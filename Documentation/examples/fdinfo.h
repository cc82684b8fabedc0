/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live filters of a descriptor that was inherited or passed on, from
 * /proc/self/fdinfo.
 */
#ifndef FDINFO_H
#define FDINFO_H

#include <inttypes.h>
#include <stdio.h>

#include <linux/kmonitor.h>

/* A line entry: @filter as it was added, its id a pid even if that was a pidfd. */
struct fdinfo_entry {
	struct kmonitor_filter filter;
	uint64_t start_ns;
};

/* Gives NULL and sets errno if there is no such file. */
static inline FILE *fdinfo_open(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return fopen(path, "re");
}

/* Gives 0 if there is no other filter. */
static inline int fdinfo_next(FILE *file, struct fdinfo_entry *entry)
{
	uint64_t handle, id, start_ns, cookie;
	uint32_t target, events, flags;
	char line[512];

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line,
			   "entry: handle=%" SCNu64 " target=%" SCNu32
			   " id=%" SCNu64 " start_ns=%" SCNu64
			   " events=%" SCNx32 " flags=%" SCNx32
			   " cookie=%" SCNx64,
			   &handle, &target, &id, &start_ns, &events, &flags,
			   &cookie) != 7)
			continue;
		*entry = (struct fdinfo_entry){
			.filter = { .target = target,
				    .flags = flags,
				    .id = id,
				    .events = events,
				    .cookie = cookie,
				    .handle = handle },
			.start_ns = start_ns,
		};
		return 1;
	}
	return 0;
}

#endif /* FDINFO_H */
