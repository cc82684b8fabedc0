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
 * A group of n records, most often one: ring full: loss + n.  Otherwise
 * position + n; or, with a loss pending, position + n + 1 and the loss
 * cleared: the first slot is for the LOST record.  The winner of the exchange
 * is unique, so count and place are exact.
 *
 * Barriers:
 *
 *   producer                               consumer
 *   A  load-acquire tail                   D  compare-and-exchange tail
 *      compare-and-exchange state             (done with the slots)
 *      fill the slot
 *   B  store-release or exchange slot.seq  C  load-acquire slot.seq
 *                                             read the slot
 *   E  full barrier                        F  full barrier, which is in D
 *      load tail, state: wake?                look at slot.seq: sleep?
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
 *
 * Nothing here trusts tail.  Whatever it says, a slot is reserved only when it
 * has the stamp of the lap before, so that no two producers fill it at once;
 * and what a consumer has copied counts only if state, loaded after the copy,
 * shows that nobody can have reserved the slot meanwhile.
 */

#include <linux/preempt.h>
#include <linux/timekeeping.h>

#include "ring.h"

#define LOSS_SHIFT KMONITOR_STATE_LOSS_SHIFT
#define LOSS_ONE BIT_ULL(LOSS_SHIFT)
#define SPILLED BIT_ULL(63)

static u64 loss_of(u64 state)
{
	return (state & ~SPILLED) >> LOSS_SHIFT;
}

static struct kmonitor_event *slot_at(const struct kmonitor_ring *ring,
				      u32 position)
{
	return &ring->area->slots[position & (ring->size - 1)];
}

static bool fits(const struct kmonitor_ring *ring, u32 position, u32 tail,
		 u32 nr)
{
	/* No ring has less than two slots. */
	if ((nr > 2 && nr > ring->size) || position - tail > ring->size - nr)
		return false;
	for (u32 i = 0; i < nr; i++, position++) {
		if ((u32)READ_ONCE(slot_at(ring, position)->seq) !=
		    position + 1 - ring->size)
			return false;
	}
	return true;
}

/*
 * Makes a slot readable.  Positions have 32 bits, sequence numbers 64: the
 * slot still has that of the lap before, and is its producer's alone.
 */
static void publish(struct kmonitor_ring *ring, struct kmonitor_event *slot)
{
	/* B: pairs with the acquire in published() */
	smp_store_release(&slot->seq, slot->seq + ring->size);
}

static void fill(struct kmonitor_ring *ring, u32 position,
		 const struct kmonitor_event *record, u64 cookie)
{
	struct kmonitor_event *slot = slot_at(ring, position);

	kmonitor_ring_copy(slot, record, cookie);
	publish(ring, slot);
}

static void fill_group(struct kmonitor_ring *ring, u32 position,
		       const struct kmonitor_event *event,
		       const struct kmonitor_exec_args *args, u32 nr_args,
		       u64 cookie)
{
	fill(ring, position, event, cookie);
	for (u32 i = 0; i < nr_args; i++)
		fill(ring, position + 1 + i, (const void *)&args[i], cookie);
}

static void fill_lost(struct kmonitor_ring *ring, u32 position, u64 count)
{
	struct kmonitor_event *slot = slot_at(ring, position);

	memset_after(slot, 0, seq);
	slot->type = KMONITOR_LOST;
	slot->time_ns = ktime_get_boottime_ns();
	slot->cpu = raw_smp_processor_id();
	slot->lost.count = count;
	slot->lost.first_ns = READ_ONCE(ring->first_loss_ns);
	slot->lost.last_ns = READ_ONCE(ring->last_loss_ns);
	atomic64_add(count, &ring->lost);
	atomic64_inc(&ring->lost_records);
	publish(ring, slot);
}

/* Makes all records before a position ready, whatever the watermark says. */
static noinline void announce(struct kmonitor_ring *ring, u32 position)
{
	u32 old = READ_ONCE(ring->announced);

	do {
		/* Another producer has announced more. */
		if (old - position < ring->size)
			return;
	} while (!try_cmpxchg(&ring->announced, &old, position));
}

/*
 * What the producer of slots that are now readable has to do.  The first
 * nr_urgent of them are ready at once.
 */
