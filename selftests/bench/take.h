/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways to take held records out of a full ring: by hand, and by the library. */
#ifndef KMONITOR_BENCH_TAKE_H
#define KMONITOR_BENCH_TAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kmonitor.h>

#define RING_TAKE 1024
#define BATCH 128

struct io_uring;
struct io_uring_buf_ring;

/* A mapped ring. */
struct mapping {
	size_t size;
	void *area;
	uint32_t *tail;
	const struct kmonitor_event *records;
	uint32_t mask;
};

bool map_ring(int fd, struct mapping *map);
void look_mapped(const struct mapping *map);
void prepare_multishot(struct io_uring *ring, int fd);
struct io_uring_buf_ring *start_multishot(struct io_uring *ring, int fd,
					  void *memory, size_t size, int nr);
void look_at_records(const struct kmonitor_event *event, int nr);

/*
 * Each gives the instructions for one record, or -1 if it can't be done.  Those
 * called look also read each of the 16 words of each record.
 */
double take_read(int fd);
double take_uring(int fd);
double take_mmap(int fd);
double look_read(int fd);
double look_uring(int fd);
double look_mmap(int fd);
double take_library_read(int fd);
double take_library_uring(int fd);
double take_library_mmap(int fd);

#endif /* KMONITOR_BENCH_TAKE_H */
