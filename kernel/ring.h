/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of records: many producers, one consumer at a time.
 */
#ifndef _KMONITOR_RING_H
#define _KMONITOR_RING_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct page;

/**
 * struct kmonitor_ring - a ring of records
 * @state: Position to reserve next and pending loss, see ring.c.
 * @slots: The records.
 * @tail: The consumer's position, in a page of its own.  Written by the
 *	consumer only; never trusted.
 * @size: Number of slots, a power of two.
 * @nr_pages: Number of @pages.
 * @pages: The pages behind @tail and @slots.
 * @recent: A 64-bit position near the current one.  Written by the producer
 *	of slot 0, once a lap.
 * @peak: Highest fill level, advisory, written by producers.
 * @first_loss_ns: Time of the first pending loss, advisory.
 * @last_loss_ns: Time of the last pending loss, advisory.
 * @lost: Losses reported by LOST records.
 * @lost_records: Number of LOST records.
 * @spill_lock: Protects @spilled and, while held, the spilled bit of @state.
 * @spilled: Pending losses that no longer fit into @state.
 */
struct kmonitor_ring {
	atomic64_t state;
	struct kmonitor_event *slots;
	u32 *tail;
	u32 size;
	u32 nr_pages;
	struct page **pages;
	u64 recent;
	u32 peak;
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
 * @KMONITOR_APPEND_QUIET: It is in the ring; the consumer is busy before it.
 * @KMONITOR_APPEND_WAKE: The consumer must be woken: for the record, or for a
 *	loss that it may have missed.
 */
enum kmonitor_append {
	KMONITOR_APPEND_FULL,
	KMONITOR_APPEND_QUIET,
	KMONITOR_APPEND_WAKE,
};

int kmonitor_ring_init(struct kmonitor_ring *ring, u32 size);
void kmonitor_ring_destroy(struct kmonitor_ring *ring);

enum kmonitor_append kmonitor_ring_append(struct kmonitor_ring *ring,
					  const struct kmonitor_event *event,
					  u64 cookie);
enum kmonitor_append
kmonitor_ring_try_append(struct kmonitor_ring *ring,
			 const struct kmonitor_event *event, u64 cookie);
void kmonitor_ring_report_loss(struct kmonitor_ring *ring);

const struct kmonitor_event *kmonitor_ring_peek(struct kmonitor_ring *ring);
void kmonitor_ring_consume(struct kmonitor_ring *ring);
u32 kmonitor_ring_depth(const struct kmonitor_ring *ring);
void kmonitor_ring_stats(struct kmonitor_ring *ring,
			 struct kmonitor_stats *stats);

#endif /* _KMONITOR_RING_H */