static enum kmonitor_append judge(struct kmonitor_ring *ring, u32 position,
				  u32 nr, u32 nr_urgent)
{
	bool first;
	u32 tail;

	if (nr_urgent && ring->watermark > 1)
		announce(ring, position + nr_urgent);
	/* E: pairs with the exchange in kmonitor_ring_consume() */
	smp_mb();
	tail = READ_ONCE(ring->area->tail);
	first = tail - position < nr;
	if (!first && position - tail >= ring->watermark)
		return KMONITOR_APPEND_QUIET;
	if (nr_urgent || ring->watermark == 1 ||
	    (u32)atomic64_read(kmonitor_ring_state(ring)) - tail >=
		    ring->watermark)
		return KMONITOR_APPEND_WAKE;
	return first ? KMONITOR_APPEND_FIRST : KMONITOR_APPEND_QUIET;
}

/*
 * Decides on records.  Returns false if the loss count must be moved or a
 * moved one reported: a word with the spilled bit changes only under
 * spill_lock, so that the bit and the counter behind it stay together.
 */
static bool try_decide(struct kmonitor_ring *ring, u32 nr, u64 time_ns,
		       bool count_loss, bool locked,
		       struct kmonitor_reservation *r)
{
	u64 old = atomic64_read(kmonitor_ring_state(ring));
	bool overflow;
	u64 next;

	do {
		r->loss = loss_of(old);
		overflow = r->loss + nr > KMONITOR_LOSS_MAX;
		if (!locked && (old & SPILLED || overflow))
			return false;
		r->position = old;
		r->nr = nr + (old >> LOSS_SHIFT ? 1 : 0);
		/* A: pairs with the exchange in kmonitor_ring_consume() */
		r->tail = smp_load_acquire(&ring->area->tail);
		if (fits(ring, r->position, r->tail, r->nr)) {
			next = (u32)(r->position + r->nr);
			continue;
		}
		r->nr = 0;
		/* Even without a loss the exchange says that it was full. */
		next = old;
		if (count_loss && overflow)
			next = (u32)old | SPILLED;
		if (count_loss)
			next += nr * LOSS_ONE;
	} while (!atomic64_try_cmpxchg(kmonitor_ring_state(ring), &old, next));

	if (!r->nr && !count_loss)
		return true;
	if (!r->nr) {
		if (!(old >> LOSS_SHIFT))
			WRITE_ONCE(ring->first_loss_ns, time_ns);
		WRITE_ONCE(ring->last_loss_ns, time_ns);
		if (overflow)
			ring->spilled += r->loss;
		return true;
	}
	if (old & SPILLED) {
		r->loss += ring->spilled;
		ring->spilled = 0;
	}
	kmonitor_ring_note_peak(ring, r->position + r->nr - r->tail);
	return true;
}

/* Reserves slots, with one for a loss before them, or counts one; whether it has. */
static bool reserve(struct kmonitor_ring *ring, u32 nr, u64 time_ns,
		    bool count_loss, struct kmonitor_reservation *r)
{
	unsigned long flags;

	if (nr == 1 && count_loss &&
	    kmonitor_ring_lose(ring, time_ns, &r->lost))
		return false;
	if (!try_decide(ring, nr, time_ns, count_loss, false, r)) {
		raw_spin_lock_irqsave(&ring->spill_lock, flags);
		try_decide(ring, nr, time_ns, count_loss, true, r);
		raw_spin_unlock_irqrestore(&ring->spill_lock, flags);
	}
	if (r->nr) {
		if (r->nr > nr)
			fill_lost(ring, r->position, r->loss);
		return true;
	}
	r->lost = KMONITOR_APPEND_FULL;
	if (count_loss) {
		/* E: pairs with the exchange in kmonitor_ring_consume() */
		smp_mb();
		if (READ_ONCE(ring->area->tail) != r->tail)
			r->lost = KMONITOR_APPEND_WAKE;
	}
	return false;
}

/**
 * kmonitor_ring_judge - what the producer of a readable record has to do
 * @ring: The ring.
 * @position: Position of the record.
 *
 * Context: Any but NMI.
 * Return: What became of the record.
 */
enum kmonitor_append kmonitor_ring_judge(struct kmonitor_ring *ring,
					 u32 position)
{
	return judge(ring, position, 1, 0);
}

/**
 * kmonitor_ring_reserve - get a slot that comes behind a loss, or count one
 * @ring: The ring, of which kmonitor_ring_take_slot() has given none.
 * @time_ns: When it happened, for a loss.
 * @reservation: Gets what was decided.
 *
 * Context: Any but NMI; preemption off until kmonitor_ring_commit().
 * Return: Whether there is a slot; else the record is lost, see @reservation.
 */
bool kmonitor_ring_reserve(struct kmonitor_ring *ring, u64 time_ns,
			   struct kmonitor_reservation *reservation)
{
	struct kmonitor_reservation *r = reservation;

