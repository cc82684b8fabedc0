// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Consuming records in place, in the mapped ring.
 */

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader.h"

/*
 * A consumer by mmap(2).  The page of the tail is mapped alone: it may be
 * written.
 */
struct by_mmap {
	struct kmon_reader reader;
	uint32_t *tail;
	size_t tail_size;
	const struct kmonitor_header *header;
	const struct kmonitor_event *records;
	void *map;
	size_t map_size;
	uint32_t ring_records;
	/* The position of the next record, and whether the one before is out. */
	uint32_t position;
	bool given;
};

static const struct kmonitor_event *record_at(const struct by_mmap *by,
					      uint32_t position)
{
	const struct kmonitor_event *record =
		&by->records[position & (by->ring_records - 1)];
	/* The low half of seq, whatever the byte order. */
	uint64_t seq = __atomic_load_n(&record->seq, __ATOMIC_ACQUIRE);

	return (uint32_t)seq == position + 1 ? record : NULL;
}

/*
 * Gives the last record back.  A tail that somebody else has moved, by reading,
 * stays where it is.
 */
static void release(struct by_mmap *by)
{
	uint32_t old = by->position - 1;

	if (by->given)
		__atomic_compare_exchange_n(by->tail, &old, by->position, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	by->given = false;
	by->position = __atomic_load_n(by->tail, __ATOMIC_RELAXED);
}

/* What waits for an empty ring, or for room, is put into it by a poll. */
static void flush(const struct by_mmap *by)
{
	struct pollfd pollfd = { .fd = by->reader.fd, .events = POLLIN };
	uint64_t state = __atomic_load_n(&by->header->state, __ATOMIC_ACQUIRE);

	if (state >> KMONITOR_STATE_LOSS_SHIFT ||
	    __atomic_load_n(&by->header->waiting, __ATOMIC_RELAXED))
		poll(&pollfd, 1, 0);
}

static int mmap_next(struct kmon_reader *reader,
		     const struct kmonitor_event **event)
{
	struct by_mmap *by = (struct by_mmap *)reader;

	release(by);
	*event = record_at(by, by->position);
	if (!*event) {
		flush(by);
		*event = record_at(by, by->position);
		if (!*event)
			return 0;
	}
	by->given = true;
	by->position++;
	return 1;
}

static int mmap_poll_fd(const struct kmon_reader *reader)
{
	return reader->fd;
}

static void mmap_free(struct kmon_reader *reader)
{
	struct by_mmap *by = (struct by_mmap *)reader;

	if (by->tail) {
		release(by);
		munmap(by->tail, by->tail_size);
	}
	if (by->map)
		munmap(by->map, by->map_size);
	free(by);
}

static const struct reader_ops mmap_ops = {
	.next = mmap_next,
	.poll_fd = mmap_poll_fd,
	.free = mmap_free,
};

int kmon_reader_new_mmap(int fd, struct kmon_reader **reader)
{
	struct kmonitor_info info;
	struct by_mmap *by;
	void *map;
	int ret;

	ret = kmon_info(fd, &info);
	if (ret)
		return ret;
	if (!info.mmap_size)
		return -EOPNOTSUPP;
	by = calloc(1, sizeof(*by));
	if (!by)
		return -ENOMEM;
	by->reader.ops = &mmap_ops;
	by->reader.fd = fd;
	by->ring_records = info.ring_records;
	by->tail_size = sysconf(_SC_PAGESIZE);

	map = mmap(NULL, by->tail_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   info.tail_offset);
	if (map == MAP_FAILED)
		goto err_free;
	by->tail = map;
	by->position = __atomic_load_n(by->tail, __ATOMIC_RELAXED);
	map = mmap(NULL, info.mmap_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		goto err_free;
	by->map = map;
	by->map_size = info.mmap_size;
	by->header = map + info.header_offset;
	by->records = map + info.records_offset;
	*reader = &by->reader;
	return 0;

err_free:
	ret = -errno;
	mmap_free(&by->reader);
	return ret;
}
