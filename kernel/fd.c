// SPDX-License-Identifier: GPL-2.0-only
/*
 * The descriptor: its creation, its file operations, its ioctls.
 */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "fd.h"
#include "limits.h"

#define DEFAULT_RING_RECORDS 4096U
#define IOCTLS                                      \
	(1U << _IOC_NR(KMONITOR_IOC_FILTER_ADD) |   \
	 1U << _IOC_NR(KMONITOR_IOC_FILTER_DEL) |   \
	 1U << _IOC_NR(KMONITOR_IOC_FILTER_CLEAR) | \
	 1U << _IOC_NR(KMONITOR_IOC_INFO) | 1U << _IOC_NR(KMONITOR_IOC_STATS))

/*
 * Whether there is something to read.  What waits for room or for the ring to
 * be drained gets its place now.
 */
static bool ready(struct kmonitor *mon)
{
	if (kmonitor_ring_peek(&mon->ring))
		return true;
	kmonitor_flush_pending(mon);
	kmonitor_ring_report_loss(&mon->ring);
	return kmonitor_ring_peek(&mon->ring);
}

/* Copies whole records.  A record that can't be copied stays. */
static ssize_t drain(struct kmonitor *mon, struct iov_iter *to)
{
	const struct kmonitor_event *event;
	ssize_t done = 0;

	while (iov_iter_count(to) >= sizeof(*event) && ready(mon)) {
		event = kmonitor_ring_peek(&mon->ring);
		if (copy_to_iter(event, sizeof(*event), to) != sizeof(*event))
			return done ?: -EFAULT;
		kmonitor_ring_consume(&mon->ring);
		done += sizeof(*event);
	}
	if (done)
		kmonitor_flush_pending(mon);
	return done;
}

static ssize_t kmonitor_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct kmonitor *mon = iocb->ki_filp->private_data;
	bool nowait = iocb->ki_flags & IOCB_NOWAIT ||
		      iocb->ki_filp->f_flags & O_NONBLOCK;
	ssize_t ret;

	if (iov_iter_count(to) < sizeof(struct kmonitor_event))
		return -EINVAL;

	for (;;) {
		if (nowait) {
			if (!mutex_trylock(&mon->read_lock))
				return -EAGAIN;
		} else if (mutex_lock_interruptible(&mon->read_lock)) {
			return -ERESTARTSYS;
		}
		ret = drain(mon, to);
		mutex_unlock(&mon->read_lock);
		/* Who found the lock taken gets what is left. */
		if (ret > 0 && kmonitor_ring_peek(&mon->ring))
			wake_up_interruptible_poll(&mon->wait,
						   EPOLLIN | EPOLLRDNORM);
		if (ret)
			return ret;
		if (nowait)
			return -EAGAIN;
		ret = wait_event_interruptible(mon->wait, ready(mon));
		if (ret)
			return ret;
	}
}

