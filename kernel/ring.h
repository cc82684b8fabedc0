/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of records: many producers, one stream.
 */
#ifndef _KMONITOR_RING_H
#define _KMONITOR_RING_H

#include <asm/page.h>
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct page;

/* Most records that one call appends: an event and its continuations. */
#define KMONITOR_GROUP_MAX 65U

/*
 * The upper half of the state: pending losses by kind.  The top bit of each
 * kind says that the counts must be spilled before it grows further.
 */
#define KMONITOR_LOSS_OTHER BIT_ULL(32)
#define KMONITOR_LOSS_FORK BIT_ULL(40)
#define KMONITOR_LOSS_EXIT BIT_ULL(48)
#define KMONITOR_LOSS_EXEC BIT_ULL(56)
#define KMONITOR_LOSS_SPILLED BIT_ULL(63)
#define KMONITOR_LOSS_FULL \
	(BIT_ULL(39) | BIT_ULL(47) | BIT_ULL(55) | BIT_ULL(62))

/**
 * struct kmonitor_loss - numbers of lost records by kind
 * @others: Records of no kind below.
 * @forks: PROCESS_FORK and THREAD_CREATE.
 * @execs: PROCESS_EXEC.
 * @exits: PROCESS_EXIT and THREAD_EXIT.
 */
struct kmonitor_loss {
	u64 others;
	u64 forks;
	u64 execs;
	u64 exits;
};

/**
 * struct kmonitor_area - the part of a ring that consumers can map
 * @tail: The consumer's position, in a page of its own.  Written by
 *	consumers, in the kernel and through mmap; never trusted.
 * @header: Read-only for consumers.  Its state has the position to reserve
 *	next and the pending loss, see ring.c.
 * @slots: The records.
 */
struct kmonitor_area {
	u32 tail;
	struct kmonitor_header header __aligned(PAGE_SIZE);
	struct kmonitor_event slots[] __aligned(PAGE_SIZE);
};

/**
 * struct kmonitor_ring - a ring of records
 * @area: The memory that can be mapped.
 * @size: Number of slots, a power of two.
 * @watermark: Number of records that make the ring ready; never changes.
 * @announced: Sequence number up to which records are ready below the
 *	watermark, too.  Only grows, by compare-and-exchange.
 * @peak: Highest fill level, advisory, written by producers.
 * @nr_pages: Number of @pages.
 * @pages: The pages behind @area.
 * @first_loss_ns: Time of the first pending loss, advisory.
 * @last_loss_ns: Time of the last pending loss, advisory.
 * @loss_lock: Protects what follows.  Held by those who clear the loss in the
 *	state of @area, or set its spilled bit.
 * @lost: Losses reported by LOST records.
 * @lost_records: Number of LOST records.
 * @spilled: Pending losses that no longer fit into that state.
 */
struct kmonitor_ring {
	struct kmonitor_area *area;
	u32 size;
	u32 watermark;
	u64 announced;
	u32 peak;
	u32 nr_pages;
	struct page **pages;
	u64 first_loss_ns;
	u64 last_loss_ns;
	raw_spinlock_t loss_lock;
	u64 lost;
	u64 lost_records;
	struct kmonitor_loss spilled;
};

/**
 * enum kmonitor_wakeup - what the consumers are owed after an append
 * @KMONITOR_WAKEUP_NONE: Nothing, or somebody else will wake them.
 * @KMONITOR_WAKEUP_DELAYED: A wake-up when the delay has expired: the oldest
 *	record has come, and the ring is not ready.
 * @KMONITOR_WAKEUP_NOW: A wake-up, for a record or for a loss.
 */
enum kmonitor_wakeup {
	KMONITOR_WAKEUP_NONE,
	KMONITOR_WAKEUP_DELAYED,
	KMONITOR_WAKEUP_NOW,
};

/**
 * enum kmonitor_readiness - what a consumer finds
 * @KMONITOR_NOT_READY: Nothing to be woken for.
 * @KMONITOR_IN_FLIGHT: There would be, but the oldest record is reserved and
 *	not published yet.  Its producer wakes the consumer.
 * @KMONITOR_READY: There is a record, and the watermark is reached, a loss is
 *	pending, or the record has been announced.
 */
enum kmonitor_readiness {
	KMONITOR_NOT_READY,
	KMONITOR_IN_FLIGHT,
	KMONITOR_READY,
};

/**
 * struct kmonitor_reservation - the decision on one or more records
 * @position: Position of the first slot.
 * @nr: Number of slots: one for each record and one for a loss before them; 0
 *	if there is no room.
 * @tail: The consumer's position at that time.
 * @loss: Losses to report in the first slot, if there is one for them.
 */
struct kmonitor_reservation {
	u32 position;
	u32 nr;
	u32 tail;
	struct kmonitor_loss loss;
};

