// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring of records: reserve, publish, consume, wake, and account for loss.
 *
 * One 64-bit word decides everything by one compare-and-exchange:
 *
 *   bits 0-31   position of the next slot to reserve
 *   bits 32-62  records dropped since the last LOST record, by kind: 8 bits
 *               for those of no kind, 8 for forks, 8 for exits, 7 for execs
 *   bit  63     more such losses are counted in ring->spilled
 *
 * A group of n records, most often one: ring full: loss + n.  Otherwise
 * position + n; or, with a loss pending, position + n + 1 and the loss
 * cleared: the first slot is for the LOST record.  The winner of the exchange
 * is unique, so count, kinds and place are exact.  A kind that has half of its
 * range is spilled, under loss_lock, before it grows further.  A pending loss is
 * cleared under the same lock, so that it, the spilled counts, and those of the
 * losses reported so far change together.
 *
 * Barriers:
 *
 *   producer                               consumer
 *   A  load-acquire tail                   D  compare-and-exchange tail
 *      compare-and-exchange state             (done with the slots)
 *      fill the slot
 *   B  store-release or exchange slot.seq  C  load-acquire slot.seq
 *                                             read the slot
 *   E  full barrier                        F  full barrier, which is in D, or
 *      load tail, state, announced:           in queueing for a wake-up
 *      wake?                                  look at slot.seq: sleep?
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
 * Wake-ups.  The ring is ready when the slot at tail is published and
 *
 *   used        position - tail has reached the watermark, or
 *   loss        a loss is pending, or
 *   announced   ring->announced has reached the sequence number of that slot.
 *
 * Each of these becomes true by somebody's action, who then looks, behind a
 * full barrier, whether the consumer must be woken:
 *
 *   slot at tail published   Its producer finds tail in its slots (or behind
 *                            them, if a consumer was quick).  If the ring is
 *                            ready it wakes; otherwise it starts the timer.
 *   used                     The producer that reserved slot tail + watermark
 *                            - 1 finds its slot less than a watermark behind
 *                            tail, and wakes when it has published it.
 *   loss                     A group and the watermark are half of the ring
 *                            at most: without room the ring has been ready
 *                            before.  If tail has moved the producer wakes.
 *   announced                Who announces wakes: the producer of an urgent
 *                            record, or the timer.  The record at tail may be
 *                            in flight at that moment: then its producer sees
 *                            what was announced.
 *   tail moved               The consumer looks itself before it sleeps; if
 *                            it leaves records that are not ready, it starts
 *                            the timer.
 *
 * So the timer runs whenever the slot at tail is published and the ring is not
 * ready; see wake.c for its own barriers.  It announces all that is reserved,
 * published or not, and wakes in any case.
 *
 * Nothing here trusts tail.  Whatever it says, a slot is reserved only when it
 * has the stamp of the lap before, so that no two producers fill it at once;
 * and what a consumer has copied counts only if state, loaded after the copy,
 * shows that nobody can have reserved the slot meanwhile.
 *
 * selftests/model/ has all this as a model for spin, and each pairing of
 * barriers as a litmus test: a change here needs one there.
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "debug.h"
#include "limits.h"
#include "ring.h"

#define LOSS_SHIFT KMONITOR_STATE_LOSS_SHIFT
#define SPILLED KMONITOR_LOSS_SPILLED

static u64 sum_loss(const struct kmonitor_loss *loss)
{
	return loss->others + loss->forks + loss->execs + loss->exits;
}

static void add_loss_of_state(struct kmonitor_loss *loss, u64 state)
{
	state &= ~SPILLED;
	loss->others += (u8)(state / KMONITOR_LOSS_OTHER);
	loss->forks += (u8)(state / KMONITOR_LOSS_FORK);
	loss->exits += (u8)(state / KMONITOR_LOSS_EXIT);
	loss->execs += (u8)(state / KMONITOR_LOSS_EXEC);
}

