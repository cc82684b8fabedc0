// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the ring: order, loss, groups, and a tail that lies.
 */

#include <kunit/test.h>

#include "ring_fast.h"

#define SIZE 8

/* Makes the ring look as if so many records had passed through it. */
static void wind(struct kmonitor_ring *ring, u64 position)
{
	ring->area->tail = position;
	atomic64_set(kmonitor_ring_state(ring), (u32)position);
	for (u32 i = 0; i < SIZE; i++, position++)
		ring->area->slots[position % SIZE].seq = position + 1 - SIZE;
}

static enum kmonitor_wakeup put_record_of(struct kmonitor_ring *ring, u32 type,
					  u32 cookie)
{
	struct kmonitor_event event = { .type = type };
	struct kmonitor_reservation place;
	struct kmonitor_event *record;
	enum kmonitor_wakeup wakeup;
	struct kmonitor_slot slot;

	guard(preempt)();
	if (kmonitor_ring_reserve_slot(ring, &slot)) {
		kmonitor_ring_copy_record(slot.record, &event, cookie);
		return kmonitor_ring_commit_slot(ring, &slot);
	}
	/* As in the fan-out, where some records are made in place. */
	if (cookie % 2) {
		const struct kmonitor_group group = {
			.event = &event,
			.cookie = cookie,
		};

		return kmonitor_ring_append_group(ring, &group);
	}
	if (kmonitor_ring_count_loss(ring, kmonitor_loss_unit(type), 1,
				     &wakeup) ||
	    !kmonitor_ring_reserve(ring, type, 1, &place, &wakeup))
		return wakeup;
	record = kmonitor_ring_reserved_slot(ring, &place);
	record->type = event.type;
	record->cookie = cookie;
	return kmonitor_ring_commit(ring, &place);
}

static enum kmonitor_wakeup put(struct kmonitor_ring *ring, u32 cookie)
{
	return put_record_of(ring, KMONITOR_PROCESS_FORK, cookie);
}

static u64 pending_loss(struct kmonitor_ring *ring)
{
	struct kmonitor_stats stats;

	kmonitor_ring_stats(ring, &stats);
	return stats.pending;
}

/* Appends a record for which there must be room, or must be none. */
static void expect_put(struct kunit *test, u32 cookie)
{
	put(test->priv, cookie);
	KUNIT_EXPECT_EQ(test, pending_loss(test->priv), 0);
}

static void expect_loss(struct kunit *test, u32 cookie)
{
	u64 before = pending_loss(test->priv);

	put(test->priv, cookie);
	KUNIT_EXPECT_EQ(test, pending_loss(test->priv), before + 1);
}

static void put_many(struct kunit *test, u32 from, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		expect_put(test, from + i);
}

#define NR_ARGS 2

static void put_group(struct kunit *test, u32 cookie, u64 loss)
{
	struct kmonitor_event event = { .type = KMONITOR_PROCESS_EXEC };
	struct kmonitor_exec_args args[NR_ARGS] = {
		{ .type = KMONITOR_EXEC_ARGS, .part = 0 },
		{ .type = KMONITOR_EXEC_ARGS, .part = 1 },
	};
	const struct kmonitor_group group = {
		.event = &event,
		.args = args,
		.nr_args = NR_ARGS,
		.cookie = cookie,
	};

	kmonitor_ring_append_group(test->priv, &group);
	KUNIT_EXPECT_EQ(test, pending_loss(test->priv), loss);
}

/* Takes the oldest record, which must be this one. */
static const struct kmonitor_event *take(struct kunit *test, u64 seq, u32 type)
{
	struct kmonitor_ring *ring = test->priv;
	struct kmonitor_span span;

	KUNIT_ASSERT_TRUE(test, kmonitor_ring_peek(ring, 1, &span));
	KUNIT_EXPECT_EQ(test, span.record->seq, seq);
	KUNIT_EXPECT_EQ(test, span.record->type, type);
	KUNIT_ASSERT_TRUE(test, kmonitor_ring_consume(ring, &span));
	return span.record;
}

static void take_many(struct kunit *test, u64 seq, u32 cookie, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(
			test,
			take(test, seq + i, KMONITOR_PROCESS_FORK)->cookie,
			cookie + i);
}

