// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring of records: reserve, publish, consume, and account for loss.
 *
 * One 64-bit word decides everything by one compare-and-exchange:
 *
 *   bits 0-31   position of the next slot to reserve
 *   bits 32-62  records dropped since the last LOST record
 *   bit  63     more such losses are counted in ring->spilled
 *
 * Ring full: loss + 1.  Otherwise position + 1; or, with a loss pending,
 * position + 2 and the loss cleared: the first slot is for the LOST record.
 * The winner of the exchange is unique, so count and place are exact.
 *
 * Barriers:
 *
 *   producer                               consumer
 *   A  load-acquire tail                   D  store-release tail + 1
 *      compare-and-exchange state             (done with the slot)
 *      fill the slot
 *   B  store-release slot.seq              C  load-acquire slot.seq
 *                                             read the slot
 *   E  full barrier                        F  full barrier
 *      load tail: mine? wake                  look at slot.seq: sleep?
 *
 * A pairs with D: a slot is filled again only after the consumer left it.
 * B pairs with C: a slot is read only when it is whole.  E pairs with F: the
 * producer sees that the consumer has caught up, or the consumer sees the
 * record.  For a loss, the exchange itself is E: the producer sees that tail
 * has moved since A, or the consumer sees the loss.
 *
 * The low half of a slot's seq is its stamp: position + 1.  A stale stamp
 * means that the slot is not ready, so there is no shared head to publish.
 * Preemption is off from reservation to publication: nobody waits for a
 * producer that doesn't run.
 */

#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "limits.h"
#include "ring.h"

#define LOSS_SHIFT 32
#define LOSS_ONE BIT_ULL(LOSS_SHIFT)
#define LOSS_MAX 0x7fffffffULL
#define SPILLED BIT_ULL(63)

static u64 loss_of(u64 state)
{
	return (state & ~SPILLED) >> LOSS_SHIFT;
}

/* A reservation: the first of nr slots, and the loss to report in it. */
struct reservation {
	u32 position;
	u32 tail;
	u32 nr;
	u64 loss;
};

/* Moves a full loss count aside.  The caller holds spill_lock. */
static void spill(struct kmonitor_ring *ring)
{
	u64 old = atomic64_read(&ring->state);

	while (loss_of(old) == LOSS_MAX) {
		if (atomic64_try_cmpxchg(&ring->state, &old,
					 (u32)old | SPILLED)) {
			ring->spilled += LOSS_MAX;
			return;
		}
	}
}

/*
 * Decides on one record.  Returns false if the loss count must be moved or a
 * moved one reported: a word with the spilled bit changes only under
 * spill_lock, so that the bit and the counter behind it stay together.
 */
static bool try_reserve(struct kmonitor_ring *ring, bool count_loss,
			bool locked, struct reservation *r)
{
	u64 old = atomic64_read(&ring->state);
	u64 new, now;
	u32 used;

	do {
		if (!locked && (old & SPILLED || loss_of(old) == LOSS_MAX))
			return false;
		r->position = old;
		r->loss = loss_of(old);
		r->nr = old >> LOSS_SHIFT ? 2 : 1;
		/* A: pairs with the release in kmonitor_ring_consume() */
		r->tail = smp_load_acquire(ring->tail);
		used = r->position - r->tail;
		if (used <= ring->size && ring->size - used >= r->nr) {
			new = (u32)(r->position + r->nr);
		} else if (count_loss) {
			new = old + LOSS_ONE;
			r->nr = 0;
		} else {
			r->nr = 0;
			return true;
		}
	} while (!atomic64_try_cmpxchg(&ring->state, &old, new));

	if (!r->nr) {
		now = ktime_get_boottime_ns();
		if (!(old >> LOSS_SHIFT))
			WRITE_ONCE(ring->first_loss_ns, now);
		WRITE_ONCE(ring->last_loss_ns, now);
		return true;
	}
	if (old & SPILLED) {
		r->loss += ring->spilled;
		ring->spilled = 0;
	}
	if (used + r->nr > READ_ONCE(ring->peak))
		WRITE_ONCE(ring->peak, used + r->nr);
	return true;
}

static void reserve(struct kmonitor_ring *ring, bool count_loss,
		    struct reservation *r)
{
	unsigned long flags;

	if (likely(try_reserve(ring, count_loss, false, r)))
		return;
	raw_spin_lock_irqsave(&ring->spill_lock, flags);
	spill(ring);
	try_reserve(ring, count_loss, true, r);
	raw_spin_unlock_irqrestore(&ring->spill_lock, flags);
}

