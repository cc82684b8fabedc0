/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of records: many producers, one stream.
 */
#ifndef _KMONITOR_RING_H
#define _KMONITOR_RING_H

#include <asm/page.h>
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct page;

/* Most losses that the state of a ring counts. */
#define KMONITOR_LOSS_MAX 0x7fffffffULL

/* Most records that one call appends: an event and its continuations. */
#define KMONITOR_GROUP_MAX 65U

/**
 * struct kmonitor_area - what a consumer can map
 * @tail: The consumer's position, in a page of its own.  Written by
 *	consumers, in the kernel and through mmap; never trusted.
 * @header: What an mmap consumer may know.  Its state has the position to
 *	reserve next and the pending loss, see ring.c.
 * @slots: The records.
 */
struct kmonitor_area {
	u32 tail;
	struct kmonitor_header header __aligned(PAGE_SIZE);
	struct kmonitor_event slots[] __aligned(PAGE_SIZE);
};

/**
 * struct kmonitor_ring - a ring of records
 * @area: What is mapped.
 * @size: Number of slots, a power of two.
 * @watermark: Records that make the ring ready; never changes.
 * @announced: Position up to which records are ready whatever @watermark says.
 *	Changed by compare-and-exchange only.
 * @peak: Highest fill level, advisory, written by producers.
 * @nr_pages: Number of @pages.
 * @pages: The pages behind @area.
 * @first_loss_ns: Time of the first pending loss, advisory.
 * @last_loss_ns: Time of the last pending loss, advisory.
 * @lost: Losses reported by LOST records.
 * @lost_records: Number of LOST records.
 * @spill_lock: Protects @spilled and, while held, the spilled bit of the state in
 *	@area.
 * @spilled: Pending losses that no longer fit into that state.
 */
struct kmonitor_ring {
	struct kmonitor_area *area;
	u32 size;
	u32 watermark;
	u32 announced;
	u32 peak;
	u32 nr_pages;
	struct page **pages;
	u64 first_loss_ns;
	u64 last_loss_ns;
	atomic64_t lost;
	atomic64_t lost_records;
	raw_spinlock_t spill_lock;
	u64 spilled;
};

/**
 * enum kmonitor_append - what became of a record
 * @KMONITOR_APPEND_FULL: No room.
 * @KMONITOR_APPEND_QUIET: It is in the ring; nothing is to be done.
 * @KMONITOR_APPEND_FIRST: It is the oldest record, and the ring isn't ready:
 *	it must be announced when the delay has expired.
 * @KMONITOR_APPEND_WAKE: The consumer must be woken: for the record, or for a
 *	loss that it may have missed.
 */
enum kmonitor_append {
	KMONITOR_APPEND_FULL,
	KMONITOR_APPEND_QUIET,
	KMONITOR_APPEND_FIRST,
	KMONITOR_APPEND_WAKE,
};

/**
 * struct kmonitor_reservation - what was decided on records
 * @record: The slot of a single record.
 * @position: Position of the first slot.
 * @nr: Number of slots: one for each record and one for a loss before them; 0
 *	if the records are lost.
 * @tail: The consumer's position at that time.
 * @loss: Losses to report in the first slot.
 * @lost: What the loss of the records asks for.
 */
struct kmonitor_reservation {
	struct kmonitor_event *record;
	u32 position;
	u32 nr;
	u32 tail;
	enum kmonitor_append lost;
	u64 loss;
};

/**
 * struct kmonitor_slot - a slot for a single record, with nothing before it
 * @record: The slot.
 * @seq: Its sequence number of the lap before, which it still has.
 * @position: Its position.
 */
struct kmonitor_slot {
	struct kmonitor_event *record;
	u64 seq;
	u32 position;
};

/**
 * struct kmonitor_span - records that can be consumed
 * @record: The first of them; the others follow it in memory.
 * @position: Position of the first.
 * @nr: Their number.
 * @last: Behind them there was none.
 */
struct kmonitor_span {
	const struct kmonitor_event *record;
	u32 position;
	u32 nr;
	bool last;
};

/*
 * From reservation to publication preemption is off.  Where locks sleep, the
 * producers of single records turn it off only here.
 */
