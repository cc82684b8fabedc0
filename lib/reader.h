/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A consumer of records, and the ways to get at them.
 */
#ifndef KMON_READER_H
#define KMON_READER_H

#include <stdbool.h>

#include "kmon.h"

/**
 * struct reader_ops - one way to consume
 * @more: Sets at and end of the consumer to records that have come; 0, also if
 *	there are none now, or a negative errno value.
 * @poll_fd: The descriptor to poll for more.
 * @free: Releases the consumer.
 */
struct reader_ops {
	int (*more)(struct kmon_reader *reader);
	int (*poll_fd)(const struct kmon_reader *reader);
	void (*free)(struct kmon_reader *reader);
};

/**
 * struct kmon_reader - the common head of all consumers
 * @ops: How it consumes.
 * @fd: The descriptor.
 * @flags: Bits of KMON_READER_*.
 * @at: The next record to give, with those up to @end.
 * @end: Behind the last record that is there.
 * @tail: Of the mapped ring, otherwise NULL.
 * @position: What @tail is, unless somebody else has moved it, by reading.
 * @given: The record at @position has been given, and goes back to the ring
 *	with the next one.
 */
struct kmon_reader {
	const struct reader_ops *ops;
	int fd;
	unsigned int flags;
	const struct kmonitor_event *at;
	const struct kmonitor_event *end;
	uint32_t *tail;
	uint32_t position;
	bool given;
};

/* False if somebody else has moved the tail: there it stays. */
static inline bool kmon_reader_release(struct kmon_reader *reader)
{
	uint32_t old = reader->position;

	if (!__atomic_compare_exchange_n(reader->tail, &old, old + 1, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	reader->position++;
	return true;
}

int kmon_reader_new_read(int fd, struct kmon_reader **reader);
int kmon_reader_new_mmap(int fd, struct kmon_reader **reader);
int kmon_reader_new_uring(int fd, struct kmon_reader **reader);

#endif /* KMON_READER_H */
