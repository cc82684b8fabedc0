// SPDX-License-Identifier: GPL-2.0-only
/* The mapped ring: what may be mapped, what is there, and tails that lie. */

#include "kselftest_harness.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "common.h"

#define RO PROT_READ
#define RW (PROT_READ | PROT_WRITE)

/* A descriptor and its ring as a consumer maps it. */
struct map {
	int fd;
	struct kmonitor_info info;
	uint32_t *tail;
	const unsigned char *area;
	const struct kmonitor_header *header;
	const struct kmonitor_event *record;
};

static struct map map_descriptor(int fd)
{
	struct map map = { .fd = fd };

	check(!km_ioctl(map.fd, KMONITOR_IOC_INFO, &map.info), "INFO");
	map.tail = must(mmap(NULL, KM_PAGE, RW, MAP_SHARED, map.fd,
			     map.info.tail_offset));
	map.area =
		must(mmap(NULL, map.info.mmap_size, RO, MAP_SHARED, map.fd, 0));
	map.header = (const void *)(map.area + map.info.header_offset);
	map.record = (const void *)(map.area + map.info.records_offset);
	return map;
}

static struct map map_ring(uint32_t ring_records)
{
	return map_descriptor(km_open(ring_records));
}

static void unmap_ring(struct map *map)
{
	munmap((void *)map->area, map->info.mmap_size);
	munmap(map->tail, KM_PAGE);
	close(map->fd);
}

/* The oldest record, NULL if there is none. */
static const struct kmonitor_event *oldest(const struct map *map)
{
	uint32_t tail = __atomic_load_n(map->tail, __ATOMIC_RELAXED);
	const struct kmonitor_event *record =
		&map->record[tail % map->info.ring_records];

	return (uint32_t)__atomic_load_n(&record->seq, __ATOMIC_ACQUIRE) ==
			       tail + 1 ?
		       record :
		       NULL;
}

static void done(const struct map *map)
{
	__atomic_store_n(map->tail, *map->tail + 1, __ATOMIC_RELEASE);
}

static bool has_pending_loss(const struct map *map)
{
	return __atomic_load_n(&map->header->state, __ATOMIC_RELAXED) >>
	       KMONITOR_STATE_LOSS_SHIFT;
}

static uint32_t position_of(const struct map *map)
{
	return __atomic_load_n(&map->header->state, __ATOMIC_RELAXED);
}

static void watch_forks(int fd)
{
	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 7);
}

TEST(info_and_header_tell_the_geometry)
{
	struct map map = map_ring(64);

	EXPECT_EQ(0, map.info.mmap_size % KM_PAGE);
	EXPECT_EQ(0, map.info.tail_offset % KM_PAGE);
	EXPECT_EQ(0, map.info.header_offset % KM_PAGE);
	EXPECT_EQ(0, map.info.records_offset % KM_PAGE);
	EXPECT_LE(map.info.records_offset + 64 * 128, map.info.mmap_size);
	EXPECT_EQ(sizeof(struct kmonitor_header), map.header->size);
	EXPECT_EQ(128, map.header->record_size);
	EXPECT_EQ(64, map.header->ring_records);
	EXPECT_EQ(1, map.header->wakeup_records);
	EXPECT_EQ(0, map.header->waiting);
	EXPECT_EQ(0, map.header->state);
	EXPECT_EQ(0, *map.tail);
	EXPECT_EQ(NULL, oldest(&map));
	unmap_ring(&map);
}