static struct kmonitor_event *slot_at(struct kmonitor_ring *ring, u32 position)
{
	return &ring->slots[position & (ring->size - 1)];
}

/*
 * Makes a slot readable.  Positions have 32 bits, sequence numbers 64: the
 * upper half comes from ring->recent, which is at most a lap away.
 */
static void publish(struct kmonitor_ring *ring, u32 position)
{
	u64 recent = READ_ONCE(ring->recent);
	u64 full = recent + (s32)(position - (u32)recent);

	if (!(position & (ring->size - 1)))
		WRITE_ONCE(ring->recent, full);
	/* B: pairs with the acquire in kmonitor_ring_peek() */
	smp_store_release(&slot_at(ring, position)->seq, full + 1);
}

static void fill_lost(struct kmonitor_ring *ring, struct kmonitor_event *slot,
		      u64 count)
{
	memset_after(slot, 0, seq);
	slot->type = KMONITOR_LOST;
	slot->time_ns = ktime_get_boottime_ns();
	slot->cpu = raw_smp_processor_id();
	slot->lost.count = count;
	slot->lost.first_ns = READ_ONCE(ring->first_loss_ns);
	slot->lost.last_ns = READ_ONCE(ring->last_loss_ns);
	atomic64_add(count, &ring->lost);
	atomic64_inc(&ring->lost_records);
}

/* Whether the consumer has caught up, or may have missed the loss. */
static bool wake_due(struct kmonitor_ring *ring, const struct reservation *r)
{
	u32 tail;

	/* E: pairs with the barrier in kmonitor_ring_consume() */
	smp_mb();
	tail = READ_ONCE(*ring->tail);
	return r->nr ? tail - r->position < r->nr : tail != r->tail;
}

static enum kmonitor_append append(struct kmonitor_ring *ring,
				   const struct kmonitor_event *event,
				   u64 cookie, bool count_loss)
{
	struct kmonitor_event *slot;
	struct reservation r;

	guard(preempt)();
	reserve(ring, count_loss, &r);
	if (!r.nr && !count_loss)
		return KMONITOR_APPEND_FULL;
	if (!r.nr)
		return wake_due(ring, &r) ? KMONITOR_APPEND_WAKE :
					    KMONITOR_APPEND_FULL;
	if (r.nr == 2) {
		fill_lost(ring, slot_at(ring, r.position), r.loss);
		publish(ring, r.position);
	}
	slot = slot_at(ring, r.position + r.nr - 1);
	memcpy(&slot->time_ns, &event->time_ns,
	       sizeof(*slot) - offsetof(struct kmonitor_event, time_ns));
	slot->cookie = cookie;
	publish(ring, r.position + r.nr - 1);
	return wake_due(ring, &r) ? KMONITOR_APPEND_WAKE :
				    KMONITOR_APPEND_QUIET;
}

/**
 * kmonitor_ring_append - append a record or count its loss
 * @ring: The ring.
 * @event: The record; seq and cookie are not used.
 * @cookie: The cookie of this copy of the record.
 *
 * Context: Any but NMI.
 * Return: What became of it; %KMONITOR_APPEND_FULL has been counted.
 */
enum kmonitor_append kmonitor_ring_append(struct kmonitor_ring *ring,
					  const struct kmonitor_event *event,
					  u64 cookie)
{
	return append(ring, event, cookie, true);
}

/**
 * kmonitor_ring_try_append - append a record that the caller keeps if it must
 * @ring: The ring.
 * @event: The record; seq and cookie are not used.
 * @cookie: The cookie of this copy of the record.
 *
 * Context: Any but NMI.
 * Return: What became of it; %KMONITOR_APPEND_FULL is not counted as a loss.
 */
enum kmonitor_append
kmonitor_ring_try_append(struct kmonitor_ring *ring,
			 const struct kmonitor_event *event, u64 cookie)
{
	return append(ring, event, cookie, false);
}

/**
 * kmonitor_ring_report_loss - write the LOST record that nothing follows
 * @ring: The ring.
 *
 * Does nothing unless the ring is drained and a loss is pending.
 *
 * Context: Any but NMI.
 */
