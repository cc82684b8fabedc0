// SPDX-License-Identifier: GPL-2.0-only
/* Ways to take held records out of a full ring: by hand, and by the library. */

#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../lib/kmon.h"
#include "../common.h"
#include "take.h"
#include "work.h"

/* Later than what liburing 2.3 knows. */
#define OP_READ_MULTISHOT 49

#define NR_BUFFERS (RING_TAKE / BATCH)

static struct kmonitor_event events[NR_BUFFERS][BATCH];

/* Keeps the compiler from leaving out how a record is looked at. */
static volatile uint64_t seen;

/* Each word of the record, one instruction for each. */
static inline uint64_t look_at(const struct kmonitor_event *event)
{
	const uint64_t *word = (const uint64_t *)event;
	uint64_t sum = 0;

#pragma GCC unroll 16
	for (size_t i = 0; i < sizeof(*event) / sizeof(*word); i++)
		sum += word[i];
	return sum;
}

static inline uint64_t look_at_all(const struct kmonitor_event *event, int nr)
{
	uint64_t sum = 0;

	for (int i = 0; i < nr; i++)
		sum += look_at(event + i);
	return sum;
}

void look_at_records(const struct kmonitor_event *event, int nr)
{
	seen = look_at_all(event, nr);
}

double take_read(int fd)
{
	uint64_t start;

	memset(events, 0, sizeof(events));
	start = now();
	for (int i = 0; i < NR_BUFFERS; i++)
		check(read(fd, events[i], sizeof(events[i])) ==
			      sizeof(events[i]),
		      "short read");
	return (now() - start) / (double)RING_TAKE;
}

/* Each batch while the processor's caches have it. */
double look_read(int fd)
{
	uint64_t start, sum = 0;

	memset(events, 0, sizeof(events));
	start = now();
	for (int i = 0; i < NR_BUFFERS; i++) {
		check(read(fd, events[i], sizeof(events[i])) ==
			      sizeof(events[i]),
		      "short read");
		sum += look_at_all(events[i], BATCH);
	}
	seen = sum;
	return (now() - start) / (double)RING_TAKE;
}

void prepare_multishot(struct io_uring *ring, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_rw(OP_READ_MULTISHOT, sqe, fd, NULL, 0, 0);
	sqe->flags = IOSQE_BUFFER_SELECT;
}

/*
 * Makes a ring with @nr buffers, a power of two, of @size bytes each in @memory, and
 * prepares the read.
 */
struct io_uring_buf_ring *start_multishot(struct io_uring *ring, int fd,
					  void *memory, size_t size, int nr)
{
	struct io_uring_buf_reg reg = { .ring_entries = nr };
	struct io_uring_buf_ring *buffers;

	check(!io_uring_queue_init(4 * nr, ring, 0), "no io_uring");
	check(!posix_memalign((void **)&buffers, KM_PAGE, KM_PAGE), "memory");
	reg.ring_addr = (uintptr_t)buffers;
	check(!io_uring_register_buf_ring(ring, &reg, 0), "no buffer ring");
	io_uring_buf_ring_init(buffers);
	for (int i = 0; i < nr; i++)
		io_uring_buf_ring_add(buffers, (char *)memory + i * size, size,
				      i, io_uring_buf_ring_mask(nr), i);
	io_uring_buf_ring_advance(buffers, nr);
	prepare_multishot(ring, fd);
	return buffers;
}

static double by_uring(int fd, bool look)
{
	struct io_uring_buf_ring *buffers;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	size_t taken = 0;
	uint64_t start, sum = 0;

	memset(events, 0, sizeof(events));
	buffers =
		start_multishot(&ring, fd, events, sizeof(*events), NR_BUFFERS);
	start = now();
	io_uring_submit(&ring);
	while (taken < sizeof(events)) {
		check(!io_uring_wait_cqe(&ring, &cqe), "no completion");
		if (cqe->res <= 0)
			return -1;
		if (look)
			sum += look_at_all(
				events[cqe->flags >> IORING_CQE_BUFFER_SHIFT],
				cqe->res / sizeof(**events));
		taken += cqe->res;
		io_uring_cqe_seen(&ring, cqe);
	}
	seen = sum;
	start = now() - start;
	io_uring_queue_exit(&ring);
	free(buffers);
	return start / (double)RING_TAKE;
}

