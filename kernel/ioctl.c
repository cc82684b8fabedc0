// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a descriptor.
 */

#include <linux/fs.h>
#include <linux/uaccess.h>

#include "fd.h"
#include "kill.h"
#include "pidfd.h"
#include "snapshot.h"

#define IOCTLS                                      \
	(1U << _IOC_NR(KMONITOR_IOC_FILTER_ADD) |   \
	 1U << _IOC_NR(KMONITOR_IOC_FILTER_DEL) |   \
	 1U << _IOC_NR(KMONITOR_IOC_FILTER_CLEAR) | \
	 1U << _IOC_NR(KMONITOR_IOC_SNAPSHOT) |     \
	 1U << _IOC_NR(KMONITOR_IOC_KILL) |         \
	 1U << _IOC_NR(KMONITOR_IOC_GET_PIDFD) |    \
	 1U << _IOC_NR(KMONITOR_IOC_INFO) | 1U << _IOC_NR(KMONITOR_IOC_STATS))

/* What this kernel doesn't know must be zero. */
static int copy_in(void *to, size_t to_size, const void __user *from,
		   size_t from_size)
{
	if (from_size < to_size)
		return -EINVAL;
	if (from_size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, to_size, from, from_size);
}

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
	int ret = copy_in(&arg, sizeof(arg), uarg, _IOC_SIZE(cmd));

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

static long take_snapshot(struct kmonitor *mon, const void __user *uarg,
			  size_t size)
{
	struct kmonitor_snapshot arg;
	int ret = copy_in(&arg, sizeof(arg), uarg, size);

	return ret ?: kmonitor_snapshot(mon, &arg);
}

/* The counts are always told; nothing is sent if they can't be. */
static long send_signal(struct kmonitor *mon, void __user *uarg, size_t size)
{
	struct kmonitor_kill arg;
	int ret = copy_in(&arg, sizeof(arg), uarg, size);

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

static long get_pidfd(struct kmonitor *mon, const void __user *uarg,
		      size_t size)
{
	struct kmonitor_get_pidfd arg;
	int ret = copy_in(&arg, sizeof(arg), uarg, size);

	return ret ?: kmonitor_pidfd_open(&mon->filters.creator, &arg);
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

	kmonitor_mmap_info(&mon->ring, &info);
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
		return take_snapshot(mon, uarg, _IOC_SIZE(cmd));
	case _IOC_NR(KMONITOR_IOC_KILL):
		return send_signal(mon, uarg, _IOC_SIZE(cmd));
	case _IOC_NR(KMONITOR_IOC_GET_PIDFD):
		return get_pidfd(mon, uarg, _IOC_SIZE(cmd));
	default:
		return -ENOTTY;
	}
}