static void take_lost_kinds(struct kunit *test, u64 seq,
			    const struct kmonitor_loss *loss)
{
	const struct kmonitor_lost *lost =
		&take(test, seq, KMONITOR_LOST)->lost;

	KUNIT_EXPECT_EQ(test, lost->forks, loss->forks);
	KUNIT_EXPECT_EQ(test, lost->execs, loss->execs);
	KUNIT_EXPECT_EQ(test, lost->exits, loss->exits);
	KUNIT_EXPECT_EQ(test, lost->count,
			loss->others + loss->forks + loss->execs + loss->exits);
}

static void take_lost_forks(struct kunit *test, u64 seq, u64 count)
{
	const struct kmonitor_loss loss = { .forks = count };

	take_lost_kinds(test, seq, &loss);
}

static void expect_none(struct kunit *test)
{
	struct kmonitor_span span;

	KUNIT_EXPECT_FALSE(test, kmonitor_ring_peek(test->priv, 1, &span));
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_ready(test->priv));
}

static void expect_stats(struct kunit *test, u64 recorded, u64 lost,
			 u64 pending)
{
	struct kmonitor_stats stats;

	kmonitor_ring_stats(test->priv, &stats);
	KUNIT_EXPECT_EQ(test, stats.recorded, recorded);
	KUNIT_EXPECT_EQ(test, stats.lost, lost);
	KUNIT_EXPECT_EQ(test, stats.pending, pending);
	KUNIT_EXPECT_EQ(test, stats.matched, recorded + lost + pending);
}

static void records_come_out_in_order(struct kunit *test)
{
	u64 seq = 1;

	expect_none(test);
	for (u32 nr = 1; nr <= SIZE; nr++) {
		put_many(test, seq, nr);
		KUNIT_EXPECT_EQ(test, kmonitor_ring_room(test->priv),
				SIZE - nr);
		take_many(test, seq, seq, nr);
		seq += nr;
	}
	expect_none(test);
	expect_stats(test, seq - 1, 0, 0);
}

static void a_loss_stands_before_the_next_record(struct kunit *test)
{
	put_many(test, 0, SIZE);
	for (u32 i = 0; i < 5; i++)
		expect_loss(test, i);
	expect_stats(test, SIZE, 0, 5);
	/* LOST and the record need two slots. */
	take_many(test, 1, 0, 1);
	expect_loss(test, 0);
	take_many(test, 2, 1, 1);
	expect_put(test, 77);
	expect_stats(test, SIZE + 1, 6, 0);
	take_many(test, 3, 2, SIZE - 2);
	take_lost_forks(test, SIZE + 1, 6);
	take_many(test, SIZE + 2, 77, 1);
	expect_none(test);
}

static void
a_loss_with_nothing_behind_it_is_reported_when_drained(struct kunit *test)
{
	put_many(test, 0, SIZE);
	expect_loss(test, 0);
	for (u32 i = 0; i < SIZE; i++) {
		kmonitor_ring_report_loss(test->priv);
		expect_stats(test, SIZE, 0, 1);
		take_many(test, 1 + i, i, 1);
	}
	kmonitor_ring_report_loss(test->priv);
	kmonitor_ring_report_loss(test->priv);
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_ready(test->priv));
	take_lost_forks(test, SIZE + 1, 1);
	expect_none(test);
	expect_stats(test, SIZE, 1, 0);
}

static bool try_put(struct kunit *test)
{
	struct kmonitor_event event = { .type = KMONITOR_EMPTY };
	const struct kmonitor_group group = { .event = &event };
	enum kmonitor_wakeup wakeup;

	return kmonitor_ring_try_append(test->priv, &group, &wakeup);
}

static void a_record_that_is_kept_is_no_loss(struct kunit *test)
{
	put_many(test, 0, SIZE);
	KUNIT_EXPECT_FALSE(test, try_put(test));
	expect_stats(test, SIZE, 0, 0);
	/* Nor is it behind a loss. */
	expect_loss(test, 0);
	KUNIT_EXPECT_FALSE(test, try_put(test));
	expect_stats(test, SIZE, 0, 1);
	take_many(test, 1, 0, 2);
	KUNIT_EXPECT_TRUE(test, try_put(test));
	expect_stats(test, SIZE + 1, 1, 0);
}

