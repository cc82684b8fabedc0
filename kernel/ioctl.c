// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a descriptor.
 */

#include <linux/fs.h>
#include <linux/uaccess.h>

#include "fd.h"

#define IOCTLS                                      \
	(1U << _IOC_NR(KMONITOR_IOC_FILTER_ADD) |   \
	 1U << _IOC_NR(KMONITOR_IOC_FILTER_DEL) |   \
	 1U << _IOC_NR(KMONITOR_IOC_FILTER_CLEAR) | \
	 1U << _IOC_NR(KMONITOR_IOC_INFO) | 1U << _IOC_NR(KMONITOR_IOC_STATS))

static long filter_add(struct kmonitor *mon, struct kmonitor_filter *arg,
		       struct kmonitor_filter __user *uarg)
{
	bool created;
	int ret;

	/* Find out before anything is done whether the handle can be told. */
	if (put_user(arg->handle, &uarg->handle))
		return -EFAULT;
	ret = kmonitor_filter_add(&mon->filters, arg, &created);
	if (ret)
		return ret;
	if (put_user(arg->handle, &uarg->handle)) {
		if (created)
			kmonitor_filter_del(&mon->filters, arg);
		return -EFAULT;
	}
	return 0;
}

static long filter_edit(struct kmonitor *mon, unsigned int cmd,
			struct kmonitor_filter __user *uarg)
{
	struct kmonitor_filter arg;
	size_t size = _IOC_SIZE(cmd);
	int ret;

	if (size < sizeof(arg))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&arg, sizeof(arg), uarg, size);
	if (ret)
		return ret;
	if (_IOC_NR(cmd) == _IOC_NR(KMONITOR_IOC_FILTER_DEL))
		return kmonitor_filter_del(&mon->filters, &arg);
	return filter_add(mon, &arg, uarg);
}

/* The smaller size is copied, the rest of a larger one is zeroed. */
static long copy_out(void __user *to, size_t to_size, const void *from,
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

static long show_info(struct kmonitor *mon, void __user *to, size_t size)
{
	struct kmonitor_info info = {
		.events = KMONITOR_EVENTS,
		.stream_events = KMONITOR_STREAM_EVENTS,
		.targets = KMONITOR_TARGETS,
		.filter_flags = KMONITOR_FILTER_FLAGS,
		.init_flags = KMONITOR_CLOEXEC | KMONITOR_NONBLOCK,
		.ioctls = IOCTLS,
		.record_size = sizeof(struct kmonitor_event),
		.ring_records = mon->ring.size,
	};

	return copy_out(to, size, &info, sizeof(info));
}

static long show_stats(struct kmonitor *mon, void __user *to, size_t size)
{
	struct kmonitor_stats stats = {
		.filters = kmonitor_filter_count(&mon->filters),
	};

	kmonitor_ring_stats(&mon->ring, &stats);
	return copy_out(to, size, &stats, sizeof(stats));
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
		return filter_edit(mon, cmd, uarg);
	case _IOC_NR(KMONITOR_IOC_FILTER_CLEAR):
		return arg ? -EINVAL : kmonitor_filter_clear(&mon->filters);
	case _IOC_NR(KMONITOR_IOC_INFO):
		return show_info(mon, uarg, _IOC_SIZE(cmd));
	case _IOC_NR(KMONITOR_IOC_STATS):
		return show_stats(mon, uarg, _IOC_SIZE(cmd));
	case _IOC_NR(KMONITOR_IOC_SNAPSHOT):
	case _IOC_NR(KMONITOR_IOC_KILL):
	case _IOC_NR(KMONITOR_IOC_GET_PIDFD):
		return -EOPNOTSUPP;
	default:
		return -ENOTTY;
	}
}