	if (!reserve(ring, 1, time_ns, true, r))
		return false;
	r->record = slot_at(ring, r->position + r->nr - 1);
	return true;
}

/**
 * kmonitor_ring_commit - publish a record made in its slot
 * @ring: The ring.
 * @reservation: From kmonitor_ring_reserve().
 *
 * Context: Any but NMI.
 * Return: What became of the record, which is in the ring.
 */
enum kmonitor_append
kmonitor_ring_commit(struct kmonitor_ring *ring,
		     const struct kmonitor_reservation *reservation)
{
	const struct kmonitor_reservation *r = reservation;

	publish(ring, r->record);
	return judge(ring, r->position, r->nr, r->nr - 1);
}

static enum kmonitor_append append(struct kmonitor_ring *ring,
				   const struct kmonitor_event *event,
				   const struct kmonitor_exec_args *args,
				   u32 nr_args, u64 cookie, bool urgent,
				   bool count_loss)
{
	u32 nr = 1 + nr_args;
	struct kmonitor_reservation r;

	guard(preempt)();
	if (!reserve(ring, nr, event->time_ns, count_loss, &r))
		return r.lost;
	fill_group(ring, r.position + r.nr - nr, event, args, nr_args, cookie);
	return judge(ring, r.position, r.nr, urgent ? r.nr : r.nr - nr);
}

/**
 * kmonitor_ring_append_group - append records together or count their loss
 * @ring: The ring.
 * @event: The first record; seq and cookie are not used.
 * @args: The records that continue it; seq and cookie are not used.
 * @nr_args: Their number, below %KMONITOR_GROUP_MAX.  A group above half of
 *	the ring may never fit.
 * @cookie: The cookie of these copies.
 * @urgent: Whether the consumer is to be told below the watermark.
 *
 * The group is in the ring whole, with no record between, or not at all; its
 * loss counts each record.
 *
 * Context: Any but NMI.
 * Return: What became of it; %KMONITOR_APPEND_FULL has been counted.
 */
enum kmonitor_append
kmonitor_ring_append_group(struct kmonitor_ring *ring,
			   const struct kmonitor_event *event,
			   const struct kmonitor_exec_args *args, u32 nr_args,
			   u64 cookie, bool urgent)
{
	return append(ring, event, args, nr_args, cookie, urgent, true);
}

/**
 * kmonitor_ring_try_append - append an urgent record that waits if it must
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
	return append(ring, event, NULL, 0, cookie, true, false);
}

/**
 * kmonitor_ring_try_append_group - append records that the caller may keep
 * @ring: The ring.
 * @event: The first record; seq and cookie are not used.
 * @args: The records that continue it; seq and cookie are not used.
 * @nr_args: Their number, below %KMONITOR_GROUP_MAX.
 * @cookie: The cookie of these copies.
 * @urgent: Whether the consumer is to be told below the watermark.
 *
 * Context: Any but NMI.
 * Return: What became of it; %KMONITOR_APPEND_FULL is not counted as a loss.
 */
enum kmonitor_append
kmonitor_ring_try_append_group(struct kmonitor_ring *ring,
			       const struct kmonitor_event *event,
			       const struct kmonitor_exec_args *args,
			       u32 nr_args, u64 cookie, bool urgent)
{
	return append(ring, event, args, nr_args, cookie, urgent, false);
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
	u32 tail;

	if (likely(!kmonitor_ring_loses(ring)))
		return;

	guard(preempt)();
	scoped_guard(raw_spinlock_irqsave, &ring->spill_lock)
	{
		old = atomic64_read(kmonitor_ring_state(ring));
		do {
			/* A: pairs with the exchange in kmonitor_ring_consume() */
			tail = smp_load_acquire(&ring->area->tail);
			if (!(old >> LOSS_SHIFT) || (u32)old != tail ||
			    !fits(ring, old, old, 1))
				return;
		} while (!atomic64_try_cmpxchg(kmonitor_ring_state(ring), &old,
					       (u32)((u32)old + 1)));
		loss = loss_of(old);
		if (old & SPILLED) {
			loss += ring->spilled;
			ring->spilled = 0;
		}
	}
	fill_lost(ring, old, loss);
	announce(ring, (u32)old + 1);
}

/**
 * kmonitor_ring_announce - make all that is in the ring ready
 * @ring: The ring.
 *
 * Context: Any but NMI.
 */
void kmonitor_ring_announce(struct kmonitor_ring *ring)
{
	announce(ring, atomic64_read(kmonitor_ring_state(ring)));
}

