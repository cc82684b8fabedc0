// SPDX-License-Identifier: GPL-2.0-only
/* io_uring as consumer: READ, READ_MULTISHOT, POLL_ADD, never by a worker. */

#include "kselftest_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common.h"

/* Newer than liburing 2.3. */
#define OP_READ_MULTISHOT 49

#define RECORD sizeof(struct kmonitor_event)
#define BUFFERS 4
#define GROUP 1

FIXTURE(ring)
{
	struct io_uring ring;
	struct kmonitor_event buffer[BUFFERS][2];
	int fd;
	bool fixed;
};

FIXTURE_VARIANT(ring)
{
	unsigned int flags;
	bool fixed;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(ring, plain) {};
FIXTURE_VARIANT_ADD(ring, registered_file) { .fixed = true };
FIXTURE_VARIANT_ADD(ring, sqpoll) { .flags = IORING_SETUP_SQPOLL };
FIXTURE_VARIANT_ADD(ring, sqpoll_registered_file) {
	.flags = IORING_SETUP_SQPOLL, .fixed = true
};
FIXTURE_VARIANT_ADD(ring, defer_taskrun) {
	.flags = IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER
};
/* clang-format on */

/* The forks of this process, on a descriptor that blocks. */
FIXTURE_SETUP(ring)
{
	struct kmonitor_attr attr = { .ring_records = 64 };
	int ret = io_uring_queue_init(8, &self->ring, variant->flags);

	ASSERT_EQ(0, ret)
	{
		TH_LOG("io_uring_setup: %s", km_error(ret));
	}
	self->fd = km_init(&attr, sizeof(attr), KMONITOR_CLOEXEC);
	ASSERT_LE(0, self->fd);
	self->fixed = variant->fixed;
	if (self->fixed)
		ASSERT_EQ(0,
			  io_uring_register_files(&self->ring, &self->fd, 1));
	km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
}

FIXTURE_TEARDOWN(ring)
{
	io_uring_queue_exit(&self->ring);
	close(self->fd);
}

/* Worker threads of io-wq in this process. */
static int workers(void)
{
	DIR *dir = opendir("/proc/self/task");
	char path[300], comm[32];
	struct dirent *entry;
	int count = 0;
	FILE *file;

	check(dir, "/proc/self/task");
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file))
			count += !strncmp(comm, "iou-wrk", 7);
		fclose(file);
	}
	closedir(dir);
	return count;
}

static void submit(struct io_uring *ring, struct io_uring_sqe *sqe, bool fixed)
{
	if (fixed)
		sqe->flags |= IOSQE_FIXED_FILE;
	/* Records that the kernel's thread has taken by itself are not counted. */
	check(io_uring_submit(ring) >= 0, "not submitted");
}

/* The next completion; ends the test if none comes. */
static struct io_uring_cqe next_completion(struct io_uring *ring)
{
	struct __kernel_timespec timeout = { .tv_sec = KM_TIMEOUT_MS / 1000 };
	struct io_uring_cqe *cqe, copy;
	int ret = io_uring_wait_cqe_timeout(ring, &cqe, &timeout);

	check(!ret, "no completion: %s", km_error(ret));
	copy = *cqe;
	io_uring_cqe_seen(ring, cqe);
	return copy;
}

static bool nothing_completed(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	io_uring_get_events(ring);
	return io_uring_peek_cqe(ring, &cqe) == -EAGAIN;
}

static void provide(struct io_uring *ring, void *buffers, size_t size, int nr,
		    int first)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_provide_buffers(sqe, buffers, size, nr, GROUP, first);
	submit(ring, sqe, false);
	check(next_completion(ring).res >= 0, "buffers refused");
}

static void start_multishot(struct io_uring *ring, int fd, bool fixed)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_rw(OP_READ_MULTISHOT, sqe, fixed ? 0 : fd, NULL, 0, -1);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	submit(ring, sqe, fixed);
}

TEST_F(ring, read_waits_for_a_record)
{
	struct kmonitor_event event[4];
	struct io_uring_sqe *sqe;
	pid_t child;

	for (uint64_t seq = 1; seq < 20; seq++) {
		sqe = io_uring_get_sqe(&self->ring);
		io_uring_prep_read(sqe, self->fixed ? 0 : self->fd, event,
				   sizeof(event), -1);
		submit(&self->ring, sqe, self->fixed);
		ASSERT_TRUE(nothing_completed(&self->ring));
		child = km_fork_and_join(0);
		ASSERT_EQ((int)RECORD, next_completion(&self->ring).res);
		EXPECT_EQ(seq, event[0].seq);
		EXPECT_EQ(child, event[0].fork.pid);
	}
	EXPECT_EQ(0, workers());
}