TEST(mmap_answers_each_request_as_documented)
{
	/* In pages; a ring of 64 records has two behind the front two. */
	static const struct {
		const char *what;
		int at, nr, prot, flags, expected;
	} cases[] = {
		{ "all", 0, 4, RO, MAP_SHARED, 0 },
		{ "tail", 0, 1, RW, MAP_SHARED, 0 },
		{ "tail to be read", 0, 1, RO, MAP_SHARED, 0 },
		{ "header", 1, 1, RO, MAP_SHARED, 0 },
		{ "records", 2, 2, RO, MAP_SHARED, 0 },
		{ "last page", 3, 1, RO, MAP_SHARED, 0 },
		{ "writable header", 1, 1, RW, MAP_SHARED, EPERM },
		{ "writable records", 2, 2, RW, MAP_SHARED, EPERM },
		{ "writable tail and header", 0, 2, RW, MAP_SHARED, EPERM },
		{ "all writable", 0, 4, RW, MAP_SHARED, EPERM },
		{ "executable tail", 0, 1, RW | PROT_EXEC, MAP_SHARED, EPERM },
		{ "executable", 0, 4, RO | PROT_EXEC, MAP_SHARED, EPERM },
		{ "private", 0, 4, RO, MAP_PRIVATE, EINVAL },
		{ "private tail", 0, 1, RW, MAP_PRIVATE, EINVAL },
		{ "too much", 0, 5, RO, MAP_SHARED, EINVAL },
		{ "over the end", 3, 2, RO, MAP_SHARED, EINVAL },
		{ "at the end", 4, 1, RO, MAP_SHARED, EINVAL },
		{ "far behind", 1 << 20, 1, RO, MAP_SHARED, EINVAL },
	};
	int fd = km_open(64);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		void *at = mmap(NULL, cases[i].nr * KM_PAGE, cases[i].prot,
				cases[i].flags, fd,
				(off_t)cases[i].at * KM_PAGE);
		int error = at == MAP_FAILED ? errno : 0;

		EXPECT_EQ(cases[i].expected, error)
		{
			TH_LOG("%s", cases[i].what);
		}
		if (at != MAP_FAILED)
			munmap(at, cases[i].nr * KM_PAGE);
	}
	close(fd);
}

