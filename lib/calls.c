// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The system call and the calls on its descriptor.
 */

#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kmon.h"

#ifndef SYS_kmonitor_init
#define SYS_kmonitor_init 500
#endif

int kmon_open(const struct kmonitor_attr *attr, unsigned int flags)
{
	long fd = syscall(SYS_kmonitor_init, attr, attr ? sizeof(*attr) : 0UL,
			  flags);

	return fd < 0 ? -errno : (int)fd;
}

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

int kmon_filter_add(int fd, struct kmonitor_filter *filter)
{
	return call(fd, KMONITOR_IOC_FILTER_ADD, filter);
}

int kmon_filter_del(int fd, const struct kmonitor_filter *filter)
{
	struct kmonitor_filter copy = *filter;

	return call(fd, KMONITOR_IOC_FILTER_DEL, &copy);
}

int kmon_filter_clear(int fd)
{
	return call(fd, KMONITOR_IOC_FILTER_CLEAR, NULL);
}

int kmon_info(int fd, struct kmonitor_info *info)
{
	return call(fd, KMONITOR_IOC_INFO, info);
}

int kmon_stats(int fd, struct kmonitor_stats *stats)
{
	return call(fd, KMONITOR_IOC_STATS, stats);
}

int kmon_snapshot(int fd, const struct kmonitor_snapshot *snapshot)
{
	struct kmonitor_snapshot copy = *snapshot;
	int ret = ioctl(fd, KMONITOR_IOC_SNAPSHOT, &copy);

	return ret < 0 ? -errno : ret;
}

int kmon_kill(int fd, struct kmonitor_kill *kill)
{
	return call(fd, KMONITOR_IOC_KILL, kill);
}

int kmon_pidfd(int fd, int32_t tgid, uint64_t start_ns)
{
	struct kmonitor_get_pidfd arg = { .tgid = tgid, .start_ns = start_ns };
	int ret = ioctl(fd, KMONITOR_IOC_GET_PIDFD, &arg);

	return ret < 0 ? -errno : ret;
}

int kmon_read(int fd, struct kmonitor_event *events, unsigned int n)
{
	ssize_t done;

	if (n > INT_MAX / sizeof(*events))
		n = INT_MAX / sizeof(*events);
	done = read(fd, events, n * sizeof(*events));
	return done < 0 ? -errno : (int)(done / (ssize_t)sizeof(*events));
}
