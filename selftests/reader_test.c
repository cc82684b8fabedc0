// SPDX-License-Identifier: GPL-2.0-only
/* The consumers of the library: the same records, whichever way they come. */

#include "kselftest_harness.h"

#include <liburing.h>
#include <signal.h>

#include "../lib/kmon.h"
#include "storm.h"

#define ROUNDS 300

static char *const unused[] = { "unused", NULL };

FIXTURE(consumer)
{
	int fd;
	int gate[2];
	pid_t root;
	struct kmon_reader *reader;
};

FIXTURE_VARIANT(consumer)
{
	enum kmon_method method;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(consumer, read) {
	.method = KMON_METHOD_READ,
};

FIXTURE_VARIANT_ADD(consumer, mmap) {
	.method = KMON_METHOD_MMAP,
};

FIXTURE_VARIANT_ADD(consumer, uring) {
	.method = KMON_METHOD_URING,
};
/* clang-format on */

/* A child that forks so often once the gate opens. */
static pid_t fork_storm(int gate[2], unsigned int rounds)
{
	pid_t root = km_fork();

	if (root)
		return root;
	km_gate_wait(gate);
	for (unsigned int i = 0; i < rounds; i++)
		storm_round(i % 2 ? STORM_THREAD : STORM_FORK, unused);
	_exit(7);
}

FIXTURE_SETUP(consumer)
{
	km_gate(self->gate);
}

FIXTURE_TEARDOWN(consumer)
{
	kmon_reader_free(self->reader);
	close(self->fd);
	close(self->gate[0]);
	close(self->gate[1]);
}

static void wait_for_more(struct kmon_reader *reader)
{
	int ret;

	do {
		ret = kmon_reader_wait(reader, KM_TIMEOUT_MS);
	} while (ret == -EINTR);
	check(ret == 1, "expected records, got %s", km_error(ret));
}

/* The next record and what was said of it; waits for it. */
static int next(struct kmon_reader *reader, const struct kmonitor_event **event)
{
	int ret;

	while (!(ret = kmon_reader_next(reader, event)))
		wait_for_more(reader);
	return ret;
}

static unsigned int expected_records(unsigned int rounds)
{
	return rounds / 2 * storm_records[STORM_THREAD] +
	       (rounds - rounds / 2) * storm_records[STORM_FORK] + 2;
}

TEST_F(consumer, gives_each_record_once_and_in_order)
{
	const struct kmonitor_event *event;
	uint64_t seq = 0;

	self->fd = km_open(1 << 14);
	self->root = fork_storm(self->gate, ROUNDS);
	km_add(self->fd, KMONITOR_TARGET_TREE, self->root, KM_LIFE, 42);
	ASSERT_EQ(0,
		  kmon_reader_new(self->fd, variant->method, 0, &self->reader));
	EXPECT_EQ(0, kmon_reader_next(self->reader, &event));
	km_gate_open(self->gate);
	do {
		ASSERT_EQ(1, next(self->reader, &event));
		ASSERT_EQ(++seq, event->seq);
		EXPECT_EQ(42, event->cookie);
	} while (event->type != KMONITOR_EMPTY);
	EXPECT_EQ(expected_records(ROUNDS) + 1, seq);
	EXPECT_EQ(7 << 8, event->empty.root_status);
	EXPECT_EQ(0, kmon_reader_next(self->reader, &event));
	km_join(self->root);
}

/* Nothing is read until all has happened. */
TEST_F(consumer, does_not_let_a_loss_be_overlooked)
{
	const unsigned int rounds = km_scale(1000, 300);
	const struct kmonitor_event *event;
	uint64_t seq = 0, seen = 0, lost = 0, reports = 0;
	int ret;

	self->fd = km_open(64);
	self->root = fork_storm(self->gate, rounds);
	km_add(self->fd, KMONITOR_TARGET_TREE, self->root, KM_LIFE, 0);
	ASSERT_EQ(0,
		  kmon_reader_new(self->fd, variant->method, 0, &self->reader));
	km_gate_open(self->gate);
	while (km_stats(self->fd).filters == 1 && km_state(self->root) != 'Z')
		usleep(10000);
	do {
		ret = next(self->reader, &event);
		ASSERT_EQ(++seq, event->seq);
		if (ret == -EOVERFLOW) {
			ASSERT_EQ(KMONITOR_LOST, event->type);
			lost += event->lost.count;
			reports++;
			continue;
		}
		ASSERT_EQ(1, ret);
		ASSERT_NE(KMONITOR_LOST, event->type);
		seen++;
	} while (event->type != KMONITOR_EMPTY);
	EXPECT_LT(0, reports);
	EXPECT_EQ(expected_records(rounds) + 1, seen + lost);
	km_join(self->root);
}

TEST_F(consumer, passes_a_loss_on_when_asked_to)
{
	const struct kmonitor_event *event;
	bool seen = false;

	self->fd = km_open(64);
	self->root = fork_storm(self->gate, km_scale(1000, 300));
	km_add(self->fd, KMONITOR_TARGET_TREE, self->root, KM_LIFE, 0);
	ASSERT_EQ(0, kmon_reader_new(self->fd, variant->method,
				     KMON_READER_PASS_LOST, &self->reader));
	km_gate_open(self->gate);
	while (km_state(self->root) != 'Z')
		usleep(10000);
	do {
		ASSERT_EQ(1, next(self->reader, &event));
		seen |= event->type == KMONITOR_LOST;
	} while (event->type != KMONITOR_EMPTY);
	EXPECT_TRUE(seen);
	km_join(self->root);
}

/* Forks of the caller, whose own life is watched: one record each. */
static void fork_some(int nr)
{
	while (nr--) {
		const pid_t pid = km_fork();

		if (!pid)
			_exit(0);
		km_join(pid);
	}
}

/* Each record goes back with the next one, and others may read in between. */
TEST(a_mapped_consumer_shares_its_ring_with_read)
{
	const struct kmonitor_event *event;
	struct kmonitor_event taken[16];
	struct kmon_reader *reader;
	int fd = km_open(16);

	km_add(fd, KMONITOR_TARGET_PROCESS, getpid(), KMONITOR_PROCESS_FORK, 0);
	ASSERT_EQ(0, kmon_reader_new(fd, KMON_METHOD_MMAP, 0, &reader));
	fork_some(10);
	for (unsigned int i = 0; i < 4; i++) {
		ASSERT_EQ(1, kmon_reader_next(reader, &event));
		EXPECT_EQ(i + 1, event->seq);
		EXPECT_EQ(10 - i, km_stats(fd).depth);
	}
	/* The one at hand, and one more. */
	ASSERT_EQ(2, km_read(fd, taken, 2));
	EXPECT_EQ(4, taken[0].seq);
	ASSERT_EQ(1, kmon_reader_next(reader, &event));
	EXPECT_EQ(6, event->seq);
	ASSERT_EQ(5, km_read(fd, taken, 16));
	EXPECT_EQ(6, taken[0].seq);
	EXPECT_EQ(0, kmon_reader_next(reader, &event));
	EXPECT_EQ(0, km_stats(fd).depth);
	/* Around the end of the memory. */
	fork_some(12);
	for (unsigned int i = 0; i < 12; i++) {
		ASSERT_EQ(1, kmon_reader_next(reader, &event));
		EXPECT_EQ(i + 11, event->seq);
	}
	EXPECT_EQ(1, km_stats(fd).depth);
	kmon_reader_free(reader);
	EXPECT_EQ(0, km_stats(fd).depth);
	EXPECT_EQ(0, km_stats(fd).lost);
	close(fd);
}

TEST(unknown_methods_and_flags_are_refused)
{
	struct kmon_reader *reader;
	int fd = km_open(0);

	EXPECT_EQ(-EINVAL, kmon_reader_new(fd, 3, 0, &reader));
	EXPECT_EQ(-EINVAL, kmon_reader_new(fd, 0, 2, &reader));
	EXPECT_EQ(-EINVAL, kmon_reader_join(fd, NULL, 0, 0, 2, &reader));
	close(fd);
}

/* One ring serves a pipe and the monitor. */
TEST(a_consumer_may_join_a_ring_of_others)
{
	enum { OF_MONITOR = 1, OF_PIPE = 2 };
	const struct kmonitor_event *event;
	struct kmon_reader *reader;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	bool empty = false, piped = false;
	int fd = km_open(0), gate[2], pipe_gate[2], ret;
	uint64_t seq = 0;
	pid_t root;
	char byte;

	km_gate(gate);
	km_gate(pipe_gate);
	root = fork_storm(gate, ROUNDS);
	km_add(fd, KMONITOR_TARGET_TREE, root, KM_LIFE, 0);
	ASSERT_EQ(0, io_uring_queue_init(16, &ring, 0));
	ASSERT_EQ(0, kmon_reader_join(fd, &ring, OF_MONITOR, 5, 0, &reader));
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, pipe_gate[0], &byte, 1, 0);
	sqe->user_data = OF_PIPE;
	km_gate_open(gate);
	while (!empty || !piped) {
		ret = io_uring_submit_and_wait(&ring, 1);
		ASSERT_TRUE(ret >= 0 || ret == -EINTR);
		while (!io_uring_peek_cqe(&ring, &cqe)) {
			piped |= cqe->user_data == OF_PIPE;
			if (cqe->user_data == OF_MONITOR)
				ASSERT_EQ(0, kmon_reader_cqe(reader, cqe));
			io_uring_cqe_seen(&ring, cqe);
		}
		while ((ret = kmon_reader_next(reader, &event)) == 1) {
			ASSERT_EQ(++seq, event->seq);
			empty |= event->type == KMONITOR_EMPTY;
		}
		ASSERT_EQ(0, ret);
		if (empty && !piped)
			km_gate_open(pipe_gate);
	}
	EXPECT_EQ(expected_records(ROUNDS) + 1, seq);
	kmon_reader_free(reader);
	io_uring_queue_exit(&ring);
	km_join(root);
	close(fd);
}

