// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a descriptor.
 */

#include <linux/fs.h>
#include <linux/kmonitor.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <uapi/linux/kmonitor.h>

#include "copy.h"
#include "entry.h"
#include "filter.h"
#include "ioctl.h"
#include "kill.h"
#include "mmap.h"
#include "monitor.h"
#include "pidfd.h"
#include "ring.h"
#include "snapshot.h"

#define IOCTLS                                      \
	(1U << _IOC_NR(KMONITOR_IOC_FILTER_ADD) |   \
	 1U << _IOC_NR(KMONITOR_IOC_FILTER_DEL) |   \
	 1U << _IOC_NR(KMONITOR_IOC_FILTER_CLEAR) | \
	 1U << _IOC_NR(KMONITOR_IOC_SNAPSHOT) |     \
	 1U << _IOC_NR(KMONITOR_IOC_KILL) |         \
	 1U << _IOC_NR(KMONITOR_IOC_GET_PIDFD) |    \
	 1U << _IOC_NR(KMONITOR_IOC_INFO) | 1U << _IOC_NR(KMONITOR_IOC_STATS))

/*
 * The handle is written under the lock of the filters, where no page may be
 * faulted in: that is done before, as often as the page goes away again.
 */
static long ioctl_filter_add(struct kmonitor *mon,
			     const struct kmonitor_filter *arg,
			     struct kmonitor_filter __user *uarg)
{
	int ret;

	do {
		if (put_user(arg->handle, &uarg->handle))
			return -EFAULT;
		kmonitor_debug_window();
		ret = kmonitor_filter_add(&mon->filters, arg, &uarg->handle);
	} while (ret == -EFAULT && !signal_pending(current));
	/* After an error nothing has changed, as far as it can be written. */
	if (ret && put_user(arg->handle, &uarg->handle))
		return -EFAULT;
	return ret;
}

static long ioctl_filter_edit(struct kmonitor *mon, unsigned int cmd,
			      struct kmonitor_filter __user *uarg)
{
	struct kmonitor_filter arg;
	int ret = kmonitor_copy_in(&arg, sizeof(arg), uarg, _IOC_SIZE(cmd));

	if (ret)
		return ret;
	if (_IOC_NR(cmd) == _IOC_NR(KMONITOR_IOC_FILTER_DEL))
		return kmonitor_filter_del(&mon->filters, &arg);
	return ioctl_filter_add(mon, &arg, uarg);
}

/* Copies the smaller size and zeroes the rest of a larger buffer. */
static long copy_struct_out(void __user *to, size_t to_size, const void *from,
			    size_t from_size)
{
	size_t size = min(to_size, from_size);

	if (!to_size)
		return -EINVAL;
	if (copy_to_user(to, from, size) ||
	    clear_user(to + size, to_size - size))
		return -EFAULT;
	return 0;
}

static long ioctl_snapshot(struct kmonitor *mon, const void __user *uarg,
			   size_t size)
{
	struct kmonitor_snapshot arg;
	int ret = kmonitor_copy_in(&arg, sizeof(arg), uarg, size);

	return ret ?: kmonitor_snapshot(mon, &arg);
}

/* Sends nothing if the counts can't be written. */
static long ioctl_kill(struct kmonitor *mon, void __user *uarg, size_t size)
{
	struct kmonitor_kill arg;
	int ret = kmonitor_copy_in(&arg, sizeof(arg), uarg, size);

	if (ret)
		return ret;
	arg.signalled = 0;
	arg.refused = 0;
	if (copy_to_user(uarg, &arg, sizeof(arg)))
		return -EFAULT;
	ret = kmonitor_kill(&mon->filters, &arg);
	if (!ret && copy_to_user(uarg, &arg, sizeof(arg)))
		return -EFAULT;
	return ret;
}

static long ioctl_get_pidfd(struct kmonitor *mon, const void __user *uarg,
			    size_t size)
{
	struct kmonitor_get_pidfd arg;
	int ret = kmonitor_copy_in(&arg, sizeof(arg), uarg, size);

	return ret ?: kmonitor_pidfd_open(&mon->filters.creator, &arg);
}

static long ioctl_info(struct kmonitor *mon, void __user *to, size_t size)
{
	struct kmonitor_info info = {
		.events = KMONITOR_EVENTS,
		.stream_events = KMONITOR_STREAM_EVENTS,
		.targets = KMONITOR_TARGETS,
		.filter_flags = KMONITOR_FILTER_FLAGS,
		.init_flags = KMONITOR_CLOEXEC | KMONITOR_NONBLOCK,
		.report = KMONITOR_REPORT_EXEC_ARGS,
		.ioctls = IOCTLS,
		.record_size = sizeof(struct kmonitor_event),
		.ring_records = mon->ring.size,
	};

	kmonitor_mmap_info(&mon->ring, &info);
	return copy_struct_out(to, size, &info, sizeof(info));
}

static long ioctl_stats(struct kmonitor *mon, void __user *to, size_t size)
{
	struct kmonitor_stats stats = {
		.filters = kmonitor_filter_table_count(&mon->filters),
	};

	kmonitor_ring_stats(&mon->ring, &stats);
	return copy_struct_out(to, size, &stats, sizeof(stats));
}

long kmonitor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kmonitor *mon = file->private_data;
	void __user *uarg = (void __user *)arg;

	if (_IOC_TYPE(cmd) != KMONITOR_IOC_MAGIC)
		return -ENOTTY;

	switch (_IOC_NR(cmd)) {
	case _IOC_NR(KMONITOR_IOC_FILTER_ADD):
	case _IOC_NR(KMONITOR_IOC_FILTER_DEL):
		return ioctl_filter_edit(mon, cmd, uarg);
	case _IOC_NR(KMONITOR_IOC_FILTER_CLEAR):
		if (arg)
			return -EINVAL;
		kmonitor_filter_clear(&mon->filters);
		return 0;
	case _IOC_NR(KMONITOR_IOC_INFO):
		return ioctl_info(mon, uarg, _IOC_SIZE(cmd));
	case _IOC_NR(KMONITOR_IOC_STATS):
		return ioctl_stats(mon, uarg, _IOC_SIZE(cmd));
	case _IOC_NR(KMONITOR_IOC_SNAPSHOT):
		return ioctl_snapshot(mon, uarg, _IOC_SIZE(cmd));
	case _IOC_NR(KMONITOR_IOC_KILL):
		return ioctl_kill(mon, uarg, _IOC_SIZE(cmd));
	case _IOC_NR(KMONITOR_IOC_GET_PIDFD):
		return ioctl_get_pidfd(mon, uarg, _IOC_SIZE(cmd));
	default:
		return -ENOTTY;
	}
}
