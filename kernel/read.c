// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and polling a descriptor.
 */

#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "empty.h"
#include "monitor.h"
#include "read.h"
#include "ring.h"
#include "wake.h"

#define RECORD sizeof(struct kmonitor_event)

/*
 * What waits for room or for the ring to be drained gets its place now.
 * Whether anything waited.
 */
static bool flush(struct kmonitor *mon)
{
	if (list_empty(&mon->filters.pending) &&
	    !kmonitor_ring_loses(&mon->ring))
		return false;
	kmonitor_flush_pending(mon);
	kmonitor_ring_report_loss(&mon->ring);
	return true;
}

/* Whether a consumer is to be told.  If not, the delay is running. */
static bool ready(struct kmonitor *mon)
{
	if (kmonitor_ring_ready(&mon->ring) ||
	    (flush(mon) && kmonitor_ring_ready(&mon->ring)))
		return true;
	if (mon->ring.watermark > 1)
		kmonitor_wake_later(mon);
	return false;
}

/* Copies whole records.  A record that can't be copied stays. */
static ssize_t drain(struct kmonitor *mon, struct iov_iter *to)
{
	struct kmonitor_span span;
	ssize_t done = 0;
	size_t copied;
	u32 max;

	while ((max = iov_iter_count(to) / RECORD)) {
		if (!kmonitor_ring_peek(&mon->ring, max, &span)) {
			if (!flush(mon) ||
			    !kmonitor_ring_peek(&mon->ring, max, &span))
				break;
		}
		copied = copy_to_iter(span.record, span.nr * RECORD, to);
		if (unlikely(copied != span.nr * RECORD)) {
			span.nr = copied / RECORD;
			iov_iter_revert(to, copied % RECORD);
			if (!span.nr) {
				done = done ?: -EFAULT;
				break;
			}
		}
		if (kmonitor_ring_consume(&mon->ring, &span)) {
			done += span.nr * RECORD;
			if (span.last)
				break;
			continue;
		}
		/* Another consumer was faster, or plays with the tail. */
		iov_iter_revert(to, span.nr * RECORD);
		if (signal_pending(current))
			break;
		cond_resched();
	}
	if (done > 0)
		kmonitor_flush_pending(mon);
	return done;
}

/* Sleeps until there may be something to read, or a signal. */
static void wait(struct kmonitor *mon)
{
	DEFINE_WAIT(entry);

	prepare_to_wait(&mon->wait, &entry, TASK_INTERRUPTIBLE);
	if (!ready(mon) && !signal_pending(current))
		schedule();
	finish_wait(&mon->wait, &entry);
}

ssize_t kmonitor_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct kmonitor *mon = iocb->ki_filp->private_data;
	bool nowait = iocb->ki_flags & IOCB_NOWAIT ||
		      iocb->ki_filp->f_flags & O_NONBLOCK;
	ssize_t ret = 0;

	if (iov_iter_count(to) < RECORD)
		return -EINVAL;

	for (;;) {
		if (nowait || ready(mon))
			ret = drain(mon, to);
		/* What is left, or has come since the look, is for the next. */
		if (ret > 0 && ready(mon))
			kmonitor_wake(mon, false);
		if (ret)
			return ret;
		if (nowait)
			return -EAGAIN;
		if (signal_pending(current))
			return -ERESTARTSYS;
		cond_resched();
		wait(mon);
	}
}

__poll_t kmonitor_poll(struct file *file, poll_table *wait)
{
	struct kmonitor *mon = file->private_data;

	poll_wait(file, &mon->wait, wait);
	/*
	 * Pairs with barrier E of the producer, see ring.c: the waker sees the
	 * waiter, or this sees the record.
	 */
	smp_mb();
	return ready(mon) ? EPOLLIN | EPOLLRDNORM : 0;
}

int kmonitor_fasync(int fd, struct file *file, int on)
{
	struct kmonitor *mon = file->private_data;

	return fasync_helper(fd, file, on, &mon->fasync);
}