/* Buffers that run out end the shot, and the records wait for the next. */
TEST_F(ring, multishot_read_loses_nothing_without_buffers)
{
	struct io_uring_cqe cqe;
	uint64_t seq = 0, made = 0;

	for (int round = 0; round < 5; round++) {
		provide(&self->ring, self->buffer, sizeof(self->buffer[0]),
			BUFFERS, 0);
		start_multishot(&self->ring, self->fd, self->fixed);
		/* More than fits into the buffers. */
		for (int i = 0; i < 2 * BUFFERS + 1; i++, made++)
			km_fork_and_join(0);
		for (;;) {
			cqe = next_completion(&self->ring);
			if (cqe.res < 0)
				break;
			ASSERT_TRUE(cqe.flags & IORING_CQE_F_BUFFER);
			for (int at = 0; at < cqe.res / (int)RECORD; at++) {
				int id = cqe.flags >> IORING_CQE_BUFFER_SHIFT;

				ASSERT_GT(BUFFERS, id);
				ASSERT_EQ(++seq, self->buffer[id][at].seq);
			}
		}
		EXPECT_EQ(-ENOBUFS, cqe.res);
		EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(made - seq, km_stats(self->fd).depth);
	}
	EXPECT_EQ(made, km_stats(self->fd).recorded);
	EXPECT_EQ(0, workers());
}

TEST_F(ring, multishot_poll_tells_each_refill)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);
	struct kmonitor_event event[4];
	struct io_uring_cqe cqe;

	must(fcntl(self->fd, F_SETFL, O_NONBLOCK));
	io_uring_prep_poll_multishot(sqe, self->fixed ? 0 : self->fd, POLLIN);
	submit(&self->ring, sqe, self->fixed);
	ASSERT_TRUE(nothing_completed(&self->ring));
	for (int i = 0; i < 20; i++) {
		km_fork_and_join(0);
		cqe = next_completion(&self->ring);
		ASSERT_EQ(POLLIN, cqe.res & POLLIN);
		ASSERT_TRUE(cqe.flags & IORING_CQE_F_MORE);
		ASSERT_EQ(1, km_read(self->fd, event, 4));
		ASSERT_TRUE(nothing_completed(&self->ring));
	}
	EXPECT_EQ(0, workers());
}

/*
 * No wake-up is missed.  The producer makes the next record at the very moment
 * in which the consumer finds the ring empty: a wake-up that is missed is one
 * that never comes.
 */

#define AHEAD 2

/* Counts what the consumer has had; shared with the producer. */
static unsigned int *make_counter(void)
{
	return must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static void count(unsigned int *consumed, unsigned int nr)
{
	__atomic_add_fetch(consumed, nr, __ATOMIC_RELEASE);
}

/* A child that is renamed so often, each time a record. */
static pid_t start_producer(int fd, const unsigned int *consumed,
			    unsigned int rounds)
{
	struct kmonitor_event event;
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL));
		km_gate_wait(gate);
		for (unsigned int i = 0; i < rounds; i++) {
			while (__atomic_load_n(consumed, __ATOMIC_ACQUIRE) +
				       AHEAD <
			       i)
				sched_yield();
			must(prctl(PR_SET_NAME, "producer"));
		}
		_exit(0);
	}
	/* Its own birth is no matter. */
	check(km_read(fd, &event, 1) == 1 && event.fork.pid == child,
	      "no record of the producer");
	km_add(fd, KMONITOR_TARGET_PROCESS, child, KMONITOR_COMM, 2);
	km_gate_open(gate);
	close(gate[0]);
	close(gate[1]);
	return child;
}

/* The kernel's thread may not have taken the last ones yet. */
static struct io_uring_sqe *next_sqe(struct io_uring *ring)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(ring)))
		check(io_uring_sqring_wait(ring) >= 0, "no room to submit");
	return sqe;
}

/* Without a completion. */
static void give_back(struct io_uring *ring, void *buffer, size_t size, int id)
{
	struct io_uring_sqe *sqe = next_sqe(ring);

	io_uring_prep_provide_buffers(sqe, buffer, size, 1, GROUP, id);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	submit(ring, sqe, false);
}

