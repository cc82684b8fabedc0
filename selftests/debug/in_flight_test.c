// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records in flight: producers are held up between the reservation of a slot
 * and its publication, and no consumer may miss a wake-up or an event for it.
 */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "../../lib/kmon.h"
#include "../common.h"

#define KNOB "/proc/sys/kernel/kmonitor/"
#define MS 1000U
#define RECORD sizeof(struct kmonitor_event)

/* Newer than liburing 2.3. */
#define OP_READ_MULTISHOT 49

/* A descriptor and its ring, as a consumer maps it. */
struct map {
	int fd;
	struct kmonitor_info info;
	uint32_t *tail;
	const unsigned char *area;
	const struct kmonitor_header *header;
	const struct kmonitor_event *record;
};

static struct map map_ring(const struct kmonitor_attr *attr)
{
	struct map map = {};

	map.fd = must(km_init(attr, sizeof(*attr), KMONITOR_CLOEXEC));
	check(!km_ioctl(map.fd, KMONITOR_IOC_INFO, &map.info), "INFO");
	map.tail = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			     map.fd, map.info.tail_offset));
	map.area = must(mmap(NULL, map.info.mmap_size, PROT_READ, MAP_SHARED,
			     map.fd, 0));
	map.header = (const void *)(map.area + map.info.header_offset);
	map.record = (const void *)(map.area + map.info.records_offset);
	return map;
}

static void unmap_ring(struct map *map)
{
	munmap((void *)map->area, map->info.mmap_size);
	munmap(map->tail, KM_PAGE);
	close(map->fd);
}

static uint64_t load_state(const struct map *map)
{
	return __atomic_load_n(&map->header->state, __ATOMIC_ACQUIRE);
}

static const struct kmonitor_event *find_oldest(const struct map *map)
{
	uint32_t tail = __atomic_load_n(map->tail, __ATOMIC_RELAXED);
	const struct kmonitor_event *record =
		&map->record[tail % map->info.ring_records];
	uint32_t seq = __atomic_load_n(&record->seq, __ATOMIC_ACQUIRE);

	return seq == tail + 1 ? record : NULL;
}

/* Whether the oldest record has a place and is not there yet. */
static bool is_in_flight(const struct map *map)
{
	return !find_oldest(map) &&
	       (uint32_t)load_state(map) !=
		       __atomic_load_n(map->tail, __ATOMIC_RELAXED);
}

static void set_delay(long us, long tid)
{
	km_sysctl(KNOB "debug_delay_tid", tid);
	km_sysctl(KNOB "debug_delay_us", us);
}

/*
 * Storms.  Several threads rename themselves and take snapshots, in bursts; at
 * the end of each burst the consumer must get all, in time, by itself.
 */

#define PRODUCERS 3

enum consumer { READ, POLL, EPOLL_ET, URING, MMAP, MMAP_ET };

struct storm {
	struct map map;
	enum consumer consumer;
	uint32_t watermark;
	/* Records and losses that the consumer has had. */
	uint64_t consumed;
	/* How often it found the oldest record in flight. */
	uint64_t in_flight;
	uint64_t snapshots;
	uint64_t losses;
	bool stop;
	pthread_barrier_t begin;
	pthread_barrier_t end;
	unsigned int running;
	uint32_t burst;
};

static void account_record(struct storm *storm,
			   const struct kmonitor_event *event)
{
	if (event->type == KMONITOR_LOST) {
		check(event->lost.count && !event->lost.forks &&
			      !event->lost.execs && !event->lost.exits,
		      "a LOST record with wrong counts");
		storm->losses++;
		__atomic_add_fetch(&storm->consumed, event->lost.count,
				   __ATOMIC_RELEASE);
		return;
	}
	__atomic_add_fetch(&storm->consumed, 1, __ATOMIC_RELEASE);
}

static void note_in_flight(struct storm *storm)
{
	if (is_in_flight(&storm->map))
		__atomic_add_fetch(&storm->in_flight, 1, __ATOMIC_RELAXED);
}