static bool published(const struct kmonitor_ring *ring, u32 position)
{
	/* C: pairs with the release in publish() or the exchange in put_slot */
	u64 seq = smp_load_acquire(&slot_at(ring, position)->seq);

	/* A slot that has never been filled has a seq of 0 or below. */
	return (u32)seq == position + 1 && (s64)seq > 0;
}

/**
 * kmonitor_ring_ready - whether a consumer is to be told
 * @ring: The ring.
 *
 * Context: Any.
 * Return: Whether there is a record, and the watermark is reached, a loss
 *	waits, or the record has been announced.
 */
bool kmonitor_ring_ready(const struct kmonitor_ring *ring)
{
	u32 tail = READ_ONCE(ring->area->tail);
	u64 state = atomic64_read(kmonitor_ring_state(ring));
	u32 used = (u32)state - tail;

	if (used - 1 >= ring->size || !published(ring, tail))
		return false;
	return used >= ring->watermark || state >> LOSS_SHIFT ||
	       READ_ONCE(ring->announced) - tail - 1 < ring->size;
}

/**
 * kmonitor_ring_oldest - the time of the oldest record
 * @ring: The ring.
 * @time_ns: Gets its time.
 *
 * Context: Any.
 * Return: Whether there is a record.
 */
bool kmonitor_ring_oldest(const struct kmonitor_ring *ring, u64 *time_ns)
{
	u32 tail = READ_ONCE(ring->area->tail);

	if (!published(ring, tail))
		return false;
	*time_ns = READ_ONCE(slot_at(ring, tail)->time_ns);
	return true;
}

/**
 * kmonitor_ring_peek - find the oldest records
 * @ring: The ring.
 * @max: Most records to find, at least 1.
 * @span: Gets them.
 *
 * Consumers may race: what is copied from the span is void unless
 * kmonitor_ring_consume() says that it was the caller's.
 *
 * Context: Any.
 * Return: Whether there are any.
 */
bool kmonitor_ring_peek(const struct kmonitor_ring *ring, u32 max,
			struct kmonitor_span *span)
{
	u32 tail = READ_ONCE(ring->area->tail);
	u32 index = tail & (ring->size - 1);

	span->record = &ring->area->slots[index];
	span->position = tail;
	span->nr = 0;
	max = min(max, ring->size - index);
	while (span->nr < max && published(ring, tail + span->nr))
		span->nr++;
	span->last = span->nr < max;
	return span->nr;
}

/**
 * kmonitor_ring_consume - take the oldest records out
 * @ring: The ring.
 * @span: The records, as kmonitor_ring_peek() gave them, or the first of them.
 *
 * Context: Any.
 * Return: Whether they were there, whole, and the caller took them.
 */
bool kmonitor_ring_consume(struct kmonitor_ring *ring,
			   const struct kmonitor_span *span)
{
	u32 tail = span->position;

	/* The copy comes before this load; pairs with the exchange of state. */
	smp_rmb();
	if ((u32)atomic64_read(kmonitor_ring_state(ring)) - tail > ring->size)
		return false;
	/* D and F: pairs with A and with E, in judge() or put_slot */
	return try_cmpxchg(&ring->area->tail, &tail, tail + span->nr);
}

/**
 * kmonitor_ring_room - number of free slots
 * @ring: The ring.
 *
 * Context: Any.
 * Return: The number, which may have changed.
 */
u32 kmonitor_ring_room(const struct kmonitor_ring *ring)
{
	u32 tail = READ_ONCE(ring->area->tail);
	u32 used = (u32)atomic64_read(kmonitor_ring_state(ring)) - tail;

	return ring->size - min(used, ring->size);
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
	u64 near, full, state;
	unsigned long flags;

	raw_spin_lock_irqsave(&ring->spill_lock, flags);
	state = atomic64_read(kmonitor_ring_state(ring));
	/* The slot's sequence number, of 64 bits, is not far from the position. */
	near = READ_ONCE(slot_at(ring, state)->seq);
	full = near + (s32)((u32)state - (u32)near);
	stats->recorded = full - atomic64_read(&ring->lost_records);
	stats->lost = atomic64_read(&ring->lost);
	stats->pending = loss_of(state) + ring->spilled;
	raw_spin_unlock_irqrestore(&ring->spill_lock, flags);

	stats->matched = stats->recorded + stats->lost + stats->pending;
	stats->depth = ring->size - kmonitor_ring_room(ring);
	stats->peak = READ_ONCE(ring->peak);
}