static void a_group_is_there_whole_or_not_at_all(struct kunit *test)
{
	const struct kmonitor_loss loss = { .others = 2 * NR_ARGS, .execs = 2 };

	put_many(test, 0, SIZE - 2);
	put_group(test, 0, 3);
	expect_stats(test, SIZE - 2, 0, 3);
	/* Room for the group, but not for the loss before it. */
	take_many(test, 1, 0, 1);
	put_group(test, 0, 6);
	take_many(test, 2, 1, 1);
	put_group(test, 9, 0);
	KUNIT_EXPECT_EQ(test, kmonitor_ring_room(test->priv), 0);
	take_many(test, 3, 2, SIZE - 4);
	take_lost_kinds(test, SIZE - 1, &loss);
	KUNIT_EXPECT_EQ(test, take(test, SIZE, KMONITOR_PROCESS_EXEC)->cookie,
			9);
	for (u32 part = 0; part < 2; part++) {
		const struct kmonitor_exec_args *args = (const void *)take(
			test, SIZE + 1 + part, KMONITOR_EXEC_ARGS);

		KUNIT_EXPECT_EQ(test, args->part, part);
		KUNIT_EXPECT_EQ(test, args->cookie, 9);
	}
	expect_none(test);
}

static const u32 lost_types[] = {
	KMONITOR_PROCESS_FORK,	KMONITOR_PROCESS_EXIT, KMONITOR_PROCESS_EXEC,
	KMONITOR_THREAD_CREATE, KMONITOR_THREAD_EXIT,  KMONITOR_COMM,
	KMONITOR_PROCESS_FORK,
};

/* More than the state has bits for, so that each kind is spilled. */
#define ROUNDS 500

static void losses_are_counted_by_kind(struct kunit *test)
{
	const struct kmonitor_loss loss = {
		.others = ROUNDS,
		.forks = 3 * ROUNDS,
		.execs = ROUNDS,
		.exits = 2 * ROUNDS,
	};

	put_many(test, 0, SIZE);
	for (u32 i = 0; i < ROUNDS * ARRAY_SIZE(lost_types); i++)
		put_record_of(test->priv,
			      lost_types[i % ARRAY_SIZE(lost_types)], i / 3);
	expect_stats(test, SIZE, 0, ROUNDS * ARRAY_SIZE(lost_types));
	take_many(test, 1, 0, SIZE);
	expect_put(test, 5);
	take_lost_kinds(test, SIZE + 1, &loss);
	take_many(test, SIZE + 2, 5, 1);
	expect_stats(test, SIZE + 1, ROUNDS * ARRAY_SIZE(lost_types), 0);
	/* The counters are as good as new. */
	put_many(test, 0, SIZE);
	expect_loss(test, 0);
	take_many(test, SIZE + 3, 0, SIZE);
	kmonitor_ring_report_loss(test->priv);
	take_lost_forks(test, 2 * SIZE + 3, 1);
}

static void lost_groups_are_spilled_exactly(struct kunit *test)
{
	const struct kmonitor_loss loss = {
		.others = ROUNDS * NR_ARGS,
		.execs = ROUNDS,
	};

	put_many(test, 0, SIZE);
	for (u32 i = 1; i <= ROUNDS; i++)
		put_group(test, 0, i * (1 + NR_ARGS));
	take_many(test, 1, 0, SIZE);
	kmonitor_ring_report_loss(test->priv);
	take_lost_kinds(test, SIZE + 1, &loss);
	expect_none(test);
}

static void a_loss_beyond_32_bits_is_exact(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;

	put_many(test, 0, SIZE);
	ring->spilled.forks = U32_MAX;
	atomic64_or(KMONITOR_LOSS_SPILLED, kmonitor_ring_state(ring));
	expect_loss(test, 0);
	expect_loss(test, 1);
	take_many(test, 1, 0, SIZE);
	kmonitor_ring_report_loss(ring);
	take_lost_forks(test, SIZE + 1, U32_MAX + 2ULL);
	expect_stats(test, SIZE, U32_MAX + 2ULL, 0);
}