double take_uring(int fd)
{
	return by_uring(fd, false);
}

double look_uring(int fd)
{
	return by_uring(fd, true);
}

/* False if the kernel has no mapping. */
bool map_ring(int fd, struct mapping *map)
{
	struct kmonitor_info info;

	check(!km_ioctl(fd, KMONITOR_IOC_INFO, &info), "no INFO");
	if (!info.mmap_size)
		return false;
	map->size = info.mmap_size;
	map->area = mmap(NULL, map->size, PROT_READ, MAP_SHARED, fd, 0);
	check(map->area != MAP_FAILED, "mmap: %s", km_error(errno));
	map->tail = mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 info.tail_offset);
	check(map->tail != MAP_FAILED, "mmap of tail: %s", km_error(errno));
	map->records = (void *)((char *)map->area + info.records_offset);
	map->mask = info.ring_records - 1;
	return true;
}

/* Inlined, so that each caller's loop has no more than it asks for. */
static inline __attribute__((always_inline)) uint64_t
take_mapped(const struct mapping *map, bool look)
{
	uint64_t sum = 0;

	for (uint32_t position = *map->tail;;) {
		const struct kmonitor_event *event =
			&map->records[position & map->mask];

		if ((uint32_t)__atomic_load_n(&event->seq, __ATOMIC_ACQUIRE) !=
		    position + 1)
			return sum;
		sum += look ? look_at(event) : event->type + event->pid;
		__atomic_store_n(map->tail, ++position, __ATOMIC_RELEASE);
	}
}

/* Takes all that is there. */
void look_mapped(const struct mapping *map)
{
	seen = take_mapped(map, true);
}

static inline __attribute__((always_inline)) double by_mmap(int fd, bool look)
{
	struct mapping map;
	uint64_t start, sum = 0;

	if (!map_ring(fd, &map))
		return -1;
	/* Page faults are no cost of a record. */
	for (int i = 0; i < RING_TAKE; i++)
		sum += *(const volatile uint32_t *)&map.records[i].type;
	start = now();
	sum += take_mapped(&map, look);
	start = now() - start;
	check(sum && *map.tail == RING_TAKE, "%u records", *map.tail);
	munmap(map.area, map.size);
	munmap(map.tail, KM_PAGE);
	return start / (double)RING_TAKE;
}

/* Looks at the type and the pid of each. */
double take_mmap(int fd)
{
	return by_mmap(fd, false);
}

double look_mmap(int fd)
{
	return by_mmap(fd, true);
}

static void take_some(struct kmon_reader *reader, int n)
{
	const struct kmonitor_event *event;
	uint64_t sum = 0;
	int ret;

	while (n) {
		ret = kmon_reader_next(reader, &event);
		check(ret >= 0, "kmon_reader_next: %s", km_error(ret));
		if (ret) {
			sum += event->type + event->pid;
			n--;
		} else {
			kmon_reader_wait(reader, -1);
		}
	}
	check(sum, "no records");
}

/* The first half puts the consumer's own memory into place. */
static double take_library(int fd, enum kmon_method method)
{
	struct kmon_reader *reader;
	uint64_t start;
	int ret = kmon_reader_new(fd, method, 0, &reader);

	if (ret)
		return -1;
	take_some(reader, RING_TAKE / 2);
	start = now();
	take_some(reader, RING_TAKE / 2);
	start = now() - start;
	kmon_reader_free(reader);
	return start / (double)(RING_TAKE / 2);
}

double take_library_read(int fd)
{
	return take_library(fd, KMON_METHOD_READ);
}

double take_library_uring(int fd)
{
	return take_library(fd, KMON_METHOD_URING);
}

double take_library_mmap(int fd)
{
	return take_library(fd, KMON_METHOD_MMAP);
}