static int read_once(struct storm *storm)
{
	struct kmonitor_event event[16];
	int nr = km_read(storm->map.fd, event, 16);

	for (int i = 0; i < nr; i++)
		account_record(storm, &event[i]);
	return nr;
}

static void consume_by_read(struct storm *storm)
{
	note_in_flight(storm);
	check(read_once(storm) > 0, "a blocking read failed");
}

static void consume_by_poll(struct storm *storm)
{
	note_in_flight(storm);
	check(km_readable(storm->map.fd, -1), "poll failed");
	check(read_once(storm) > 0, "readable, and nothing to read");
}

static int open_epoll(int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = must(epoll_create1(EPOLL_CLOEXEC));

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

static void wait_for_edge(int epoll)
{
	struct epoll_event event;

	check(epoll_wait(epoll, &event, 1, -1) == 1, "epoll_wait failed");
}

static void consume_by_edges(struct storm *storm, int epoll)
{
	wait_for_edge(epoll);
	while (read_once(storm) > 0)
		;
	note_in_flight(storm);
}

/* Takes what is there; the last look is behind a full barrier. */
static void take_from_map(struct storm *storm)
{
	struct map *map = &storm->map;
	const struct kmonitor_event *event;

	while ((event = find_oldest(map))) {
		account_record(storm, event);
		__atomic_store_n(map->tail, *map->tail + 1, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	note_in_flight(storm);
}

static void consume_from_map(struct storm *storm)
{
	check(km_readable(storm->map.fd, -1), "poll failed");
	take_from_map(storm);
}

static void consume_edges_from_map(struct storm *storm, int epoll)
{
	wait_for_edge(epoll);
	take_from_map(storm);
	/* Gives a loss, or a record that waits, its place. */
	while (load_state(&storm->map) >> KMONITOR_STATE_LOSS_SHIFT ||
	       __atomic_load_n(&storm->map.header->waiting, __ATOMIC_RELAXED)) {
		km_readable(storm->map.fd, 0);
		take_from_map(storm);
	}
}

#define BUFFERS 4
#define BUFFER_RECORDS 8

static void submit_buffers(struct io_uring *uring, void *buffers, int nr,
			   int first)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(uring);

	io_uring_prep_provide_buffers(sqe, buffers, BUFFER_RECORDS * RECORD, nr,
				      1, first);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	check(io_uring_submit(uring) >= 0, "not submitted");
}

static void submit_multishot(struct io_uring *uring, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(uring);

	io_uring_prep_rw(OP_READ_MULTISHOT, sqe, fd, NULL, 0, -1);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = 1;
	check(io_uring_submit(uring) >= 0, "not submitted");
}

static void consume_by_uring(struct storm *storm)
{
	struct kmonitor_event buffer[BUFFERS][BUFFER_RECORDS];
	struct io_uring uring;
	struct io_uring_cqe *cqe;

	check(!io_uring_queue_init(16, &uring, 0), "no io_uring");
	submit_buffers(&uring, buffer, BUFFERS, 0);
	submit_multishot(&uring, storm->map.fd);
	while (!__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE)) {
		int id, res, flags;

		note_in_flight(storm);
		check(!io_uring_wait_cqe(&uring, &cqe), "no completion");
		res = cqe->res;
		flags = cqe->flags;
		io_uring_cqe_seen(&uring, cqe);
		check(res > 0 || res == -ENOBUFS, "multishot: %s",
		      km_error(res));
		if (res > 0) {
			id = flags >> IORING_CQE_BUFFER_SHIFT;
			for (int i = 0; i < res / (int)RECORD; i++)
				account_record(storm, &buffer[id][i]);
			submit_buffers(&uring, buffer[id], 1, id);
		}
		if (!(flags & IORING_CQE_F_MORE))
			submit_multishot(&uring, storm->map.fd);
	}
	io_uring_queue_exit(&uring);
}

static void *run_consumer(void *arg)
{
	struct storm *storm = arg;
	int epoll = -1;

	if (storm->consumer == URING) {
		consume_by_uring(storm);
		return NULL;
	}
	if (storm->consumer == EPOLL_ET || storm->consumer == MMAP_ET)
		epoll = open_epoll(storm->map.fd);
	while (!__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE)) {
		switch (storm->consumer) {
		case READ:
			consume_by_read(storm);
			break;
		case POLL:
			consume_by_poll(storm);
			break;
		case EPOLL_ET:
			consume_by_edges(storm, epoll);
			break;
		case MMAP:
			consume_from_map(storm);
			break;
		default:
			consume_edges_from_map(storm, epoll);
		}
	}
	if (epoll >= 0)
		close(epoll);
	return NULL;
}

