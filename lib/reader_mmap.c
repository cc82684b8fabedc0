// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Consuming records in place, in the mapped ring.
 */

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "reader.h"

/* The most records that are looked for at once. */
#define BATCH 64

/* How often to look for a record in flight: at once, then every 50 us. */
#define SPINS 100
#define MAX_LOOKS 10000

/*
 * A consumer by mmap(2).  The page of the tail is mapped alone: it may be
 * written.
 */
struct by_mmap {
	struct kmon_reader reader;
	size_t tail_size;
	const struct kmonitor_header *header;
	const struct kmonitor_event *records;
	void *map;
	size_t map_size;
	uint32_t ring_records;
};

/* The low half of seq, whatever the byte order. */
static bool has_seq(const struct kmonitor_event *record, uint32_t seq)
{
	return (uint32_t)__atomic_load_n(&record->seq, __ATOMIC_ACQUIRE) == seq;
}

/* Those that are there from the position on, up to the end of the memory. */
static bool find(struct by_mmap *by)
{
	struct kmon_reader *reader = &by->reader;
	const uint32_t first = reader->position & (by->ring_records - 1);
	const uint32_t room = by->ring_records - first;
	const struct kmonitor_event *record = &by->records[first];
	const struct kmonitor_event *const limit =
		record + (room < BATCH ? room : BATCH);
	uint32_t seq = reader->position;

	reader->at = record;
	while (record < limit && has_seq(record, ++seq))
		record++;
	reader->end = record;
	return reader->at != record;
}

/* A poll puts the records that wait for an empty ring, or for room, into it. */
static void flush(const struct by_mmap *by)
{
	struct pollfd pollfd = { .fd = by->reader.fd, .events = POLLIN };
	uint64_t state = __atomic_load_n(&by->header->state, __ATOMIC_ACQUIRE);

	if (state >> KMONITOR_STATE_LOSS_SHIFT ||
	    __atomic_load_n(&by->header->waiting, __ATOMIC_RELAXED))
		poll(&pollfd, 1, 0);
}

/* Whether the oldest record has a place. */
static bool is_reserved(const struct by_mmap *by)
{
	uint64_t state = __atomic_load_n(&by->header->state, __ATOMIC_ACQUIRE);
	uint32_t used = (uint32_t)state - by->reader.position;

	return used && used <= by->ring_records;
}

/*
 * A record in flight hides those behind it, of events that the caller may have
 * seen by other means.  Its producer publishes it at once, unless an interrupt
 * or the host of a virtual machine holds it up.
 */
static void find_in_flight(struct by_mmap *by)
{
	const struct timespec pause = { .tv_nsec = 50000 };

	for (int i = 0; i < MAX_LOOKS && is_reserved(by) && !find(by); i++) {
		if (i >= SPINS)
			nanosleep(&pause, NULL);
	}
}

static void give_back(struct kmon_reader *reader)
{
	if (reader->given)
		kmon_reader_release(reader);
	reader->given = false;
}

static int mmap_more(struct kmon_reader *reader)
{
	struct by_mmap *by = (struct by_mmap *)reader;

	give_back(reader);
	reader->position = __atomic_load_n(reader->tail, __ATOMIC_RELAXED);
	if (!find(by)) {
		flush(by);
		find_in_flight(by);
	}
	return 0;
}

static int mmap_poll_fd(const struct kmon_reader *reader)
{
	return reader->fd;
}

static void mmap_free(struct kmon_reader *reader)
{
	struct by_mmap *by = (struct by_mmap *)reader;

	if (reader->tail) {
		give_back(reader);
		munmap(reader->tail, by->tail_size);
	}
	if (by->map)
		munmap(by->map, by->map_size);
	free(by);
}

static const struct reader_ops mmap_ops = {
	.more = mmap_more,
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
	by->reader.tail = map;
	by->reader.position =
		__atomic_load_n(by->reader.tail, __ATOMIC_RELAXED);
	/* No page is to be missing when there are records to take. */
	map = mmap(NULL, info.mmap_size, PROT_READ, MAP_SHARED | MAP_POPULATE,
		   fd, 0);
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
