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

/* A consumer's least: the type, the pid, and each byte of the name. */
static uint64_t look_at(const struct kmonitor_event *event)
{
	uint64_t sum = event->type + event->pid;

	for (size_t i = 0; i < sizeof(event->comm); i++)
		sum += (unsigned char)event->comm[i];
	return sum;
}

static uint64_t look_at_all(const struct kmonitor_event *event, int nr)
{
	uint64_t sum = 0;

	for (int i = 0; i < nr; i++)
		sum += look_at(event + i);
	return sum;
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

static double by_uring(int fd, bool look)
{
	struct io_uring_buf_ring *buffers;
	struct io_uring_buf_reg reg = { .ring_entries = 2 * NR_BUFFERS };
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	size_t taken = 0;
	uint64_t start, sum = 0;

	memset(events, 0, sizeof(events));
	check(!io_uring_queue_init(4 * NR_BUFFERS, &ring, 0), "no io_uring");
	check(!posix_memalign((void **)&buffers, KM_PAGE, KM_PAGE), "memory");
	reg.ring_addr = (uintptr_t)buffers;
	check(!io_uring_register_buf_ring(&ring, &reg, 0), "no buffer ring");
	io_uring_buf_ring_init(buffers);
	for (int i = 0; i < NR_BUFFERS; i++)
		io_uring_buf_ring_add(buffers, events[i], sizeof(events[i]), i,
				      2 * NR_BUFFERS - 1, i);
	io_uring_buf_ring_advance(buffers, NR_BUFFERS);

	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_rw(OP_READ_MULTISHOT, sqe, fd, NULL, 0, 0);
	sqe->flags = IOSQE_BUFFER_SELECT;
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

/* Inlined, so that each caller's loop has no more than it asks for. */
static inline __attribute__((always_inline)) double by_mmap(int fd, bool look)
{
	const struct kmonitor_event *records;
	struct kmonitor_info info;
	uint32_t *tail, position;
	uint64_t start, sum = 0;
	void *area;

	check(!km_ioctl(fd, KMONITOR_IOC_INFO, &info), "no INFO");
	if (!info.mmap_size)
		return -1;
	area = mmap(NULL, info.mmap_size, PROT_READ, MAP_SHARED, fd, 0);
	check(area != MAP_FAILED, "mmap: %s", km_error(errno));
	tail = mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    info.tail_offset);
	check(tail != MAP_FAILED, "mmap of tail: %s", km_error(errno));
	records = (void *)((char *)area + info.records_offset);
	/* Page faults are no cost of a record. */
	for (int i = 0; i < RING_TAKE; i++)
		sum += *(const volatile uint32_t *)&records[i].type;
	start = now();
	for (position = *tail;;) {
		const struct kmonitor_event *event =
			&records[position & (info.ring_records - 1)];

		if ((uint32_t)__atomic_load_n(&event->seq, __ATOMIC_ACQUIRE) !=
		    position + 1)
			break;
		sum += look ? look_at(event) : event->type + event->pid;
		__atomic_store_n(tail, ++position, __ATOMIC_RELEASE);
	}
	start = now() - start;
	check(sum && position == RING_TAKE, "%u records", position);
	munmap(area, info.mmap_size);
	munmap(tail, KM_PAGE);
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