static void positions_wrap_and_sequence_numbers_do_not(struct kunit *test)
{
	u64 position = (u64)U32_MAX - SIZE - 2;

	wind(test->priv, position);
	for (u32 nr = 1; nr <= SIZE; nr++, position += nr - 1) {
		put_many(test, 0, nr);
		if (nr == SIZE)
			expect_loss(test, 0);
		take_many(test, position + 1, 0, nr);
		if (nr < SIZE)
			expect_none(test);
	}
	KUNIT_EXPECT_GT(test, position, U32_MAX);
	kmonitor_ring_report_loss(test->priv);
	take_lost_forks(test, position + 1, 1);
	expect_stats(test, position, 1, 0);
}

static void a_full_ring_is_full_across_the_wrap(struct kunit *test)
{
	u64 position = (u64)U32_MAX - 2;

	wind(test->priv, position);
	put_many(test, 0, SIZE);
	KUNIT_EXPECT_EQ(test, kmonitor_ring_room(test->priv), 0);
	expect_loss(test, 0);
	take_many(test, position + 1, 0, 2);
	expect_put(test, 6);
	take_many(test, position + 3, 2, SIZE - 2);
	take_lost_forks(test, position + SIZE + 1, 1);
	take_many(test, position + SIZE + 2, 6, 1);
}

/* Whatever tail says, a producer that has not published keeps its slot. */
static void an_unpublished_slot_has_one_owner(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;
	u64 lost = 0;

	/* A producer has reserved position 0, and runs on. */
	atomic64_set(kmonitor_ring_state(ring), 1);
	for (u32 i = 1; i < SIZE; i++)
		expect_put(test, i);
	for (u32 tail = -3 * SIZE; tail != 3 * SIZE; tail++) {
		WRITE_ONCE(ring->area->tail, tail);
		expect_loss(test, 0);
		put_group(test, 0, lost + 4);
		kmonitor_ring_report_loss(ring);
		KUNIT_EXPECT_EQ(test,
				(u32)atomic64_read(kmonitor_ring_state(ring)),
				SIZE);
		lost += 4;
	}
	expect_stats(test, SIZE, 0, lost);
	WRITE_ONCE(ring->area->tail, 0);
	expect_none(test);
	/* It publishes. */
	smp_store_release(&ring->area->slots[0].seq, 1);
	WRITE_ONCE(ring->area->tail, SIZE);
	expect_put(test, 5);
	KUNIT_EXPECT_EQ(test, take(test, SIZE + 1, KMONITOR_LOST)->lost.count,
			lost);
	take_many(test, SIZE + 2, 5, 1);
}

static void a_tail_that_lies_shows_no_record(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;
	struct kmonitor_span span;

	wind(ring, 2 * SIZE);
	put_many(test, 0, 3);
	for (u32 tail = 0; tail < 4 * SIZE; tail++) {
		bool there = tail >= 2 * SIZE && tail < 2 * SIZE + 3;

		/* A record of the lap before comes again unless it is overwritten. */
		if (tail >= SIZE + 3 && tail < 2 * SIZE)
			continue;
		WRITE_ONCE(ring->area->tail, tail);
		KUNIT_EXPECT_EQ(test, kmonitor_ring_peek(ring, SIZE, &span),
				there);
		KUNIT_EXPECT_EQ(test, kmonitor_ring_ready(ring), there);
	}
	WRITE_ONCE(ring->area->tail, 2 * SIZE + 4);
	KUNIT_EXPECT_EQ(test, kmonitor_ring_room(ring), 0);
	expect_loss(test, 0);
}

static void what_was_overtaken_or_taken_is_not_consumed(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;
	struct kmonitor_span span, same;

	put_many(test, 0, SIZE);
	KUNIT_ASSERT_TRUE(test, kmonitor_ring_peek(ring, 4, &span));
	KUNIT_EXPECT_EQ(test, span.nr, 4);
	same = span;
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_consume(ring, &span));
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_consume(ring, &same));

	/* A producer takes the slot, and the tail goes back. */
	KUNIT_ASSERT_TRUE(test, kmonitor_ring_peek(ring, 1, &span));
	WRITE_ONCE(ring->area->tail, SIZE);
	put_many(test, 0, 5);
	WRITE_ONCE(ring->area->tail, span.position);
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_consume(ring, &span));
	KUNIT_EXPECT_EQ(test, ring->area->tail, span.position);
}