struct producer {
	pthread_t thread;
	struct storm *storm;
	unsigned int seed;
};

/* TASK with its arguments, and SNAPSHOT_END: a group, and an urgent record. */
static void take_snapshot(struct storm *storm)
{
	const struct kmonitor_snapshot snapshot = { .token = 1 };

	check(km_ioctl(storm->map.fd, KMONITOR_IOC_SNAPSHOT, &snapshot) >= 0,
	      "SNAPSHOT");
	storm->snapshots++;
}

static void *run_producer(void *arg)
{
	struct producer *producer = arg;
	struct storm *storm = producer->storm;
	const bool first = !producer->seed;
	unsigned int nr;

	for (;;) {
		pthread_barrier_wait(&storm->begin);
		if (__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE))
			return NULL;
		nr = 1 + rand_r(&producer->seed) % storm->burst;
		while (nr--)
			must(prctl(PR_SET_NAME, "producer"));
		if (first && rand_r(&producer->seed) % 8 == 0)
			take_snapshot(storm);
		__atomic_sub_fetch(&storm->running, 1, __ATOMIC_RELEASE);
		pthread_barrier_wait(&storm->end);
	}
}

/* Waits until the consumer has all that the producers have made. */
static bool wait_for_consumer(struct storm *storm)
{
	const uint64_t limit = km_boottime_ns() + KM_TIMEOUT_MS * 1000000ULL;
	const uint64_t matched = km_stats(storm->map.fd).matched;

	while (__atomic_load_n(&storm->consumed, __ATOMIC_ACQUIRE) < matched) {
		if (km_boottime_ns() > limit)
			return false;
		sched_yield();
	}
	return true;
}

FIXTURE(storm)
{
	struct storm storm;
	struct producer producer[PRODUCERS];
	pthread_t consumer;
};