/* Remains of the consumer must not keep the descriptor open, nor write. */
TEST(a_consumer_leaves_the_ring_that_it_joined)
{
	enum { OF_MONITOR = 1 };
	struct __kernel_timespec second = { .tv_sec = 1 };
	struct kmon_reader *reader;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int status;

	ASSERT_EQ(0, io_uring_queue_init(16, &ring, 0));
	for (int submitted = 0; submitted < 2; submitted++) {
		const int fd = km_open(0);
		const pid_t root = fork();
		struct kmonitor_filter tree = {
			.target = KMONITOR_TARGET_TREE,
			.flags = KMONITOR_FILTER_KILL_ON_CLOSE,
			.id = root,
		};

		if (!root) {
			close(fd);
			pause();
			_exit(0);
		}
		ASSERT_EQ(0, kmon_filter_add(fd, &tree));
		ASSERT_EQ(0, kmon_reader_join(fd, &ring, OF_MONITOR, 5, 0,
					      &reader));
		if (submitted)
			ASSERT_EQ(1, io_uring_submit(&ring));
		kmon_reader_free(reader);
		close(fd);
		while (!io_uring_wait_cqe_timeout(&ring, &cqe, &second)) {
			EXPECT_EQ(OF_MONITOR, cqe->user_data);
			EXPECT_FALSE(cqe->flags & IORING_CQE_F_MORE);
			EXPECT_FALSE(cqe->flags & IORING_CQE_F_BUFFER);
			io_uring_cqe_seen(&ring, cqe);
		}
		ASSERT_EQ(root, waitpid(root, &status, 0));
		EXPECT_EQ(SIGKILL, status);
	}
	io_uring_queue_exit(&ring);
}

TEST_HARNESS_MAIN