static void a_span_ends_with_the_memory(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;
	struct kmonitor_span span;

	wind(ring, SIZE - 3);
	put_many(test, 0, 5);
	KUNIT_ASSERT_TRUE(test, kmonitor_ring_peek(ring, SIZE, &span));
	KUNIT_EXPECT_EQ(test, span.nr, 3);
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_consume(ring, &span));
	KUNIT_ASSERT_TRUE(test, kmonitor_ring_peek(ring, SIZE, &span));
	KUNIT_EXPECT_EQ(test, span.nr, 2);
	KUNIT_EXPECT_PTR_EQ(test, span.record, &ring->area->slots[0]);
}

static void below_the_watermark_the_first_is_announced_later(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;

	ring->watermark = 3;
	KUNIT_EXPECT_EQ(test, put(ring, 0), KMONITOR_WAKEUP_DELAYED);
	KUNIT_EXPECT_EQ(test, put(ring, 1), KMONITOR_WAKEUP_NONE);
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_ready(ring));
	KUNIT_EXPECT_EQ(test, put(ring, 2), KMONITOR_WAKEUP_NOW);
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_ready(ring));
	take_many(test, 1, 0, 1);
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_ready(ring));
	kmonitor_ring_announce(ring);
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_ready(ring));
	take_many(test, 2, 1, 2);
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_ready(ring));
	KUNIT_EXPECT_EQ(test, put(ring, 3), KMONITOR_WAKEUP_DELAYED);
}

static void reserve_slot(struct kunit *test, struct kmonitor_slot *slot)
{
	KUNIT_ASSERT_TRUE(test, kmonitor_ring_reserve_slot(test->priv, slot));
	slot->record->type = KMONITOR_PROCESS_FORK;
}

static enum kmonitor_wakeup put_urgent(struct kunit *test)
{
	struct kmonitor_event event = { .type = KMONITOR_PROCESS_EXIT };
	const struct kmonitor_group group = { .event = &event, .urgent = true };

	return kmonitor_ring_append_group(test->priv, &group);
}

/* The consumer sleeps at a slot in flight, behind which all is announced. */
static void a_slot_in_flight_before_an_urgent_record_wakes(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;
	struct kmonitor_slot slot;

	ring->watermark = 4;
	guard(preempt)();
	reserve_slot(test, &slot);
	KUNIT_EXPECT_EQ(test, put_urgent(test), KMONITOR_WAKEUP_NOW);
	KUNIT_EXPECT_EQ(test, kmonitor_ring_readiness(ring),
			KMONITOR_IN_FLIGHT);
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_in_flight(ring));
	KUNIT_EXPECT_EQ(test, kmonitor_ring_commit_slot(ring, &slot),
			KMONITOR_WAKEUP_NOW);
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_in_flight(ring));
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_ready(ring));
}

static void a_slot_in_flight_when_the_delay_expires_wakes(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;
	struct kmonitor_slot slot;

	ring->watermark = 8;
	guard(preempt)();
	KUNIT_EXPECT_EQ(test, put(ring, 0), KMONITOR_WAKEUP_DELAYED);
	reserve_slot(test, &slot);
	put(ring, 2);
	kmonitor_ring_announce(ring);
	take_many(test, 1, 0, 1);
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_ready(ring));
	KUNIT_EXPECT_EQ(test, kmonitor_ring_commit_slot(ring, &slot),
			KMONITOR_WAKEUP_NOW);
}

static void
a_slot_in_flight_while_the_watermark_passes_wakes(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;
	struct kmonitor_slot slot;

	ring->watermark = 2;
	guard(preempt)();
	reserve_slot(test, &slot);
	KUNIT_EXPECT_EQ(test, put(ring, 1), KMONITOR_WAKEUP_NOW);
	KUNIT_EXPECT_EQ(test, put(ring, 2), KMONITOR_WAKEUP_NONE);
	KUNIT_EXPECT_EQ(test, kmonitor_ring_commit_slot(ring, &slot),
			KMONITOR_WAKEUP_NOW);
}