FIXTURE_VARIANT(storm)
{
	enum consumer consumer;
	uint32_t watermark;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(storm, read_1) { READ, 1 };
FIXTURE_VARIANT_ADD(storm, read_8) { READ, 8 };
FIXTURE_VARIANT_ADD(storm, read_64) { READ, 64 };
FIXTURE_VARIANT_ADD(storm, poll_8) { POLL, 8 };
FIXTURE_VARIANT_ADD(storm, poll_64) { POLL, 64 };
FIXTURE_VARIANT_ADD(storm, epoll_et_1) { EPOLL_ET, 1 };
FIXTURE_VARIANT_ADD(storm, epoll_et_8) { EPOLL_ET, 8 };
FIXTURE_VARIANT_ADD(storm, epoll_et_64) { EPOLL_ET, 64 };
FIXTURE_VARIANT_ADD(storm, io_uring_8) { URING, 8 };
FIXTURE_VARIANT_ADD(storm, io_uring_64) { URING, 64 };
FIXTURE_VARIANT_ADD(storm, mmap_8) { MMAP, 8 };
FIXTURE_VARIANT_ADD(storm, mmap_64) { MMAP, 64 };
FIXTURE_VARIANT_ADD(storm, mmap_et_8) { MMAP_ET, 8 };
FIXTURE_VARIANT_ADD(storm, mmap_et_64) { MMAP_ET, 64 };
/* clang-format on */

FIXTURE_SETUP(storm)
{
	struct storm *storm = &self->storm;
	const struct kmonitor_attr attr = {
		.ring_records = 2 * variant->watermark + 62,
		.wakeup_records = variant->watermark,
		.wakeup_delay_us = 2 * MS,
		.report = KMONITOR_REPORT_EXEC_ARGS,
	};

	*storm = (struct storm){
		.map = map_ring(&attr),
		.consumer = variant->consumer,
		.watermark = variant->watermark,
		.burst = 2 * variant->watermark,
	};
	if (variant->consumer != READ && variant->consumer != URING)
		must(fcntl(storm->map.fd, F_SETFL, O_NONBLOCK));
	km_add(storm->map.fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_COMM, 1);
	pthread_barrier_init(&storm->begin, NULL, PRODUCERS + 1);
	pthread_barrier_init(&storm->end, NULL, PRODUCERS + 1);
	for (unsigned int i = 0; i < PRODUCERS; i++) {
		self->producer[i].storm = storm;
		self->producer[i].seed = i;
		check(!pthread_create(&self->producer[i].thread, NULL,
				      run_producer, &self->producer[i]),
		      "no thread");
	}
	check(!pthread_create(&self->consumer, NULL, run_consumer, storm),
	      "no thread");
	set_delay(100, 0);
}

/* Ends the producers, and the consumer by one record more. */
FIXTURE_TEARDOWN(storm)
{
	struct storm *storm = &self->storm;

	set_delay(0, 0);
	__atomic_store_n(&storm->stop, true, __ATOMIC_RELEASE);
	must(prctl(PR_SET_NAME, "last"));
	pthread_join(self->consumer, NULL);
	pthread_barrier_wait(&storm->begin);
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(self->producer[i].thread, NULL);
	unmap_ring(&storm->map);
}

/*
 * Whether a record has been seen in flight.  One processor has no moment to look
 * at a producer that is held up, two have few when the host is busy.
 */
static bool was_in_flight(const struct storm *storm)
{
	return km_cpus() == 1 || storm->in_flight;
}

/* Some hundred bursts, or a million records where storms are to last. */
TEST_F_TIMEOUT(storm, no_consumer_sleeps_past_the_delay, KM_STORM_TIMEOUT)
{
	struct storm *storm = &self->storm;
	const uint64_t records = km_seconds(0) ? 1000000 : 500 * storm->burst;
	uint64_t bursts = 0;

	while (storm->consumed < records ||
	       (!was_in_flight(storm) && storm->consumed < 20 * records)) {
		__atomic_store_n(&storm->running, PRODUCERS, __ATOMIC_RELEASE);
		pthread_barrier_wait(&storm->begin);
		while (__atomic_load_n(&storm->running, __ATOMIC_ACQUIRE)) {
			note_in_flight(storm);
			sched_yield();
		}
		pthread_barrier_wait(&storm->end);
		ASSERT_TRUE(wait_for_consumer(storm))
		{
			TH_LOG("asleep after %ju records, %ju bursts",
			       (uintmax_t)storm->consumed, (uintmax_t)bursts);
		}
		bursts++;
	}
	TH_LOG("%ju records, %ju bursts, %ju LOST, %ju snapshots, %ju in flight",
	       (uintmax_t)storm->consumed, (uintmax_t)bursts,
	       (uintmax_t)storm->losses, (uintmax_t)storm->snapshots,
	       (uintmax_t)storm->in_flight);
	EXPECT_LT(0, storm->snapshots);
	EXPECT_TRUE(was_in_flight(storm));
}

/*
 * A thread that renames itself on another processor is held up with its record
 * in flight, while a child ends and is waited for.
 */

#define HOLD_MS 300
/* How long at least a read waits for a record in flight. */
#define WAIT_NS 900000000ULL

struct held {
	struct map map;
	pthread_t thread;
	pid_t tid;
	unsigned int wanted;
	unsigned int renamed;
};

static void *rename_when_asked(void *arg)
{
	struct held *held = arg;

	if (km_cpus() > 1)
		km_pin(1);
	__atomic_store_n(&held->tid, gettid(), __ATOMIC_RELEASE);
	for (;;) {
		while (__atomic_load_n(&held->wanted, __ATOMIC_ACQUIRE) ==
		       held->renamed)
			sched_yield();
		if (held->wanted == ~0U)
			return NULL;
		must(prctl(PR_SET_NAME, "held"));
		__atomic_add_fetch(&held->renamed, 1, __ATOMIC_RELEASE);
	}
}

FIXTURE(held)
{
	struct held held;
	pid_t child;
	int gate[2];
};

FIXTURE_SETUP(held)
{
	const struct kmonitor_attr attr = { .ring_records = 64 };
	struct held *held = &self->held;

	*held = (struct held){ .map = map_ring(&attr) };
	must(fcntl(held->map.fd, F_SETFL, O_NONBLOCK));
	km_add(held->map.fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_COMM, 1);
	km_pin(0);
	check(!pthread_create(&held->thread, NULL, rename_when_asked, held),
	      "no thread");
	while (!__atomic_load_n(&held->tid, __ATOMIC_ACQUIRE))
		sched_yield();
	km_gate(self->gate);
	self->child = km_fork();
	if (!self->child) {
		km_gate_wait(self->gate);
		_exit(7);
	}
	km_add(held->map.fd, KMONITOR_TARGET_TREE, self->child,
	       KMONITOR_PROCESS_EXIT, 2);
}

FIXTURE_TEARDOWN(held)
{
	set_delay(0, 0);
	__atomic_store_n(&self->held.wanted, ~0U, __ATOMIC_RELEASE);
	pthread_join(self->held.thread, NULL);
	unmap_ring(&self->held.map);
}

/* Lets the child end behind a record in flight; whether it still is then. */
static bool end_behind_record_in_flight(struct held *held, pid_t child,
					int gate[2])
{
	set_delay(HOLD_MS * MS, held->tid);
	__atomic_add_fetch(&held->wanted, 1, __ATOMIC_RELEASE);
	while (!(uint32_t)load_state(&held->map))
		sched_yield();
	km_gate_open(gate);
	check(km_join(child) == 7 << 8, "the child's status");
	return is_in_flight(&held->map);
}

static int take_by_read(int fd, struct kmonitor_event *event)
{
	return km_read(fd, event, 1);
}

static int take_by_poll(int fd, struct kmonitor_event *event)
{
	return km_readable(fd, 0) ? km_read(fd, event, 1) : -EAGAIN;
}

static int take_by_reader(int fd, struct kmonitor_event *event)
{
	static struct kmon_reader *reader;
	const struct kmonitor_event *next;
	int ret = 0;

	if (!reader)
		ret = kmon_reader_new(fd, KMON_METHOD_MMAP, 0, &reader);
	check(!ret, "no reader: %s", km_error(ret));
	ret = kmon_reader_next(reader, &next);
	if (ret == 1) {
		*event = *next;
		return 1;
	}
	kmon_reader_free(reader);
	reader = NULL;
	return ret ? ret : -EAGAIN;
}

FIXTURE_VARIANT(held)
{
	int (*take)(int fd, struct kmonitor_event *event);
};

/* clang-format off */
FIXTURE_VARIANT_ADD(held, read) { take_by_read };
FIXTURE_VARIANT_ADD(held, poll) { take_by_poll };
FIXTURE_VARIANT_ADD(held, kmon_reader) { take_by_reader };
/* clang-format on */

TEST_F(held, an_exit_that_was_waited_for_can_be_read)
{
	struct kmonitor_event event;
	unsigned int exits = 0;
	bool in_flight, gave_up;
	uint64_t began;
	int ret;

	in_flight = end_behind_record_in_flight(&self->held, self->child,
						self->gate);
	do {
		began = km_boottime_ns();
		while ((ret = variant->take(self->held.map.fd, &event)) == 1)
			exits += event.type == KMONITOR_PROCESS_EXIT &&
				 event.tgid == self->child;
		/* The host can keep the producer's processor for longer. */
		gave_up = !exits && km_boottime_ns() - began > WAIT_NS;
	} while (ret == -EAGAIN && gave_up);
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_EQ(1, exits);
	if (km_cpus() > 1)
		EXPECT_TRUE(in_flight);
}

TEST_HARNESS_MAIN
