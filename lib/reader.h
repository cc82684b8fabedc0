/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A consumer of records, and the ways to get at them.
 */
#ifndef KMON_READER_H
#define KMON_READER_H

#include "kmon.h"

/**
 * struct reader_ops - one way to consume
 * @next: Gives the next record, valid until it is called again: 1, 0 if there
 *	is none now, or a negative errno value.
 * @poll_fd: The descriptor to poll for more.
 * @free: Releases the consumer.
 */
struct reader_ops {
	int (*next)(struct kmon_reader *reader,
		    const struct kmonitor_event **event);
	int (*poll_fd)(const struct kmon_reader *reader);
	void (*free)(struct kmon_reader *reader);
};

/* The common head of all consumers. */
struct kmon_reader {
	const struct reader_ops *ops;
	int fd;
	unsigned int flags;
};

int kmon_reader_new_read(int fd, struct kmon_reader **reader);
int kmon_reader_new_mmap(int fd, struct kmon_reader **reader);
int kmon_reader_new_uring(int fd, struct kmon_reader **reader);

#endif /* KMON_READER_H */