TEST(only_the_tail_becomes_writable_and_nothing_grows)
{
	struct map map = map_ring(64);
	void *area = (void *)map.area;
	char *tail;

	EXPECT_EQ(-1, mprotect(area, KM_PAGE, RW));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(area, map.info.mmap_size, RW));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(map.tail, KM_PAGE, RW | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED,
		  mremap(map.tail, KM_PAGE, 2 * KM_PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	tail = must(mmap(NULL, KM_PAGE, RO, MAP_SHARED, map.fd, 0));
	EXPECT_EQ(0, mprotect(tail, KM_PAGE, RW));
	munmap(tail, KM_PAGE);
	unmap_ring(&map);
}

TEST(the_mapped_stream_is_complete_over_many_laps)
{
	const struct kmonitor_event *event;
	struct map map = map_ring(4);
	pid_t child[3];

	watch_forks(map.fd);
	for (uint64_t seq = 1; seq < 100;) {
		for (int i = 0; i < 3; i++)
			child[i] = km_fork_and_join(0);
		for (int i = 0; i < 3; i++, seq++) {
			event = oldest(&map);
			ASSERT_NE(NULL, event);
			EXPECT_EQ(seq, event->seq);
			EXPECT_EQ(KMONITOR_PROCESS_FORK, event->type);
			EXPECT_EQ(child[i], event->fork.pid);
			EXPECT_EQ(7, event->cookie);
			done(&map);
		}
		ASSERT_EQ(NULL, oldest(&map));
		EXPECT_EQ(seq - 1, position_of(&map));
		EXPECT_FALSE(km_readable(map.fd, 0));
	}
	EXPECT_EQ(0, km_stats(map.fd).pending);
	unmap_ring(&map);
}

TEST(read_and_the_mapping_alternate)
{
	struct map map = map_ring(4);
	struct kmonitor_event event;

	watch_forks(map.fd);
	for (uint64_t seq = 1; seq < 40; seq += 2) {
		km_fork_and_join(0);
		km_fork_and_join(0);
		ASSERT_NE(NULL, oldest(&map));
		EXPECT_EQ(seq, oldest(&map)->seq);
		done(&map);
		ASSERT_EQ(1, km_read(map.fd, &event, 1));
		EXPECT_EQ(seq + 1, event.seq);
		EXPECT_EQ(seq + 1, *map.tail);
		EXPECT_EQ(-EAGAIN, km_read(map.fd, &event, 1));
	}
	unmap_ring(&map);
}

/* Promise 3 for mmap consumers. */
TEST(the_header_tells_the_loss_and_poll_gives_it_its_place)
{
	struct map map = map_ring(4);

	watch_forks(map.fd);
	for (int i = 0; i < 10; i++)
		km_fork_and_join(0);
	EXPECT_TRUE(has_pending_loss(&map));
	for (int i = 0; i < 4; i++) {
		ASSERT_NE(NULL, oldest(&map));
		EXPECT_EQ(KMONITOR_PROCESS_FORK, oldest(&map)->type);
		done(&map);
	}
	EXPECT_EQ(NULL, oldest(&map));
	EXPECT_TRUE(has_pending_loss(&map));
	EXPECT_TRUE(km_readable(map.fd, 0));
	EXPECT_FALSE(has_pending_loss(&map));
	ASSERT_NE(NULL, oldest(&map));
	EXPECT_EQ(KMONITOR_LOST, oldest(&map)->type);
	EXPECT_EQ(5, oldest(&map)->seq);
	EXPECT_EQ(6, oldest(&map)->lost.count);
	done(&map);
	EXPECT_FALSE(km_readable(map.fd, 0));
	unmap_ring(&map);
}

TEST(the_header_tells_that_empty_waits)
{
	struct map map = map_ring(2);
	uint32_t type = 0;
	int gate[2];
	pid_t root;

	km_gate(gate);
	root = km_fork();
	if (!root) {
		km_gate_wait(gate);
		km_fork_and_join(0);
		_exit(0);
	}
	km_add(map.fd, KMONITOR_TARGET_TREE, root, KM_LIFE, 7);
	km_gate_open(gate);
	km_join(root);
	EXPECT_EQ(1, map.header->waiting);
	while (type != KMONITOR_EMPTY) {
		while (oldest(&map)) {
			type = oldest(&map)->type;
			done(&map);
		}
		if (type != KMONITOR_EMPTY)
			ASSERT_TRUE(km_readable(map.fd, 0));
	}
	EXPECT_EQ(0, map.header->waiting);
	unmap_ring(&map);
}

TEST(a_mapping_outlives_its_descriptor_and_is_not_inherited)
{
	struct map map = map_ring(64);
	pid_t child;

	watch_forks(map.fd);
	km_fork_and_join(0);
	close(map.fd);
	child = km_fork();
	if (!child)
		_exit(!oldest(&map));
	EXPECT_EQ(SIGSEGV, km_join(child) & 0x7f);
	EXPECT_EQ(2, position_of(&map));
	for (int i = 0; i < 2; i++) {
		ASSERT_NE(NULL, oldest(&map));
		done(&map);
	}
	EXPECT_EQ(NULL, oldest(&map));
	munmap(map.tail, KM_PAGE);
	EXPECT_EQ(2, position_of(&map));
	munmap((void *)map.area, map.info.mmap_size);
}

struct scribbler {
	pthread_t thread;
	struct map *map;
	bool stop;
};

/* Writes positions that may be, that can't be, and any. */
static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	uint32_t random = 1;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		random = random * 1664525 + 1013904223;
		__atomic_store_n(s->map->tail,
				 random >> 30 ? position_of(s->map) -
							(random >> 16) % 12 :
						random,
				 __ATOMIC_RELAXED);
	}
	return NULL;
}

static void expect_whole(const struct kmonitor_event *event)
{
	check(event->type == KMONITOR_PROCESS_FORK ||
		      event->type == KMONITOR_LOST,
	      "a record of type %#x", event->type);
	if (event->type == KMONITOR_PROCESS_FORK)
		check(event->cookie == 7 && event->tgid == getpid() &&
			      event->fork.pid > 0 &&
			      event->fork.pid == event->fork.tgid &&
			      event->fork.ppid == getpid(),
		      "a torn record");
	else
		check(event->lost.count && !event->pid && !event->cookie,
		      "a torn LOST record");
}

