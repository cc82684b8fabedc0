// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and polling a descriptor.
 */

#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/uio.h>

#include "fd.h"

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

ssize_t kmonitor_read_iter(struct kiocb *iocb, struct iov_iter *to)
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

__poll_t kmonitor_poll(struct file *file, poll_table *wait)
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