static __always_inline void kmonitor_ring_pin(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
}

static __always_inline void kmonitor_ring_unpin(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
}

static inline atomic64_t *kmonitor_ring_state(const struct kmonitor_ring *ring)
{
	return (atomic64_t *)&ring->area->header.state;
}

/* Whether a loss is pending. */
static inline bool kmonitor_ring_loses(const struct kmonitor_ring *ring)
{
	return atomic64_read(kmonitor_ring_state(ring)) >>
	       KMONITOR_STATE_LOSS_SHIFT;
}

static __always_inline void kmonitor_ring_note_peak(struct kmonitor_ring *ring,
						    u32 used)
{
	/* Advisory: a race may lose the higher of two. */
	if (unlikely(used > data_race(ring->peak)))
		WRITE_ONCE(ring->peak, used);
}

/* mmap.c: the memory of the ring */
int kmonitor_ring_init(struct kmonitor_ring *ring, u32 size, u32 watermark);
void kmonitor_ring_destroy(struct kmonitor_ring *ring);

enum kmonitor_append kmonitor_ring_judge(struct kmonitor_ring *ring,
					 u32 position);
bool kmonitor_ring_reserve(struct kmonitor_ring *ring, u64 time_ns,
			   struct kmonitor_reservation *reservation);
enum kmonitor_append
kmonitor_ring_commit(struct kmonitor_ring *ring,
		     const struct kmonitor_reservation *reservation);
enum kmonitor_append
kmonitor_ring_append_group(struct kmonitor_ring *ring,
			   const struct kmonitor_event *event,
			   const struct kmonitor_exec_args *args, u32 nr_args,
			   u64 cookie, bool urgent);
enum kmonitor_append
kmonitor_ring_try_append(struct kmonitor_ring *ring,
			 const struct kmonitor_event *event, u64 cookie);
enum kmonitor_append
kmonitor_ring_try_append_group(struct kmonitor_ring *ring,
			       const struct kmonitor_event *event,
			       const struct kmonitor_exec_args *args,
			       u32 nr_args, u64 cookie, bool urgent);
void kmonitor_ring_report_loss(struct kmonitor_ring *ring);
void kmonitor_ring_announce(struct kmonitor_ring *ring);

bool kmonitor_ring_ready(const struct kmonitor_ring *ring);
bool kmonitor_ring_oldest(const struct kmonitor_ring *ring, u64 *time_ns);
bool kmonitor_ring_peek(const struct kmonitor_ring *ring, u32 max,
			struct kmonitor_span *span);
bool kmonitor_ring_consume(struct kmonitor_ring *ring,
			   const struct kmonitor_span *span);
u32 kmonitor_ring_room(const struct kmonitor_ring *ring);
void kmonitor_ring_stats(struct kmonitor_ring *ring,
			 struct kmonitor_stats *stats);

/**
 * kmonitor_ring_take_slot - get a slot to make a record in
 * @ring: The ring.
 * @slot: Gets the slot.
 *
 * What nearly every record needs, and no more.  Others may read the slot
 * meanwhile; its seq is not to be written.
 *
 * Context: Any but NMI; preemption off until kmonitor_ring_put_slot(), see
 *	kmonitor_ring_pin().
 * Return: Whether there is one; not without room, or with a loss to be
 *	reported: then a loss may have to be counted.
 */
static __always_inline bool kmonitor_ring_take_slot(struct kmonitor_ring *ring,
						    struct kmonitor_slot *slot)
{
	struct kmonitor_area *area = ring->area;
	atomic64_t *state = kmonitor_ring_state(ring);
	const u32 mask = ring->size - 1;
	u64 old = atomic64_read(state);
	struct kmonitor_event *record;
	u32 used;

	do {
		/* A: pairs with the exchange in kmonitor_ring_consume() */
		used = (u32)old - smp_load_acquire(&area->tail);
		record = &area->slots[(u32)old & mask];
		/* Not to be computed again behind the exchange. */
		OPTIMIZER_HIDE_VAR(record);
		slot->seq = READ_ONCE(record->seq);
		/* With a loss the state is more than a position. */
		if (unlikely(used > mask || (u32)slot->seq + mask != old))
			return false;
	} while (!atomic64_try_cmpxchg(state, &old, (u32)(old + 1)));
	kmonitor_ring_note_peak(ring, used + 1);
	slot->record = record;
	slot->position = old;
	return true;
}