/* Promises 2 and 4: the liar alone suffers, and even its records are whole. */
TEST(a_wild_tail_hurts_nobody)
{
	const unsigned int rounds = km_scale(2000, 300);
	struct map map = map_ring(8);
	struct scribbler s = { .map = &map };
	struct kmonitor_event event[8];
	int honest = km_open(4096);
	struct kmonitor_stats stats;
	unsigned int nr_read = 0;
	int nr;

	watch_forks(map.fd);
	watch_forks(honest);
	check(!pthread_create(&s.thread, NULL, scribble, &s), "no thread");
	for (unsigned int i = 0; i < rounds; i++) {
		pid_t child = vfork();

		if (!child)
			_exit(0);
		km_join(child);
		km_readable(map.fd, 0);
		nr = km_read(map.fd, event, 1 + i % 8);
		for (int e = 0; e < nr; e++, nr_read++)
			expect_whole(&event[e]);
	}
	s.stop = true;
	pthread_join(s.thread, NULL);
	TH_LOG("read %u records of %u", nr_read, rounds);
	stats = km_stats(map.fd);
	EXPECT_EQ(rounds, stats.matched);
	EXPECT_EQ(stats.matched, stats.recorded + stats.lost + stats.pending);
	stats = km_stats(honest);
	EXPECT_EQ(rounds, stats.recorded);
	for (unsigned int i = 0; i < rounds; i++) {
		ASSERT_EQ(1, km_read(honest, event, 1));
		ASSERT_EQ(i + 1, event[0].seq);
		expect_whole(event);
	}
	/* After a valid tail the ring works again. */
	__atomic_store_n(map.tail, position_of(&map), __ATOMIC_RELEASE);
	while (km_read(map.fd, event, 8) > 0)
		;
	km_fork_and_join(0);
	ASSERT_EQ(1, km_read(map.fd, event, 8));
	expect_whole(event);
	close(honest);
	unmap_ring(&map);
}

/* Consumes as an edge-triggered consumer must: drain, barrier, look again. */
static void consume_edges(struct map *map, int epoll, unsigned int *consumed,
			  unsigned int expected)
{
	struct epoll_event event;

	while (*consumed < expected) {
		check(must(epoll_wait(epoll, &event, 1, KM_TIMEOUT_MS)),
		      "no wake-up after %u of %u records", *consumed, expected);
		do {
			while (oldest(map)) {
				done(map);
				__atomic_add_fetch(consumed, 1,
						   __ATOMIC_RELEASE);
			}
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
		} while (oldest(map));
	}
}

TEST(edge_triggered_epoll_misses_no_wake_up_of_a_mapping)
{
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET };
	const unsigned int rounds = km_scale(2000, 300);
	unsigned int *consumed = must(
		mmap(NULL, KM_PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	struct map map = map_ring(16);
	int epoll = must(epoll_create1(EPOLL_CLOEXEC));
	pid_t consumer = km_fork();
	pid_t child;

	if (!consumer) {
		map = map_descriptor(map.fd);
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, map.fd, &edge));
		consume_edges(&map, epoll, consumed, rounds);
		_exit(0);
	}
	watch_forks(map.fd);
	for (unsigned int i = 0; i < rounds; i++) {
		while (__atomic_load_n(consumed, __ATOMIC_ACQUIRE) + 2 < i &&
		       km_state(consumer) != 'Z')
			sched_yield();
		child = vfork();
		if (!child)
			_exit(0);
		km_join(child);
	}
	EXPECT_EQ(0, km_join(consumer));
	EXPECT_EQ(rounds, *consumed);
	close(epoll);
	unmap_ring(&map);
}

TEST_HARNESS_MAIN