TEST_F(ring, no_wake_up_is_missed_by_a_multishot_read)
{
	const unsigned int rounds = km_scale(4000, 1000);
	unsigned int *consumed = make_counter();
	struct io_uring_cqe cqe;
	uint64_t seq = 1;
	pid_t producer;
	int id;

	producer = start_producer(self->fd, consumed, rounds);
	provide(&self->ring, self->buffer, sizeof(self->buffer[0]), BUFFERS, 0);
	start_multishot(&self->ring, self->fd, self->fixed);
	while (*consumed < rounds) {
		cqe = next_completion(&self->ring);
		if (cqe.res > 0) {
			id = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
			ASSERT_GT(BUFFERS, id);
			for (int at = 0; at < cqe.res / (int)RECORD; at++)
				ASSERT_EQ(++seq, self->buffer[id][at].seq);
			give_back(&self->ring, self->buffer[id],
				  sizeof(self->buffer[id]), id);
			count(consumed, cqe.res / RECORD);
		} else {
			ASSERT_EQ(-ENOBUFS, cqe.res);
		}
		if (!(cqe.flags & IORING_CQE_F_MORE))
			start_multishot(&self->ring, self->fd, self->fixed);
	}
	EXPECT_EQ(0, km_join(producer));
	EXPECT_EQ(rounds, *consumed);
	EXPECT_EQ(rounds + 1, km_stats(self->fd).recorded);
	EXPECT_EQ(0, workers());
}

static void start_poll(struct io_uring *ring, int fd, bool fixed)
{
	struct io_uring_sqe *sqe = next_sqe(ring);

	/* Without IORING_POLL_ADD_LEVEL it reports edges. */
	io_uring_prep_poll_multishot(sqe, fixed ? 0 : fd, POLLIN);
	submit(ring, sqe, fixed);
}

TEST_F(ring, no_wake_up_is_missed_by_a_multishot_poll)
{
	const unsigned int rounds = km_scale(4000, 1000);
	unsigned int *consumed = make_counter();
	struct kmonitor_event event[2];
	struct io_uring_cqe cqe;
	uint64_t seq = 1;
	pid_t producer;
	int nr;

	producer = start_producer(self->fd, consumed, rounds);
	must(fcntl(self->fd, F_SETFL, O_NONBLOCK));
	start_poll(&self->ring, self->fd, self->fixed);
	while (*consumed < rounds) {
		cqe = next_completion(&self->ring);
		ASSERT_EQ(POLLIN, cqe.res & POLLIN);
		while ((nr = km_read(self->fd, event, 2)) > 0) {
			for (int at = 0; at < nr; at++)
				ASSERT_EQ(++seq, event[at].seq);
			count(consumed, nr);
		}
		ASSERT_EQ(-EAGAIN, nr);
		if (!(cqe.flags & IORING_CQE_F_MORE))
			start_poll(&self->ring, self->fd, self->fixed);
	}
	EXPECT_EQ(0, km_join(producer));
	EXPECT_EQ(rounds, *consumed);
	EXPECT_EQ(rounds + 1, km_stats(self->fd).recorded);
	EXPECT_EQ(0, workers());
}

/* A process that ends when only an io_uring instance of its own has the socket. */
static pid_t fork_to_listen(int gate[2], in_port_t *port)
{
	struct io_uring ring;
	pid_t child = km_fork();
	int fd;

	if (child)
		return child;
	fd = km_listen(port);
	check(fd >= 0, "no port: %s", km_error(fd));
	check(!io_uring_queue_init(8, &ring, 0), "no io_uring");
	check(!io_uring_register_files(&ring, &fd, 1), "not registered");
	close(fd);
	km_gate_wait(gate);
	_exit(0);
}

/*
 * The exception that kmonitor(7) names: the kernel's own threads release what is
 * registered, which may be after PROCESS_EXIT, but is soon.
 */
TEST(a_registered_socket_is_free_soon_after_the_exit)
{
	in_port_t *port = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	const int rounds = km_scale(30, 10);
	uint64_t exit_ns, late_ns = 0;
	struct kmonitor_event event;
	int fd = km_open(64);
	int gate[2], ret;
	int busy = 0;
	pid_t child;

	km_gate(gate);
	for (int i = 0; i < rounds; i++) {
		*port = 0;
		child = fork_to_listen(gate, port);
		km_add(fd, KMONITOR_TARGET_PROCESS, child,
		       KMONITOR_PROCESS_EXIT, 1);
		km_gate_open(gate);
		km_next(fd, &event);
		ASSERT_EQ(KMONITOR_PROCESS_EXIT, event.type);
		exit_ns = km_boottime_ns();
		ret = km_listen(port);
		busy += ret == -EADDRINUSE;
		while (ret == -EADDRINUSE &&
		       km_boottime_ns() <
			       exit_ns + KM_TIMEOUT_MS * 1000000ULL) {
			usleep(1000);
			ret = km_listen(port);
		}
		ASSERT_LE(0, ret)
		{
			TH_LOG("port %d: %s", ntohs(*port), km_error(ret));
		}
		if (km_boottime_ns() - exit_ns > late_ns)
			late_ns = km_boottime_ns() - exit_ns;
		close(ret);
		EXPECT_EQ(0, km_join(child));
	}
	TH_LOG("%d of %d ports were still taken, for %ju us at most", busy,
	       rounds, (uintmax_t)late_ns / 1000);
	close(fd);
}

TEST_HARNESS_MAIN