/**
 * kmonitor_ring_put_slot - publish a record made in its slot
 * @ring: The ring.
 * @slot: From kmonitor_ring_take_slot().
 *
 * Context: Any but NMI.
 * Return: What became of the record, which is in the ring.
 */
static __always_inline enum kmonitor_append
kmonitor_ring_put_slot(struct kmonitor_ring *ring,
		       const struct kmonitor_slot *slot)
{
	const struct kmonitor_area *area = ring->area;

	/*
	 * B: pairs with the acquire in published(); and E: pairs with the
	 * exchange in kmonitor_ring_consume()
	 */
	xchg(&slot->record->seq, slot->seq + ring->size);
	if (likely(slot->position - READ_ONCE(area->tail) >= ring->watermark))
		return KMONITOR_APPEND_QUIET;
	return kmonitor_ring_judge(ring, slot->position);
}

/**
 * kmonitor_ring_lose - count one more loss
 * @ring: The ring.
 * @time_ns: Time of the record that is lost.
 * @done: Gets what the loss asks for.
 *
 * Most of what a full ring costs: there is a loss already, and no room for the
 * record with the LOST one before it.
 *
 * Context: Any but NMI.
 * Return: Whether it has; else it takes more to decide.
 */
static __always_inline bool kmonitor_ring_lose(struct kmonitor_ring *ring,
					       u64 time_ns,
					       enum kmonitor_append *done)
{
	u64 old = atomic64_read(kmonitor_ring_state(ring));
	u32 tail;

	/* From 1 to below the most, and not spilled. */
	if ((old >> KMONITOR_STATE_LOSS_SHIFT) - 1 >= KMONITOR_LOSS_MAX - 1)
		return false;
	/* A: pairs with the exchange in kmonitor_ring_consume() */
	tail = smp_load_acquire(&ring->area->tail);
	if ((u32)old - tail <= ring->size - 2 ||
	    !atomic64_try_cmpxchg(kmonitor_ring_state(ring), &old,
				  old + BIT_ULL(KMONITOR_STATE_LOSS_SHIFT)))
		return false;
	WRITE_ONCE(ring->last_loss_ns, time_ns);
	/* E is the exchange; pairs with that in kmonitor_ring_consume() */
	*done = READ_ONCE(ring->area->tail) == tail ? KMONITOR_APPEND_FULL :
						      KMONITOR_APPEND_WAKE;
	return true;
}

/* Copies all of a record but its seq. */
static __always_inline void
kmonitor_ring_copy(struct kmonitor_event *slot,
		   const struct kmonitor_event *event, u64 cookie)
{
	const size_t rest = offsetof(struct kmonitor_event, type);

	slot->time_ns = event->time_ns;
	slot->cookie = cookie;
	memcpy((u8 *)slot + rest, (const u8 *)event + rest,
	       sizeof(*slot) - rest);
}

/**
 * kmonitor_ring_append - append a record or count its loss
 * @ring: The ring.
 * @event: The record; seq and cookie are not used.
 * @cookie: The cookie of this copy of the record.
 *
 * Context: Any but NMI; preemption off, see kmonitor_ring_pin().
 * Return: What became of it; %KMONITOR_APPEND_FULL has been counted.
 */
static __always_inline enum kmonitor_append
kmonitor_ring_append(struct kmonitor_ring *ring,
		     const struct kmonitor_event *event, u64 cookie)
{
	struct kmonitor_slot slot __uninitialized;
	enum kmonitor_append done;

	kmonitor_ring_pin();
	if (likely(kmonitor_ring_take_slot(ring, &slot))) {
		kmonitor_ring_copy(slot.record, event, cookie);
		done = kmonitor_ring_put_slot(ring, &slot);
	} else if (!kmonitor_ring_lose(ring, event->time_ns, &done)) {
		done = kmonitor_ring_append_group(ring, event, NULL, 0, cookie,
						  false);
	}
	kmonitor_ring_unpin();
	return done;
}

#endif /* _KMONITOR_RING_H */