static __poll_t kmonitor_poll(struct file *file, poll_table *wait)
{
	struct kmonitor *mon = file->private_data;

	poll_wait(file, &mon->wait, wait);
	/*
	 * Pairs with the barrier in the ring's wake_due(): the waker sees the
	 * waiter, or this sees the record.
	 */
	smp_mb();
	return ready(mon) ? EPOLLIN | EPOLLRDNORM : 0;
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

static long kmonitor_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
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

static void wake(struct irq_work *work)
{
	struct kmonitor *mon = container_of(work, struct kmonitor, wake);

	wake_up_interruptible_poll(&mon->wait, EPOLLIN | EPOLLRDNORM);
}

static struct workqueue_struct *free_queue;
static atomic_t nr_closed;

/*
 * Charges a descriptor to the calling user.  Closed ones count until they are
 * freed, which bounds their memory; a user at the limit waits for them, but
 * not for ever: others may be closing and opening meanwhile.
 */
static struct ucounts *charge(void)
{
	struct ucounts *ucounts = NULL;
	bool worth_it = true;

	for (int tries = 0; worth_it && tries < 16; tries++) {
		ucounts = kmonitor_charge_instance();
		if (ucounts)
			break;
		worth_it = tries == 0 || atomic_read(&nr_closed);
		if (worth_it) {
			rcu_barrier();
			flush_workqueue(free_queue);
		}
	}
	return ucounts;
}

static void free_kmonitor(struct kmonitor *mon)
{
	kmonitor_filters_destroy(&mon->filters);
	kmonitor_ring_destroy(&mon->ring);
	kmonitor_uncharge_instance(mon->ucounts);
	kfree(mon);
}

/* No hook has the descriptor any more; its last wake-up may be under way. */
static void free_work(struct work_struct *work)
{
	struct kmonitor *mon =
		container_of(to_rcu_work(work), struct kmonitor, free);

	irq_work_sync(&mon->wake);
	free_kmonitor(mon);
	atomic_dec(&nr_closed);
}

static int kmonitor_release(struct inode *inode, struct file *file)
{
	struct kmonitor *mon = file->private_data;

	kmonitor_filters_close(&mon->filters);
	kmonitor_hooks_put();
	atomic_inc(&nr_closed);
	queue_rcu_work(free_queue, &mon->free);
	return 0;
}

static const struct file_operations kmonitor_fops = {
	.owner = THIS_MODULE,
	.read_iter = kmonitor_read_iter,
	.poll = kmonitor_poll,
	.unlocked_ioctl = kmonitor_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = kmonitor_release,
};

static struct kmonitor *create(u32 ring_records)
{
	struct kmonitor *mon;
	int ret;

	mon = kzalloc(sizeof(*mon), GFP_KERNEL_ACCOUNT);
	if (!mon)
		return ERR_PTR(-ENOMEM);
	mon->ucounts = charge();
	if (!mon->ucounts) {
		ret = -EMFILE;
		goto err_free;
	}
	ret = kmonitor_ring_init(&mon->ring, ring_records);
	if (ret)
		goto err_uncharge;
	kmonitor_filters_init(&mon->filters);
	mutex_init(&mon->read_lock);
	init_waitqueue_head(&mon->wait);
	init_irq_work(&mon->wake, wake);
	INIT_RCU_WORK(&mon->free, free_work);
	return mon;

err_uncharge:
	kmonitor_uncharge_instance(mon->ucounts);
err_free:
	kfree(mon);
	return ERR_PTR(ret);
}

static int check(const struct kmonitor_attr *attr, unsigned int flags,
		 u32 *ring_records)
{
	u32 size = attr->ring_records ?:
			   min(DEFAULT_RING_RECORDS, kmonitor_max_ring_records);

	if (flags & ~(KMONITOR_CLOEXEC | KMONITOR_NONBLOCK) ||
	    attr->report & ~KMONITOR_REPORT_EXEC_ARGS || attr->reserved[0] ||
	    attr->reserved[1] || size > kmonitor_max_ring_records)
		return -EINVAL;
	size = roundup_pow_of_two(max(size, 2U));
	if (attr->wakeup_records > 1 &&
	    (attr->wakeup_records > size / 2 || !attr->wakeup_delay_us))
		return -EINVAL;
	if (attr->wakeup_records > 1 || attr->report)
		return -EOPNOTSUPP;
	*ring_records = size;
	return 0;
}

/**
 * kmonitor_fd_create - make a descriptor for the calling task
 * @attr: Its attributes.
 * @flags: Flags of kmonitor_init().
 *
 * Context: May sleep.
 * Return: The descriptor, or -EINVAL, -EOPNOTSUPP, -EMFILE, -ENFILE or
 *	-ENOMEM as in kmonitor_init(2).
 */
int kmonitor_fd_create(const struct kmonitor_attr *attr, unsigned int flags)
{
	struct kmonitor *mon;
	struct file *file;
	u32 ring_records;
	int fd, ret;

	ret = check(attr, flags, &ring_records);
	if (ret)
		return ret;
	fd = get_unused_fd_flags(flags & KMONITOR_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;
	mon = create(ring_records);
	if (IS_ERR(mon)) {
		ret = PTR_ERR(mon);
		goto err_fd;
	}
	file = anon_inode_getfile(
		"[kmonitor]", &kmonitor_fops, mon,
		O_RDWR | (flags & KMONITOR_NONBLOCK ? O_NONBLOCK : 0));
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_free;
	}
	file->f_mode |= FMODE_NOWAIT;
	stream_open(NULL, file);
	kmonitor_hooks_get();
	fd_install(fd, file);
	return fd;

err_free:
	free_kmonitor(mon);
err_fd:
	put_unused_fd(fd);
	return ret;
}

static int __init kmonitor_fd_init(void)
{
	free_queue = alloc_workqueue("kmonitor", WQ_UNBOUND, 0);
	return free_queue ? 0 : -ENOMEM;
}
fs_initcall(kmonitor_fd_init);
