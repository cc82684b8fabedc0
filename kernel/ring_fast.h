/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inline part of appending: what nearly every record needs, and no more.
 * The protocol is in ring.c.
 */
#ifndef _KMONITOR_RING_FAST_H
#define _KMONITOR_RING_FAST_H

#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/preempt.h>

#include "debug.h"
#include "ring.h"

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

/**
 * kmonitor_ring_reserve_slot - get a slot to make a record in
 * @ring: The ring.
 * @slot: Gets the slot.
 *
 * Others may read the slot meanwhile; its seq is not to be written.
 *
 * Context: Any but NMI; preemption off until kmonitor_ring_commit_slot(), see
 *	kmonitor_ring_pin().
 * Return: Whether there is one.  False without room, or with a loss to be
 *	reported: then a loss may have to be counted.
 */
static __always_inline bool
kmonitor_ring_reserve_slot(struct kmonitor_ring *ring,
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
	kmonitor_ring_note_peak(ring, used);
	slot->record = record;
	slot->position = old;
	return true;
}

/**
 * kmonitor_ring_commit_slot - publish a record made in its slot
 * @ring: The ring.
 * @slot: From kmonitor_ring_reserve_slot().
 *
 * Context: Any but NMI.
 * Return: What the consumers are owed.
 */
static __always_inline enum kmonitor_wakeup
kmonitor_ring_commit_slot(struct kmonitor_ring *ring,
			  const struct kmonitor_slot *slot)
{
	const struct kmonitor_area *area = ring->area;

	kmonitor_delay_commit();
	/*
	 * B: pairs with the acquire in load_seq(); and E: pairs with the
	 * exchange in kmonitor_ring_consume()
	 */
	xchg(&slot->record->seq, slot->seq + ring->size);
	/* Far enough behind the tail others wake, see choose_wakeup. */
	if (likely((s32)(slot->position - READ_ONCE(area->tail)) >=
		   (s32)ring->watermark))
		return KMONITOR_WAKEUP_NONE;
	return kmonitor_ring_choose_wakeup(ring, slot->position, 1);
}

/**
 * kmonitor_ring_count_loss - count one more loss
 * @ring: The ring.
 * @unit: kmonitor_loss_unit() of the record that is lost.
 * @time_ns: Its time.
 * @wakeup: Gets what the consumers are owed.
 *
 * Most of what a full ring costs: there is a loss already, and no room for the
 * record with the LOST one before it.
 *
 * Context: Any but NMI.
 * Return: True if the loss was counted; false if kmonitor_ring_reserve() must
 *	decide.
 */
static __always_inline bool
kmonitor_ring_count_loss(struct kmonitor_ring *ring, u64 unit, u64 time_ns,
			 enum kmonitor_wakeup *wakeup)
{
	const u32 full = KMONITOR_LOSS_FULL >> KMONITOR_STATE_LOSS_SHIFT;
	u64 old = atomic64_read(kmonitor_ring_state(ring));
	u32 loss = old >> KMONITOR_STATE_LOSS_SHIFT;
	u32 tail;

	if (!loss || loss & full)
		return false;
	/* A: pairs with the exchange in kmonitor_ring_consume() */
	tail = smp_load_acquire(&ring->area->tail);
	if ((u32)old - tail <= ring->size - 2 ||
	    !atomic64_try_cmpxchg(kmonitor_ring_state(ring), &old, old + unit))
		return false;
	WRITE_ONCE(ring->last_loss_ns, time_ns);
	/* E is the exchange; pairs with that in kmonitor_ring_consume() */
	*wakeup = READ_ONCE(ring->area->tail) == tail ? KMONITOR_WAKEUP_NONE :
							KMONITOR_WAKEUP_NOW;
	return true;
}

#endif /* _KMONITOR_RING_FAST_H */
