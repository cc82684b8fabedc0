/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of records: many producers, one stream.
 */
#ifndef _KMONITOR_RING_H
#define _KMONITOR_RING_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct page;

/* Most records that one call appends: an event and its continuations. */
#define KMONITOR_GROUP_MAX 65U

/**
 * struct kmonitor_ring - a ring of records
 * @state: Position to reserve next and pending loss, see ring.c.  It is the
 *	state in @header.
 * @slots: The records.
 * @tail: The consumer's position, in a page of its own.  Written by
 *	consumers, in the kernel and through mmap; never trusted.
 * @size: Number of slots, a power of two.
 * @watermark: Records that make the ring ready; never changes.
 * @announced: Position up to which records are ready whatever @watermark says.
 *	Changed by compare-and-exchange only.
 * @peak: Highest fill level, advisory, written by producers.
 * @recent: A 64-bit position near the current one.  Written by the producer
 *	of slot 0, once a lap.
 * @header: What an mmap consumer may know, in a page of its own.
 * @nr_pages: Number of @pages.
 * @pages: The pages behind @tail, @header and @slots.
 * @first_loss_ns: Time of the first pending loss, advisory.
 * @last_loss_ns: Time of the last pending loss, advisory.
 * @lost: Losses reported by LOST records.
 * @lost_records: Number of LOST records.
 * @spill_lock: Protects @spilled and, while held, the spilled bit of @state.
 * @spilled: Pending losses that no longer fit into @state.
 */
struct kmonitor_ring {
	atomic64_t *state;
	struct kmonitor_event *slots;
	u32 *tail;
	u32 size;
	u32 watermark;
	u32 announced;
	u32 peak;
	u64 recent;
	struct kmonitor_header *header;
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
 * struct kmonitor_span - records that can be consumed
 * @record: The first of them; the others follow it in memory.
 * @position: Position of the first.
 * @nr: Their number.
 */
struct kmonitor_span {
	const struct kmonitor_event *record;
	u32 position;
	u32 nr;
};

/* Whether a loss is pending. */
static inline bool kmonitor_ring_loses(const struct kmonitor_ring *ring)
{
	return atomic64_read(ring->state) >> KMONITOR_STATE_LOSS_SHIFT;
}

/* mmap.c: the memory of the ring */
int kmonitor_ring_init(struct kmonitor_ring *ring, u32 size, u32 watermark);
void kmonitor_ring_destroy(struct kmonitor_ring *ring);

bool kmonitor_ring_reserve(struct kmonitor_ring *ring, u64 time_ns,
			   struct kmonitor_reservation *reservation);
enum kmonitor_append
kmonitor_ring_commit(struct kmonitor_ring *ring,
		     const struct kmonitor_reservation *reservation, u64 cookie,
		     bool urgent);
enum kmonitor_append kmonitor_ring_append(struct kmonitor_ring *ring,
					  const struct kmonitor_event *event,
					  u64 cookie);
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

#endif /* _KMONITOR_RING_H */
