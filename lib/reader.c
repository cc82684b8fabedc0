// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Consuming records, whichever way, and by read(2).
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "reader.h"

#define BATCH 256

struct by_read {
	struct kmon_reader reader;
	struct kmonitor_event events[BATCH];
};

static int read_more(struct kmon_reader *reader)
{
	struct by_read *by = (struct by_read *)reader;
	const int ret = kmon_read(reader->fd, by->events, BATCH);

	/* A descriptor with an end of file is no monitor. */
	if (ret <= 0)
		return ret == -EAGAIN ? 0 : ret ? ret : -EIO;
	reader->at = by->events;
	reader->end = by->events + ret;
	return 0;
}

static int read_poll_fd(const struct kmon_reader *reader)
{
	return reader->fd;
}

static void read_free(struct kmon_reader *reader)
{
	free(reader);
}

static const struct reader_ops read_ops = {
	.more = read_more,
	.poll_fd = read_poll_fd,
	.free = read_free,
};

int kmon_reader_new_read(int fd, struct kmon_reader **reader)
{
	struct by_read *by = calloc(1, sizeof(*by));

	if (!by)
		return -ENOMEM;
	by->reader.ops = &read_ops;
	by->reader.fd = fd;
	*reader = &by->reader;
	return 0;
}

int kmon_reader_new(int fd, enum kmon_method method, unsigned int flags,
		    struct kmon_reader **reader)
{
	int ret;

	if (flags & ~KMON_READER_PASS_LOST)
		return -EINVAL;
	switch (method) {
	case KMON_METHOD_READ:
		ret = kmon_reader_new_read(fd, reader);
		break;
	case KMON_METHOD_MMAP:
		ret = kmon_reader_new_mmap(fd, reader);
		break;
	case KMON_METHOD_URING:
		ret = kmon_reader_new_uring(fd, reader);
		break;
	default:
		return -EINVAL;
	}
	if (!ret)
		(*reader)->flags = flags;
	return ret;
}

void kmon_reader_free(struct kmon_reader *reader)
{
	if (reader)
		reader->ops->free(reader);
}

static inline int give(struct kmon_reader *reader,
		       const struct kmonitor_event **event)
{
	*event = reader->at++;
	return (*event)->type == KMONITOR_LOST &&
			       !(reader->flags & KMON_READER_PASS_LOST) ?
		       -EOVERFLOW :
		       1;
}

static int next_of_more(struct kmon_reader *reader,
			const struct kmonitor_event **event)
{
	const int ret = reader->ops->more(reader);

	if (ret || reader->at == reader->end)
		return ret;
	reader->given = true;
	return give(reader, event);
}

int kmon_reader_next(struct kmon_reader *reader,
		     const struct kmonitor_event **event)
{
	/* Records at hand are void when somebody else has moved the tail. */
	if (reader->at == reader->end ||
	    (reader->tail && !kmon_reader_release(reader)))
		return next_of_more(reader, event);
	return give(reader, event);
}

int kmon_reader_poll_fd(const struct kmon_reader *reader)
{
	return reader->ops->poll_fd(reader);
}

int kmon_reader_wait(const struct kmon_reader *reader, int timeout_ms)
{
	struct pollfd pollfd = {
		.fd = kmon_reader_poll_fd(reader),
		.events = POLLIN,
	};
	int ret = poll(&pollfd, 1, timeout_ms);

	return ret < 0 ? -errno : ret;
}
