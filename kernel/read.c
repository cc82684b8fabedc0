// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and polling a descriptor.
 */

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>
#include <linux/uio.h>

#include "empty.h"
#include "monitor.h"
#include "read.h"
#include "ring.h"
#include "wake.h"

#define RECORD sizeof(struct kmonitor_event)

/* How long to wait for a record in flight: first busily, then asleep. */
#define IN_FLIGHT_SPINS 256
#define IN_FLIGHT_LIMIT_NS NSEC_PER_SEC

static bool spin_while_in_flight(const struct kmonitor *mon)
{
	for (int i = 0; i < IN_FLIGHT_SPINS; i++) {
		if (!kmonitor_ring_in_flight(&mon->ring))
			return true;
		cpu_relax();
	}
	return false;
}

/*
 * A record in flight hides those behind it.  Wait for it, so that an event that
 * the caller has seen by other means, such as wait(2), can be read.  Its
 * producer has preemption off: it is late only if an interrupt, or the host of
 * a virtual machine, holds it up.  The limit is for one that has crashed.
 * Returns false after a signal or at the limit.
 */
static bool wait_while_in_flight(const struct kmonitor *mon)
{
	u64 begin;

	if (spin_while_in_flight(mon))
		return true;
	begin = ktime_get_ns();
	while (kmonitor_ring_in_flight(&mon->ring)) {
		if (signal_pending(current) ||
		    ktime_get_ns() - begin > IN_FLIGHT_LIMIT_NS)
			return false;
		usleep_range_state(20, 200, TASK_INTERRUPTIBLE);
	}
	return true;
}

/*
 * Gives what waits for room, or for the ring to be drained, its place.
 * Returns whether anything waited.
 */
static bool flush_waiting(struct kmonitor *mon)
{
	if (list_empty(&mon->filters.pending) &&
	    !kmonitor_ring_has_pending_loss(&mon->ring))
		return false;
	kmonitor_flush_pending(mon);
	kmonitor_ring_report_loss(&mon->ring);
	return true;
}

/* Looks whether a consumer is to be woken.  If not, the delay is running. */
static enum kmonitor_readiness look_for_records(struct kmonitor *mon)
{
	enum kmonitor_readiness readiness = kmonitor_ring_readiness(&mon->ring);

	if (readiness == KMONITOR_NOT_READY && flush_waiting(mon))
		readiness = kmonitor_ring_readiness(&mon->ring);
	if (readiness == KMONITOR_NOT_READY && mon->ring.watermark > 1)
		kmonitor_wake_later(mon);
	return readiness;
}

/* Finds records, also those that wait for the ring to be drained. */
static bool find_records(struct kmonitor *mon, u32 max,
			 struct kmonitor_span *span)
{
	return kmonitor_ring_peek(&mon->ring, max, span) ||
	       (flush_waiting(mon) &&
		kmonitor_ring_peek(&mon->ring, max, span));
}

/* Copies whole records.  A record that can't be copied stays. */
static ssize_t drain_ring(struct kmonitor *mon, struct iov_iter *to)
{
	struct kmonitor_span span;
	ssize_t done = 0;
	size_t copied;
	u32 max;

	while ((max = iov_iter_count(to) / RECORD)) {
		if (!find_records(mon, max, &span))
			break;
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
static void sleep_until_woken(struct kmonitor *mon)
{
	DEFINE_WAIT(entry);

	/* Its full barrier is F, see ring.c. */
	prepare_to_wait(&mon->wait, &entry, TASK_INTERRUPTIBLE);
	if (look_for_records(mon) != KMONITOR_READY && !signal_pending(current))
		schedule();
	finish_wait(&mon->wait, &entry);
}

/*
 * What is left, or has come since the look, is for the next consumer; with a
 * watermark, for the timer.  One that comes now sees it itself, behind its F.
 */
static void wake_next(struct kmonitor *mon)
{
	/* kmonitor_ring_consume() has the full barrier. */
	bool waits = waitqueue_active(&mon->wait);

	if ((waits || mon->ring.watermark > 1 || READ_ONCE(mon->fasync)) &&
	    look_for_records(mon) == KMONITOR_READY)
		kmonitor_wake(mon, false);
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
		if (nowait || look_for_records(mon) == KMONITOR_READY)
			ret = drain_ring(mon, to);
		/* Another consumer may take the record that has come. */
		while (!ret && nowait &&
		       !kmonitor_ring_is_drained(&mon->ring) &&
		       wait_while_in_flight(mon))
			ret = drain_ring(mon, to);
		if (ret > 0)
			wake_next(mon);
		if (ret)
			return ret;
		if (nowait)
			return -EAGAIN;
		if (signal_pending(current))
			return -ERESTARTSYS;
		cond_resched();
		sleep_until_woken(mon);
	}
}

__poll_t kmonitor_poll(struct file *file, poll_table *wait)
{
	struct kmonitor *mon = file->private_data;
	enum kmonitor_readiness readiness;

	poll_wait(file, &mon->wait, wait);
	/* F: pairs with E of the producer, see ring.c */
	smp_mb();
	readiness = look_for_records(mon);
	if (readiness == KMONITOR_IN_FLIGHT) {
		wait_while_in_flight(mon);
		readiness = look_for_records(mon);
	}
	return readiness == KMONITOR_READY ? EPOLLIN | EPOLLRDNORM : 0;
}

int kmonitor_fasync(int fd, struct file *file, int on)
{
	struct kmonitor *mon = file->private_data;

	return fasync_helper(fd, file, on, &mon->fasync);
}