/* Moves the loss of a state that the caller has replaced; under loss_lock. */
static void spill_loss(struct kmonitor_ring *ring, u64 state)
{
	add_loss_of_state(&ring->spilled, state);
}

/* Reports the loss of a state that the caller has replaced; under loss_lock. */
static void take_loss(struct kmonitor_ring *ring, u64 state,
		      struct kmonitor_loss *loss)
{
	*loss = (struct kmonitor_loss){};
	if (state & SPILLED)
		swap(*loss, ring->spilled);
	add_loss_of_state(loss, state);
	ring->lost += sum_loss(loss);
	ring->lost_records++;
}

static struct kmonitor_event *slot_at(const struct kmonitor_ring *ring,
				      u32 position)
{
	return &ring->area->slots[position & (ring->size - 1)];
}

/*
 * Positions have 32 bits, sequence numbers 64: the one of a position follows
 * from another that is not far from it.
 */
static u64 expand_position(u32 position, u64 near_seq)
{
	return near_seq + (s32)(position + 1 - (u32)near_seq);
}

/* The sequence number of a position within a lap of the next one. */
static u64 seq_of_position(const struct kmonitor_ring *ring, u32 position)
{
	return expand_position(position,
			       READ_ONCE(slot_at(ring, position)->seq));
}