void kmonitor_ring_report_loss(struct kmonitor_ring *ring)
{
	u64 old, loss;

	if (likely(!(atomic64_read(&ring->state) >> LOSS_SHIFT)))
		return;

	guard(preempt)();
	scoped_guard(raw_spinlock_irqsave, &ring->spill_lock)
	{
		old = atomic64_read(&ring->state);
		do {
			if (!(old >> LOSS_SHIFT) ||
			    (u32)old != READ_ONCE(*ring->tail))
				return;
		} while (!atomic64_try_cmpxchg(&ring->state, &old,
					       (u32)((u32)old + 1)));
		loss = loss_of(old);
		if (old & SPILLED) {
			loss += ring->spilled;
			ring->spilled = 0;
		}
	}
	fill_lost(ring, slot_at(ring, old), loss);
	publish(ring, old);
}

/**
 * kmonitor_ring_peek - the oldest record
 * @ring: The ring.
 *
 * Context: One consumer at a time may use the result; anybody may ask
 *	whether there is one.
 * Return: The record, valid until it is consumed, or NULL.
 */
const struct kmonitor_event *kmonitor_ring_peek(struct kmonitor_ring *ring)
{
	u32 tail = READ_ONCE(*ring->tail);
	struct kmonitor_event *slot = slot_at(ring, tail);

	/* C: pairs with the release in publish() */
	if ((u32)smp_load_acquire(&slot->seq) != tail + 1)
		return NULL;
	return slot;
}

/**
 * kmonitor_ring_consume - free the slot of the oldest record
 * @ring: The ring.
 *
 * Context: One consumer at a time, after kmonitor_ring_peek() gave a record.
 */
void kmonitor_ring_consume(struct kmonitor_ring *ring)
{
	/* D: pairs with the acquire in reserve() */
	smp_store_release(ring->tail, *ring->tail + 1);
	/* F: pairs with the barrier in wake_due() */
	smp_mb();
}

/**
 * kmonitor_ring_stats - fill in the accounting of a ring
 * @ring: The ring.
 * @stats: Gets all fields but filters.
 *
 * Context: Any but NMI.
 */
void kmonitor_ring_stats(struct kmonitor_ring *ring,
			 struct kmonitor_stats *stats)
{
	u64 recent, full, state;
	unsigned long flags;

	raw_spin_lock_irqsave(&ring->spill_lock, flags);
	state = atomic64_read(&ring->state);
	recent = READ_ONCE(ring->recent);
	full = recent + (s32)((u32)state - (u32)recent);
	stats->recorded = full - atomic64_read(&ring->lost_records);
	stats->lost = atomic64_read(&ring->lost);
	stats->pending = loss_of(state) + ring->spilled;
	raw_spin_unlock_irqrestore(&ring->spill_lock, flags);

	stats->matched = stats->recorded + stats->lost + stats->pending;
	stats->depth = min((u32)state - READ_ONCE(*ring->tail), ring->size);
	stats->peak = READ_ONCE(ring->peak);
}

/**
 * kmonitor_ring_init - allocate an empty ring
 * @ring: Zeroed memory.
 * @size: Number of records, a power of two, at least 2.
 *
 * The pages are charged to the caller's memory cgroup.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int kmonitor_ring_init(struct kmonitor_ring *ring, u32 size)
{
	u32 nr_pages =
		1 + PAGE_ALIGN((u64)size * sizeof(*ring->slots)) / PAGE_SIZE;
	void *area;

	raw_spin_lock_init(&ring->spill_lock);
	ring->size = size;
	ring->pages =
		kvcalloc(nr_pages, sizeof(*ring->pages), KMONITOR_GFP);
	if (!ring->pages)
		return -ENOMEM;
	for (; ring->nr_pages < nr_pages; ring->nr_pages++) {
		struct page *page = alloc_page(KMONITOR_GFP | __GFP_ZERO);

		if (!page)
			goto err_destroy;
		ring->pages[ring->nr_pages] = page;
	}
	area = vmap(ring->pages, nr_pages, VM_MAP, PAGE_KERNEL);
	if (!area)
		goto err_destroy;
	ring->tail = area;
	ring->slots = area + PAGE_SIZE;
	return 0;

err_destroy:
	kmonitor_ring_destroy(ring);
	return -ENOMEM;
}

/**
 * kmonitor_ring_destroy - free what kmonitor_ring_init() allocated
 * @ring: The ring, which nobody uses any more.
 *
 * Context: May sleep.
 */
void kmonitor_ring_destroy(struct kmonitor_ring *ring)
{
	vunmap(ring->tail);
	while (ring->nr_pages)
		__free_page(ring->pages[--ring->nr_pages]);
	kvfree(ring->pages);
}