/* One consumer has taken the record at once; others sleep at the next. */
static void a_consumer_ahead_of_the_producer_is_woken(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;
	struct kmonitor_slot slot;

	guard(preempt)();
	reserve_slot(test, &slot);
	put(ring, 1);
	ring->area->tail = 1;
	KUNIT_EXPECT_EQ(test, kmonitor_ring_commit_slot(ring, &slot),
			KMONITOR_WAKEUP_NOW);
}

static void announcements_do_not_outlive_the_wrap(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;

	ring->watermark = 4;
	put_urgent(test);
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_ready(ring));
	/* Nearly a lap of all positions later. */
	wind(ring, BIT_ULL(32) - 4);
	KUNIT_EXPECT_EQ(test, put(ring, 0), KMONITOR_WAKEUP_DELAYED);
	KUNIT_EXPECT_FALSE(test, kmonitor_ring_ready(ring));
	kmonitor_ring_announce(ring);
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_ready(ring));
	take_many(test, BIT_ULL(32) - 3, 0, 1);
	KUNIT_EXPECT_EQ(test, put_urgent(test), KMONITOR_WAKEUP_NOW);
	KUNIT_EXPECT_TRUE(test, kmonitor_ring_ready(ring));
}

static void a_tail_that_lies_is_never_in_flight(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;

	wind(ring, 2 * SIZE);
	put_many(test, 0, 3);
	for (u32 tail = 0; tail < 4 * SIZE; tail++) {
		WRITE_ONCE(ring->area->tail, tail);
		KUNIT_EXPECT_FALSE(test, kmonitor_ring_in_flight(ring));
	}
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(records_come_out_in_order),
	KUNIT_CASE(a_loss_stands_before_the_next_record),
	KUNIT_CASE(a_loss_with_nothing_behind_it_is_reported_when_drained),
	KUNIT_CASE(a_record_that_is_kept_is_no_loss),
	KUNIT_CASE(a_group_is_there_whole_or_not_at_all),
	KUNIT_CASE(losses_are_counted_by_kind),
	KUNIT_CASE(lost_groups_are_spilled_exactly),
	KUNIT_CASE(a_loss_beyond_32_bits_is_exact),
	KUNIT_CASE(positions_wrap_and_sequence_numbers_do_not),
	KUNIT_CASE(a_full_ring_is_full_across_the_wrap),
	KUNIT_CASE(an_unpublished_slot_has_one_owner),
	KUNIT_CASE(a_tail_that_lies_shows_no_record),
	KUNIT_CASE(what_was_overtaken_or_taken_is_not_consumed),
	KUNIT_CASE(a_span_ends_with_the_memory),
	KUNIT_CASE(below_the_watermark_the_first_is_announced_later),
	KUNIT_CASE(a_slot_in_flight_before_an_urgent_record_wakes),
	KUNIT_CASE(a_slot_in_flight_when_the_delay_expires_wakes),
	KUNIT_CASE(a_slot_in_flight_while_the_watermark_passes_wakes),
	KUNIT_CASE(a_consumer_ahead_of_the_producer_is_woken),
	KUNIT_CASE(announcements_do_not_outlive_the_wrap),
	KUNIT_CASE(a_tail_that_lies_is_never_in_flight),
	{}
};

static int ring_init(struct kunit *test)
{
	test->priv =
		kunit_kzalloc(test, sizeof(struct kmonitor_ring), GFP_KERNEL);
	if (!test->priv)
		return -ENOMEM;
	return kmonitor_ring_init(test->priv, SIZE, 1);
}

static void ring_exit(struct kunit *test)
{
	struct kmonitor_ring *ring = test->priv;

	if (ring && ring->area)
		kmonitor_ring_destroy(ring);
}

static struct kunit_suite ring_suite = {
	.name = "kmonitor_ring",
	.init = ring_init,
	.exit = ring_exit,
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);

MODULE_DESCRIPTION("KUnit tests of the ring");
MODULE_LICENSE("GPL");
