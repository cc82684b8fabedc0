// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waking the consumers of a descriptor: at once, from a worker, or when the
 * oldest record has waited for the delay.
 *
 * The timer is not moved for each record: when it fires, it looks at the age of
 * the oldest one and waits for the rest.  A consumer that keeps up finds it
 * running once a delay, and is never woken by it.
 *
 *   producer or consumer                   timer
 *      publish, or find, the oldest           leave the queue
 *   G  full barrier                        H  full barrier
 *      is the timer queued?                   is there an oldest record?
 *
 * G pairs with H: whoever has published or found the oldest record starts the
 * timer, or the timer sees the record when it fires.  An oldest record that is
 * still in flight then is its producer's to start the timer for.
 */

#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>

#include "wake.h"

static void wake_waiters(struct kmonitor *mon)
{
	if (wq_has_sleeper(&mon->wait))
		wake_up_interruptible_poll(&mon->wait, EPOLLIN | EPOLLRDNORM);
}

/* The signal may go to a group of many processes: not for others to pay. */
static void wake_deferred(struct work_struct *work)
{
	struct kmonitor *mon = container_of(work, struct kmonitor, wake);

	wake_waiters(mon);
	kill_fasync(&mon->fasync, SIGIO, POLL_IN);
}

static void wake_from_worker(struct kmonitor *mon)
{
	queue_work(system_unbound_wq, &mon->wake);
}

static void wake_now(struct kmonitor *mon)
{
	wake_waiters(mon);
	if (READ_ONCE(mon->fasync))
		wake_from_worker(mon);
}

/* The rest of the oldest record's delay; negative if there is no record. */
static s64 delay_left(const struct kmonitor *mon)
{
	u64 delay = mon->delay_ns;
	u64 time, age;

	if (!kmonitor_ring_oldest(&mon->ring, &time))
		return -1;
	age = ktime_get_boottime_ns() - time;
	return age < delay ? delay - age : 0;
}

static void start_timer(struct kmonitor *mon, u64 delay_ns)
{
	hrtimer_start(&mon->timer, ns_to_ktime(delay_ns),
		      HRTIMER_MODE_REL_SOFT);
}

static enum hrtimer_restart delay_expired(struct hrtimer *timer)
{
	struct kmonitor *mon = container_of(timer, struct kmonitor, timer);
	s64 left;

	/* H: pairs with G in kmonitor_wake_later() */
	smp_mb();
	left = delay_left(mon);
	if (left > 0) {
		start_timer(mon, left);
	} else if (!left) {
		kmonitor_ring_announce(&mon->ring);
		wake_now(mon);
	}
	return HRTIMER_NORESTART;
}

/**
 * kmonitor_wake - wake the consumers
 * @mon: The descriptor.
 * @defer: Whether to leave it to a worker: the timing of the task must not
 *	reveal that somebody waits, and the task must not pay for it.
 *
 * Context: Any but NMI; without @defer, where a task may be woken.
 */
void kmonitor_wake(struct kmonitor *mon, bool defer)
{
	if (defer)
		wake_from_worker(mon);
	else
		wake_now(mon);
}

/**
 * kmonitor_wake_later - have the records announced when the delay has expired
 * @mon: The descriptor.
 *
 * To be called when there are records and kmonitor_ring_ready() says no.
 *
 * Context: Any but NMI.
 */
void kmonitor_wake_later(struct kmonitor *mon)
{
	s64 left;

	/* G: pairs with H in delay_expired() */
	smp_mb();
	if (hrtimer_is_queued(&mon->timer))
		return;
	left = delay_left(mon);
	if (left >= 0)
		start_timer(mon, left);
}

/**
 * kmonitor_wake_as_owed - wake the consumers now, later or not at all
 * @mon: The descriptor.
 * @wakeup: What the append said.
 * @defer: As of kmonitor_wake().
 *
 * Context: As of kmonitor_wake().
 */
void kmonitor_wake_as_owed(struct kmonitor *mon, enum kmonitor_wakeup wakeup,
			   bool defer)
{
	if (wakeup == KMONITOR_WAKEUP_NOW)
		kmonitor_wake(mon, defer);
	else if (wakeup == KMONITOR_WAKEUP_DELAYED)
		kmonitor_wake_later(mon);
}

/* Prepares a descriptor that nobody has yet. */
void kmonitor_wake_init(struct kmonitor *mon, u32 delay_us)
{
	mon->delay_ns = (u64)delay_us * NSEC_PER_USEC;
	init_waitqueue_head(&mon->wait);
	INIT_WORK(&mon->wake, wake_deferred);
	hrtimer_init(&mon->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	mon->timer.function = delay_expired;
}

/* Waits for the last wake-up of a descriptor that nobody has any more. */
void kmonitor_wake_stop(struct kmonitor *mon)
{
	hrtimer_cancel(&mon->timer);
	cancel_work_sync(&mon->wake);
}