/**
 * struct kmonitor_group - records that are appended together
 * @event: The first record; seq and cookie are not used.
 * @args: The records that continue it; seq and cookie are not used.
 * @nr_args: Their number, below %KMONITOR_GROUP_MAX.  A group above half of
 *	the ring may never fit.
 * @cookie: The cookie of these copies.
 * @urgent: Whether the consumer is woken for them below the watermark.
 */
struct kmonitor_group {
	const struct kmonitor_event *event;
	const struct kmonitor_exec_args *args;
	u32 nr_args;
	u64 cookie;
	bool urgent;
};

/**
 * struct kmonitor_span - records that can be consumed
 * @record: The first of them; the others follow it in memory.
 * @position: Position of the first.
 * @nr: Their number.
 * @last: The record after them is not there yet.
 */
struct kmonitor_span {
	const struct kmonitor_event *record;
	u32 position;
	u32 nr;
	bool last;
};

static inline atomic64_t *kmonitor_ring_state(const struct kmonitor_ring *ring)
{
	return (atomic64_t *)&ring->area->header.state;
}

static inline bool
kmonitor_ring_has_pending_loss(const struct kmonitor_ring *ring)
{
	return atomic64_read(kmonitor_ring_state(ring)) >>
	       KMONITOR_STATE_LOSS_SHIFT;
}

u32 kmonitor_ring_pages(u32 size);
int kmonitor_ring_init(struct kmonitor_ring *ring, u32 size, u32 watermark);
void kmonitor_ring_destroy(struct kmonitor_ring *ring);

enum kmonitor_wakeup
kmonitor_ring_choose_wakeup(const struct kmonitor_ring *ring, u32 position,
			    u32 nr);
bool kmonitor_ring_reserve(struct kmonitor_ring *ring, u32 type, u64 time_ns,
			   struct kmonitor_reservation *reservation,
			   enum kmonitor_wakeup *wakeup);
struct kmonitor_event *
kmonitor_ring_reserved_slot(const struct kmonitor_ring *ring,
			    const struct kmonitor_reservation *reservation);
enum kmonitor_wakeup
kmonitor_ring_commit(struct kmonitor_ring *ring,
		     const struct kmonitor_reservation *reservation);
enum kmonitor_wakeup
kmonitor_ring_append_group(struct kmonitor_ring *ring,
			   const struct kmonitor_group *group);
enum kmonitor_wakeup kmonitor_ring_drop(struct kmonitor_ring *ring,
					const struct kmonitor_event *event);
bool kmonitor_ring_try_append(struct kmonitor_ring *ring,
			      const struct kmonitor_group *group,
			      enum kmonitor_wakeup *wakeup);
void kmonitor_ring_report_loss(struct kmonitor_ring *ring);
void kmonitor_ring_announce(struct kmonitor_ring *ring);

enum kmonitor_readiness
kmonitor_ring_readiness(const struct kmonitor_ring *ring);
bool kmonitor_ring_is_drained(const struct kmonitor_ring *ring);
bool kmonitor_ring_in_flight(const struct kmonitor_ring *ring);
bool kmonitor_ring_oldest(const struct kmonitor_ring *ring, u64 *time_ns);
bool kmonitor_ring_peek(const struct kmonitor_ring *ring, u32 max,
			struct kmonitor_span *span);
bool kmonitor_ring_consume(struct kmonitor_ring *ring,
			   const struct kmonitor_span *span);
u32 kmonitor_ring_room(const struct kmonitor_ring *ring);
void kmonitor_ring_stats(struct kmonitor_ring *ring,
			 struct kmonitor_stats *stats);

static inline bool kmonitor_ring_ready(const struct kmonitor_ring *ring)
{
	return kmonitor_ring_readiness(ring) == KMONITOR_READY;
}

/* The unit in which the state counts the loss of a record of this type. */
static __always_inline u64 kmonitor_loss_unit(u32 type)
{
	if (type & (KMONITOR_PROCESS_EXIT | KMONITOR_THREAD_EXIT))
		return KMONITOR_LOSS_EXIT;
	if (type & (KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE))
		return KMONITOR_LOSS_FORK;
	if (type & KMONITOR_PROCESS_EXEC)
		return KMONITOR_LOSS_EXEC;
	return KMONITOR_LOSS_OTHER;
}

/* Notes that a number of slots, one more than @below, are used. */
static __always_inline void kmonitor_ring_note_peak(struct kmonitor_ring *ring,
						    u32 below)
{
	/* Advisory: a race may lose the higher of two. */
	if (unlikely(below >= data_race(ring->peak)))
		WRITE_ONCE(ring->peak, below + 1);
}

/* Copies all of a record but its seq. */
static __always_inline void
kmonitor_ring_copy_record(struct kmonitor_event *slot,
			  const struct kmonitor_event *event, u64 cookie)
{
	const size_t rest = offsetof(struct kmonitor_event, type);

	slot->time_ns = event->time_ns;
	slot->cookie = cookie;
	memcpy((u8 *)slot + rest, (const u8 *)event + rest,
	       sizeof(*slot) - rest);
}

#endif /* _KMONITOR_RING_H */