static bool slots_fit(const struct kmonitor_ring *ring, u32 position, u32 tail,
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

/* Makes a slot readable, which still has the seq of the lap before. */
static void publish_slot(struct kmonitor_ring *ring,
			 struct kmonitor_event *slot)
{
	kmonitor_delay_commit();
	/* B: pairs with the acquire in load_seq() */
	smp_store_release(&slot->seq, slot->seq + ring->size);
}

static void put_record(struct kmonitor_ring *ring, u32 position,
		       const struct kmonitor_event *record, u64 cookie)
{
	struct kmonitor_event *slot = slot_at(ring, position);

	kmonitor_ring_copy_record(slot, record, cookie);
	publish_slot(ring, slot);
}

static void put_lost(struct kmonitor_ring *ring, u32 position,
		     const struct kmonitor_loss *loss)
{
	struct kmonitor_event *slot = slot_at(ring, position);

	memset_after(slot, 0, seq);
	slot->type = KMONITOR_LOST;
	slot->time_ns = ktime_get_boottime_ns();
	slot->cpu = raw_smp_processor_id();
	slot->lost.count = sum_loss(loss);
	slot->lost.first_ns = READ_ONCE(ring->first_loss_ns);
	slot->lost.last_ns = READ_ONCE(ring->last_loss_ns);
	slot->lost.forks = loss->forks;
	slot->lost.execs = loss->execs;
	slot->lost.exits = loss->exits;
	publish_slot(ring, slot);
}

/* Makes all records up to this one ready, whatever the watermark says. */
static noinline void announce_seq(struct kmonitor_ring *ring, u64 seq)
{
	u64 old = READ_ONCE(ring->announced);

	while (old < seq && !try_cmpxchg64(&ring->announced, &old, seq))
		;
}

/* Whether a seq is that of a published record at this position. */
static bool is_published(u64 seq, u32 position)
{
	/* A slot that has never been filled has a seq of 0 or below. */
	return (u32)seq == position + 1 && (s64)seq > 0;
}

static u64 load_seq(const struct kmonitor_ring *ring, u32 position)
{
	/* C: pairs with the release in publish_slot(), the xchg in commit_slot */
	return smp_load_acquire(&slot_at(ring, position)->seq);
}

/**
 * kmonitor_ring_choose_wakeup - what the producer of published slots has to do
 * @ring: The ring.
 * @position: Position of the first slot.
 * @nr: Number of slots.
 *
 * The caller has a full barrier, E, between the publication and this.
 *
 * Context: Any but NMI.
 * Return: What the consumers are owed.
 */
enum kmonitor_wakeup
kmonitor_ring_choose_wakeup(const struct kmonitor_ring *ring, u32 position,
			    u32 nr)
{
	/* E: pairs with the exchange in kmonitor_ring_consume() */
	const u32 tail = READ_ONCE(ring->area->tail);
	const bool oldest = tail - position < nr;
	u32 used;

	if (oldest && ring->watermark == 1)
		return KMONITOR_WAKEUP_NOW;
	if (!oldest && (s32)(position - tail) > 0) {
		if (position - tail >= ring->watermark)
			return KMONITOR_WAKEUP_NONE;
		/* A reservation may have made the ring ready. */
		used = (u32)atomic64_read(kmonitor_ring_state(ring)) - tail;
		return used >= ring->watermark ? KMONITOR_WAKEUP_NOW :
						 KMONITOR_WAKEUP_NONE;
	}
	if (kmonitor_ring_ready(ring))
		return KMONITOR_WAKEUP_NOW;
	return oldest ? KMONITOR_WAKEUP_DELAYED : KMONITOR_WAKEUP_NONE;
}

/*
 * Decides on records: their slots, or their loss in units of the state; with 0
 * units only whether there is room.  Returns false if loss_lock is needed.
 */
static bool decide_by_exchange(struct kmonitor_ring *ring, u32 nr, u64 units,
			       bool locked, struct kmonitor_reservation *r,
			       u64 *replaced)
{
	u64 old = atomic64_read(kmonitor_ring_state(ring));
	bool needs_lock;
	u64 next;

	do {
		r->position = old;
		r->nr = nr + (old >> LOSS_SHIFT ? 1 : 0);
		/* A: pairs with the exchange in kmonitor_ring_consume() */
		r->tail = smp_load_acquire(&ring->area->tail);
		if (slots_fit(ring, r->position, r->tail, r->nr)) {
			needs_lock = r->nr > nr;
			next = (u32)(r->position + r->nr);
		} else {
			r->nr = 0;
			needs_lock = units && old & KMONITOR_LOSS_FULL;
			/* Even without a loss the exchange says that it was full. */
			next = needs_lock ? (u32)old | SPILLED : old;
			next += units;
		}
		if (needs_lock && !locked)
			return false;
	} while (!atomic64_try_cmpxchg(kmonitor_ring_state(ring), &old, next));
	*replaced = old;
	if (r->nr > nr)
		take_loss(ring, old, &r->loss);
	else if (needs_lock)
		spill_loss(ring, old);
	return true;
}

/* Reserves slots, with one for a loss before them, or counts the loss. */
static bool reserve_slots(struct kmonitor_ring *ring, u32 nr, u64 units,
			  u64 time_ns, struct kmonitor_reservation *r,
			  enum kmonitor_wakeup *wakeup)
{
	unsigned long flags;
	u64 old;

	if (!decide_by_exchange(ring, nr, units, false, r, &old)) {
		raw_spin_lock_irqsave(&ring->loss_lock, flags);
		decide_by_exchange(ring, nr, units, true, r, &old);
		raw_spin_unlock_irqrestore(&ring->loss_lock, flags);
	}
	if (r->nr) {
		kmonitor_ring_note_peak(ring,
					r->position + r->nr - 1 - r->tail);
		if (r->nr > nr)
			put_lost(ring, r->position, &r->loss);
		return true;
	}
	*wakeup = KMONITOR_WAKEUP_NONE;
	if (!units)
		return false;
	if (!(old >> LOSS_SHIFT))
		WRITE_ONCE(ring->first_loss_ns, time_ns);
	WRITE_ONCE(ring->last_loss_ns, time_ns);
	/* E is the exchange; pairs with that in kmonitor_ring_consume() */
	if (READ_ONCE(ring->area->tail) != r->tail)
		*wakeup = KMONITOR_WAKEUP_NOW;
	return false;
}

/* Chooses the wake-up for slots, of which the first nr_urgent are urgent. */
static enum kmonitor_wakeup
wakeup_for_slots(struct kmonitor_ring *ring,
		 const struct kmonitor_reservation *r, u32 nr_urgent)
{
	if (nr_urgent && ring->watermark > 1) {
		announce_seq(ring, seq_of_position(
					   ring, r->position + nr_urgent - 1));
		return KMONITOR_WAKEUP_NOW;
	}
	/* E: pairs with the exchange in kmonitor_ring_consume() */
	smp_mb();
	return kmonitor_ring_choose_wakeup(ring, r->position, r->nr);
}

/**
 * kmonitor_ring_reserve - get a slot that comes behind a loss, or count one
 * @ring: The ring, of which kmonitor_ring_reserve_slot() has given none.
 * @type: Type of the record.
 * @time_ns: Its time, for a loss.
 * @reservation: Gets what was decided.
 * @wakeup: Gets what the consumers are owed for a loss.
 *
 * Context: Any but NMI; preemption off until kmonitor_ring_commit().
 * Return: True if there is a slot, kmonitor_ring_reserved_slot(); false if the
 *	record is lost.
 */
bool kmonitor_ring_reserve(struct kmonitor_ring *ring, u32 type, u64 time_ns,
			   struct kmonitor_reservation *reservation,
			   enum kmonitor_wakeup *wakeup)
{
	return reserve_slots(ring, 1, kmonitor_loss_unit(type), time_ns,
			     reservation, wakeup);
}

/* The slot of the record in a reservation of kmonitor_ring_reserve(). */
struct kmonitor_event *
kmonitor_ring_reserved_slot(const struct kmonitor_ring *ring,
			    const struct kmonitor_reservation *reservation)
{
	return slot_at(ring, reservation->position + reservation->nr - 1);
}

/**
 * kmonitor_ring_commit - publish a record made in its slot
 * @ring: The ring.
 * @reservation: From kmonitor_ring_reserve().
 *
 * Context: Any but NMI.
 * Return: What the consumers are owed.
 */
enum kmonitor_wakeup
kmonitor_ring_commit(struct kmonitor_ring *ring,
		     const struct kmonitor_reservation *reservation)
{
	publish_slot(ring, kmonitor_ring_reserved_slot(ring, reservation));
	return wakeup_for_slots(ring, reservation, reservation->nr - 1);
}

static bool append_records(struct kmonitor_ring *ring,
			   const struct kmonitor_group *group, u64 units,
			   enum kmonitor_wakeup *wakeup)
{
	const u32 nr = 1 + group->nr_args;
	struct kmonitor_reservation r;
	u32 position;

	guard(preempt)();
	if (!reserve_slots(ring, nr, units, group->event->time_ns, &r, wakeup))
		return false;
	position = r.position + r.nr - nr;
	put_record(ring, position, group->event, group->cookie);
	for (u32 i = 0; i < group->nr_args; i++)
		put_record(ring, position + 1 + i,
			   (const void *)&group->args[i], group->cookie);
	*wakeup = wakeup_for_slots(ring, &r, group->urgent ? r.nr : r.nr - nr);
	return true;
}

/**
 * kmonitor_ring_append_group - append records together or count their loss
 * @ring: The ring.
 * @group: The records.
 *
 * The group is in the ring whole, with no record between, or not at all; its
 * loss counts each record.
 *
 * Context: Any but NMI.
 * Return: What the consumers are owed.
 */
enum kmonitor_wakeup
kmonitor_ring_append_group(struct kmonitor_ring *ring,
			   const struct kmonitor_group *group)
{
	const u64 units = kmonitor_loss_unit(group->event->type) +
			  group->nr_args * KMONITOR_LOSS_OTHER;
	enum kmonitor_wakeup wakeup;

	append_records(ring, group, units, &wakeup);
	return wakeup;
}

/**
 * kmonitor_ring_drop - count the loss of a record, whether there is room or not
 * @ring: The ring.
 * @event: The record.
 *
 * Context: Any but NMI.
 * Return: What the consumers are owed.
 */
enum kmonitor_wakeup kmonitor_ring_drop(struct kmonitor_ring *ring,
					const struct kmonitor_event *event)
{
	struct kmonitor_reservation r;
	enum kmonitor_wakeup wakeup;

	/* More slots than there are never fit. */
	reserve_slots(ring, ring->size + 1, kmonitor_loss_unit(event->type),
		      event->time_ns, &r, &wakeup);
	/* The consumer may have drained the ring, and found no loss, before. */
	return KMONITOR_WAKEUP_NOW;
}

/**
 * kmonitor_ring_try_append - append records that the caller keeps otherwise
 * @ring: The ring.
 * @group: The records.
 * @wakeup: Gets what the consumers are owed.
 *
 * Context: Any but NMI.
 * Return: Whether they are in the ring; if not, no loss is counted.
 */
bool kmonitor_ring_try_append(struct kmonitor_ring *ring,
			      const struct kmonitor_group *group,
			      enum kmonitor_wakeup *wakeup)
{
	return append_records(ring, group, 0, wakeup);
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
	struct kmonitor_loss loss;
	u64 old;
	u32 tail;

	if (likely(!kmonitor_ring_has_pending_loss(ring)))
		return;

	guard(preempt)();
	scoped_guard(raw_spinlock_irqsave, &ring->loss_lock)
	{
		old = atomic64_read(kmonitor_ring_state(ring));
		do {
			/* A: pairs with the exchange in kmonitor_ring_consume() */
			tail = smp_load_acquire(&ring->area->tail);
			if (!(old >> LOSS_SHIFT) || (u32)old != tail ||
			    !slots_fit(ring, old, old, 1))
				return;
		} while (!atomic64_try_cmpxchg(kmonitor_ring_state(ring), &old,
					       (u32)((u32)old + 1)));
		take_loss(ring, old, &loss);
	}
	put_lost(ring, old, &loss);
	announce_seq(ring, seq_of_position(ring, old));
}

/**
 * kmonitor_ring_announce - make all that is reserved ready
 * @ring: The ring.
 *
 * The caller wakes the consumers.
 *
 * Context: Any but NMI.
 */
void kmonitor_ring_announce(struct kmonitor_ring *ring)
{
	u32 position = atomic64_read(kmonitor_ring_state(ring));

	announce_seq(ring, seq_of_position(ring, position) - 1);
}

/**
 * kmonitor_ring_readiness - whether a consumer is to be woken
 * @ring: The ring.
 *
 * Context: Any.
 * Return: One of &enum kmonitor_readiness.
 */
enum kmonitor_readiness
kmonitor_ring_readiness(const struct kmonitor_ring *ring)
{
	const u32 tail = READ_ONCE(ring->area->tail);
	const u64 state = atomic64_read(kmonitor_ring_state(ring));
	const u32 used = (u32)state - tail;
	u64 seq;

	if (used - 1 >= ring->size)
		return KMONITOR_NOT_READY;
	seq = load_seq(ring, tail);
	if (used < ring->watermark && !(state >> LOSS_SHIFT) &&
	    READ_ONCE(ring->announced) < expand_position(tail, seq))
		return KMONITOR_NOT_READY;
	return is_published(seq, tail) ? KMONITOR_READY : KMONITOR_IN_FLIGHT;
}

/**
 * kmonitor_ring_is_drained - whether nothing is reserved behind the tail
 * @ring: The ring.
 *
 * Context: Any.
 * Return: False also if a record is in flight; true for a tail that lies.
 */
bool kmonitor_ring_is_drained(const struct kmonitor_ring *ring)
{
	const u32 tail = READ_ONCE(ring->area->tail);

	return (u32)atomic64_read(kmonitor_ring_state(ring)) - tail - 1 >=
	       ring->size;
}

/**
 * kmonitor_ring_in_flight - whether the oldest record is about to come
 * @ring: The ring.
 *
 * Context: Any.
 * Return: True if it is reserved and not published: its producer has preemption
 *	off.  Never because of a tail that lies.
 */
bool kmonitor_ring_in_flight(const struct kmonitor_ring *ring)
{
	const u32 tail = READ_ONCE(ring->area->tail);
	const u32 used = (u32)atomic64_read(kmonitor_ring_state(ring)) - tail;

	return used - 1 < ring->size &&
	       !is_published(load_seq(ring, tail), tail);
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

	if (!is_published(load_seq(ring, tail), tail))
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
	u32 position = tail;

	span->record = &ring->area->slots[index];
	span->position = tail;
	max = min(max, ring->size - index);
	while (position - tail < max &&
	       is_published(load_seq(ring, position), position))
		position++;
	span->nr = position - tail;
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
	/* D and F: pairs with A and with E, see the table above */
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
	struct kmonitor_loss pending;
	unsigned long flags;
	u64 state;

	raw_spin_lock_irqsave(&ring->loss_lock, flags);
	state = atomic64_read(kmonitor_ring_state(ring));
	stats->recorded = seq_of_position(ring, state) - 1 - ring->lost_records;
	stats->lost = ring->lost;
	pending = ring->spilled;
	add_loss_of_state(&pending, state);
	stats->pending = sum_loss(&pending);
	raw_spin_unlock_irqrestore(&ring->loss_lock, flags);

	stats->matched = stats->recorded + stats->lost + stats->pending;
	stats->depth = ring->size - kmonitor_ring_room(ring);
	stats->peak = READ_ONCE(ring->peak);
}

/* A slot can be reserved if it has the stamp of the lap before. */
static void stamp_slots(struct kmonitor_ring *ring)
{
	for (u32 i = 0; i < ring->size; i++)
		ring->area->slots[i].seq = (u64)i + 1 - ring->size;
}

/**
 * kmonitor_ring_pages - find out how large a ring is
 * @size: Number of records.
 *
 * Context: Any.
 * Return: Number of pages.
 */
u32 kmonitor_ring_pages(u32 size)
{
	const struct kmonitor_area *area;

	return DIV_ROUND_UP(struct_size(area, slots, size), PAGE_SIZE);
}

/**
 * kmonitor_ring_init - allocate an empty ring
 * @ring: Zeroed memory.
 * @size: Number of records, a power of two, at least 2.
 * @watermark: Number of records that make it ready, at least 1.
 *
 * The pages are charged to the caller's memory cgroup.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int kmonitor_ring_init(struct kmonitor_ring *ring, u32 size, u32 watermark)
{
	const u32 nr_pages = kmonitor_ring_pages(size);
	struct kmonitor_header *header;

	raw_spin_lock_init(&ring->loss_lock);
	ring->size = size;
	ring->watermark = watermark;
	ring->pages = kvcalloc(nr_pages, sizeof(*ring->pages), KMONITOR_GFP);
	if (!ring->pages)
		return -ENOMEM;
	for (; ring->nr_pages < nr_pages; ring->nr_pages++) {
		struct page *page = alloc_page(KMONITOR_GFP | __GFP_ZERO);

		if (!page)
			goto err_destroy;
		ring->pages[ring->nr_pages] = page;
	}
	ring->area = vmap(ring->pages, nr_pages, VM_MAP, PAGE_KERNEL);
	if (!ring->area)
		goto err_destroy;
	header = &ring->area->header;
	header->size = sizeof(*header);
	header->record_size = sizeof(struct kmonitor_event);
	header->ring_records = size;
	header->wakeup_records = watermark;
	stamp_slots(ring);
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
	vunmap(ring->area);
	while (ring->nr_pages)
		__free_page(ring->pages[--ring->nr_pages]);
	kvfree(ring->pages);
}
