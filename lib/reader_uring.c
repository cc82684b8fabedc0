// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Consuming records by io_uring: a multishot read into provided buffers, or,
 * where the kernel has none, a multishot poll and reads.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <liburing.h>

#include "reader.h"

/* Linux 6.7; liburing before 2.6 doesn't name it. */
#define OP_READ_MULTISHOT 49

#define BUFFERS 8
#define BATCH 64

/*
 * A consumer by io_uring.  Filled buffers wait in the completion queue; the one
 * at hand goes back to the kernel when its records have been given.
 */
struct by_uring {
	struct kmon_reader reader;
	struct io_uring *ring;
	struct io_uring own;
	uint64_t user_data;
	uint16_t group;
	struct io_uring_buf_ring *buffers;
	bool registered;
	bool multishot;
	bool armed;
	int error;
	/* Buffers that are full, in order, and the records in each. */
	uint16_t full[BUFFERS];
	uint16_t nr[BUFFERS];
	unsigned int first_full;
	unsigned int nr_full;
	/* The first of them is being given. */
	bool giving;
	bool readable;
	struct kmonitor_event events[BUFFERS][BATCH];
};

static void provide(struct by_uring *by, unsigned int buffer)
{
	io_uring_buf_ring_add(by->buffers, by->events[buffer],
			      sizeof(by->events[buffer]), buffer,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(by->buffers, 1);
}

static int provide_all(struct by_uring *by)
{
	struct io_uring_buf_reg reg = {
		.ring_entries = BUFFERS,
		.bgid = by->group,
	};
	size_t size = BUFFERS * sizeof(struct io_uring_buf);
	int ret;

	by->buffers =
		aligned_alloc(sysconf(_SC_PAGESIZE), sysconf(_SC_PAGESIZE));
	if (!by->buffers)
		return -ENOMEM;
	memset(by->buffers, 0, size);
	reg.ring_addr = (uintptr_t)by->buffers;
	ret = io_uring_register_buf_ring(by->ring, &reg, 0);
	if (ret)
		return ret;
	by->registered = true;
	io_uring_buf_ring_init(by->buffers);
	for (unsigned int i = 0; i < BUFFERS; i++)
		provide(by, i);
	return 0;
}

/* Puts the request into the submission queue; the caller submits. */
static int arm(struct by_uring *by)
{
	struct io_uring_sqe *sqe;

	if (by->armed)
		return 0;
	sqe = io_uring_get_sqe(by->ring);
	if (!sqe)
		return -EBUSY;
	if (by->multishot) {
		io_uring_prep_rw(OP_READ_MULTISHOT, sqe, by->reader.fd, NULL, 0,
				 0);
		sqe->flags |= IOSQE_BUFFER_SELECT;
		sqe->buf_group = by->group;
	} else {
		io_uring_prep_poll_multishot(sqe, by->reader.fd, POLLIN);
	}
	sqe->user_data = by->user_data;
	by->armed = true;
	return 0;
}

int kmon_reader_cqe(struct kmon_reader *reader, const struct io_uring_cqe *cqe)
{
	struct by_uring *by = (struct by_uring *)reader;
	unsigned int slot;

	if (!(cqe->flags & IORING_CQE_F_MORE))
		by->armed = false;
	if (cqe->res < 0) {
		/*
		 * Out of buffers, or the thread that made it has ended: the
		 * request is made again.
		 */
		if (cqe->res != -ENOBUFS && cqe->res != -EINTR &&
		    (cqe->res != -ECANCELED || by->ring != &by->own))
			by->error = cqe->res;
	} else if (!by->multishot) {
		by->readable = true;
	} else if (cqe->flags & IORING_CQE_F_BUFFER) {
		slot = (by->first_full + by->nr_full++) % BUFFERS;
		by->full[slot] = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
		by->nr[slot] = cqe->res / sizeof(struct kmonitor_event);
		/* A descriptor with an end of file is no monitor. */
		if (!by->nr[slot])
			by->error = -EIO;
	}
	return by->error;
}

static int reap_once(struct by_uring *by)
{
	struct io_uring_cqe *cqe;
	int ret = arm(by);

	if (ret)
		return ret;
	ret = io_uring_submit_and_get_events(by->ring);
	if (ret < 0)
		return ret == -EINTR ? 0 : ret;
	while (!io_uring_peek_cqe(by->ring, &cqe)) {
		kmon_reader_cqe(&by->reader, cqe);
		io_uring_cqe_seen(by->ring, cqe);
	}
	return by->error;
}

/*
 * Takes what has completed on a ring of our own.  A caller that gets nothing
 * will wait for the ring: then the request must be in it.
 */
static int reap(struct by_uring *by)
{
	const int ret = reap_once(by);

	return ret || by->nr_full || by->armed ? ret : reap_once(by);
}

static int read_polled(struct by_uring *by)
{
	int ret;

	if (!by->readable)
		return 0;
	ret = kmon_read(by->reader.fd, by->events[0], BATCH);
	if (ret <= 0) {
		by->readable = false;
		return ret == -EAGAIN ? 0 : ret ? ret : -EIO;
	}
	by->first_full = 0;
	by->full[0] = 0;
	by->nr[0] = ret;
	by->nr_full = 1;
	return 0;
}

static void give_back(struct by_uring *by)
{
	if (by->multishot)
		provide(by, by->full[by->first_full]);
	by->first_full = (by->first_full + 1) % BUFFERS;
	by->nr_full--;
	by->giving = false;
}

static int uring_more(struct kmon_reader *reader)
{
	struct by_uring *by = (struct by_uring *)reader;
	int ret;

	if (by->giving)
		give_back(by);
	if (!by->nr_full) {
		ret = by->error;
		if (!ret)
			ret = by->ring == &by->own ? reap(by) : arm(by);
		if (!ret && !by->multishot)
			ret = read_polled(by);
		if (ret || !by->nr_full)
			return ret;
	}
	reader->at = by->events[by->full[by->first_full]];
	reader->end = reader->at + by->nr[by->first_full];
	by->giving = true;
	return 0;
}

static int uring_poll_fd(const struct kmon_reader *reader)
{
	return ((const struct by_uring *)reader)->ring->ring_fd;
}

/* The request keeps the descriptor open, and fills the buffers. */
static void disarm(struct by_uring *by)
{
	struct io_uring_sync_cancel_reg all = {
		.addr = by->user_data,
		.fd = -1,
		.flags = IORING_ASYNC_CANCEL_ALL,
		.timeout = { -1, -1 },
	};

	/* It may not have been submitted. */
	io_uring_submit(by->ring);
	io_uring_register_sync_cancel(by->ring, &all);
}

static void uring_free(struct kmon_reader *reader)
{
	struct by_uring *by = (struct by_uring *)reader;

	if (by->armed && by->ring != &by->own)
		disarm(by);
	if (by->registered)
		io_uring_unregister_buf_ring(by->ring, by->group);
	free(by->buffers);
	if (by->ring == &by->own)
		io_uring_queue_exit(&by->own);
	free(by);
}

static const struct reader_ops uring_ops = {
	.more = uring_more,
	.poll_fd = uring_poll_fd,
	.free = uring_free,
};

static bool has_multishot(struct io_uring *ring)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
	bool has = probe && io_uring_opcode_supported(probe, OP_READ_MULTISHOT);

	io_uring_free_probe(probe);
	return has;
}

int kmon_reader_join(int fd, struct io_uring *ring, uint64_t user_data,
		     uint16_t group, unsigned int flags,
		     struct kmon_reader **reader)
{
	struct by_uring *by;
	int ret;

	if (flags & ~KMON_READER_PASS_LOST)
		return -EINVAL;
	by = calloc(1, sizeof(*by));
	if (!by)
		return -ENOMEM;
	by->reader.ops = &uring_ops;
	by->reader.fd = fd;
	by->reader.flags = flags;
	by->user_data = user_data;
	by->group = group;
	by->ring = ring ? ring : &by->own;
	if (!ring) {
		ret = io_uring_queue_init(BUFFERS, &by->own,
					  IORING_SETUP_CLAMP);
		if (ret) {
			free(by);
			return ret;
		}
	}
	by->multishot = has_multishot(by->ring);
	if (by->multishot) {
		ret = provide_all(by);
		if (ret)
			goto err_free;
	}
	ret = arm(by);
	if (!ret && !ring)
		ret = io_uring_submit(by->ring) < 0 ? -EIO : 0;
	if (ret)
		goto err_free;
	*reader = &by->reader;
	return 0;

err_free:
	uring_free(&by->reader);
	return ret;
}

int kmon_reader_new_uring(int fd, struct kmon_reader **reader)
{
	/* A ring reports a bad descriptor only when it is too late. */
	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	return kmon_reader_join(fd, NULL, 0, 0, 0, reader);
}
