// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promise 4: monitors that do all they may to be in the way of a storm, none of
 * whose forks, execs and threads fails; and what each of them has matched is
 * exact in the end.
 */

#include "kselftest_harness.h"

#include <signal.h>
#include <sys/mman.h>

#include "storm.h"

#define SYSCTL "/proc/sys/kernel/kmonitor/"
#define TREE KMONITOR_TARGET_TREE

#define NOBODY 65534
/* The default limits of a user, and the processes to spend them on. */
#define MAX_INSTANCES 128
#define MAX_FILTERS 16384
#define MAX_TREES 16
#define MAX_SLEEPERS (MAX_FILTERS / MAX_TREES / 2)
#define STORMS 2

/* Shared by all. */
struct arena {
	unsigned int rounds;
	unsigned int cycles;
};

static void count(unsigned int *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void run_storm(struct arena *arena, unsigned int rounds)
{
	char *argv[] = { km_helper("quick"), NULL };

	for (unsigned int i = 0; i < rounds; i++) {
		for (enum storm kind = 0; kind < STORM_KINDS; kind++) {
			storm_round(kind, argv);
			count(&arena->rounds);
		}
	}
	_exit(0);
}

/* Nobody's process that waits, and then has the storms as children. */
static pid_t start_storms(struct arena *arena, unsigned int rounds, int gate[2])
{
	pid_t storm[STORMS], parent;
	int ready[2];

	km_gate(ready);
	parent = km_fork();
	if (!parent) {
		km_become(NOBODY, NOBODY);
		km_gate_open(ready);
		km_gate_wait(gate);
		for (int i = 0; i < STORMS; i++) {
			storm[i] = km_fork();
			if (!storm[i])
				run_storm(arena, rounds);
		}
		for (int i = 0; i < STORMS; i++)
			check(!km_join(storm[i]), "a storm failed");
		_exit(0);
	}
	km_gate_wait(ready);
	return parent;
}

/* The records of KM_LIFE in that tree. */
static uint64_t records_of(unsigned int rounds)
{
	uint64_t records = storm_records[STORM_FORK] * STORMS + 2;

	for (enum storm kind = 0; kind < STORM_KINDS; kind++)
		records += (uint64_t)STORMS * rounds * storm_records[kind];
	return records;
}

static void check_stats(int fd, uint64_t records)
{
	struct kmonitor_stats stats = km_stats(fd);

	/* The EMPTY record is one more. */
	check(stats.matched == records + 1, "expected %ju matched, got %ju",
	      (uintmax_t)records + 1, (uintmax_t)stats.matched);
	check(stats.recorded + stats.lost == stats.matched && !stats.pending,
	      "recorded %ju, lost %ju and pending %ju of %ju",
	      (uintmax_t)stats.recorded, (uintmax_t)stats.lost,
	      (uintmax_t)stats.pending, (uintmax_t)stats.matched);
}

/* Reads and accounts for all that the tree of the storms has sent. */
static void read_all(int fd, uint64_t records)
{
	struct kmonitor_event event = {};
	uint64_t seq = 0, seen = 0;

	while (event.type != KMONITOR_EMPTY) {
		km_next(fd, &event);
		check(event.seq == ++seq, "expected seq %ju, got %ju",
		      (uintmax_t)seq, (uintmax_t)event.seq);
		seen += event.type == KMONITOR_LOST ? event.lost.count : 1;
	}
	check(!event.empty.root_status, "the storms failed");
	check(seen == records + 1, "expected %ju records, got %ju",
	      (uintmax_t)records + 1, (uintmax_t)seen);
	check(km_read(fd, &event, 1) == -EAGAIN, "a record after EMPTY");
	check_stats(fd, records);
}

/* Reads what comes until it is stopped. */
static pid_t fork_checking_reader(int fd, uint64_t records)
{
	pid_t reader = km_fork();

	if (!reader) {
		read_all(fd, records);
		_exit(0);
	}
	return reader;
}

static volatile uint32_t *map_tail(int fd)
{
	struct kmonitor_info info;

	check(!km_ioctl(fd, KMONITOR_IOC_INFO, &info), "INFO");
	return must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 info.tail_offset));
}

/* Runs wild with the tail: anywhere, or near to where it should be. */
static pid_t start_vandal(int fd)
{
	volatile uint32_t *tail = map_tail(fd);
	pid_t vandal = km_fork();

	if (!vandal) {
		for (uint32_t value = 1;; value = value * 1664525 + 1013904223)
			*tail = value >> 31 ? value : *tail + (value >> 29);
	}
	return vandal;
}

/* Consumes what the vandal has left, whatever it is. */
static void repair(int fd)
{
	volatile uint32_t *tail = map_tail(fd);
	struct kmonitor_info info;
	const struct kmonitor_header *header;
	struct kmonitor_event event;

	check(!km_ioctl(fd, KMONITOR_IOC_INFO, &info), "INFO");
	header = must(mmap(NULL, KM_PAGE, PROT_READ, MAP_SHARED, fd,
			   info.header_offset));
	*tail = header->state;
	while (km_readable(fd, 0))
		check(km_read(fd, &event, 1) == 1, "no record after poll");
}

/* Opens, adds the tree, and closes. */
static pid_t start_cycler(struct arena *arena, pid_t root)
{
	pid_t cycler = km_fork();
	uint64_t handle;

	while (!cycler) {
		int fd = km_open(2);

		km_try_add(fd, TREE, root, KM_LIFE, 0, &handle);
		close(fd);
		count(&arena->cycles);
	}
	return cycler;
}

/* The default, but where it would take too long. */
static int max_filters(void)
{
	return km_scale(MAX_FILTERS, MAX_FILTERS / 8);
}

/* Takes all that a user may have, most of it on the storms and the sleepers. */
static pid_t start_hoarder(pid_t root, const pid_t *sleeper, uint64_t records,
			   int ready[2], int gate[2])
{
	int fd[MAX_INSTANCES], nr = MAX_TREES, ret = 0;
	pid_t hoarder = km_fork();
	uint64_t handle;

	if (hoarder)
		return hoarder;
	km_become(NOBODY, NOBODY);
	for (int i = 0; i < MAX_INSTANCES; i++)
		fd[i] = km_open(2);
	check(km_init(NULL, 0, 0) == -EMFILE, "a descriptor above the limit");
	for (int i = 0; i < MAX_TREES; i++)
		km_add(fd[i], TREE, root, KM_LIFE, 0);
	ret = km_try_add(fd[MAX_TREES], TREE, root, KM_LIFE, 0, &handle);
	check(ret == -ENOSPC, "expected ENOSPC of tree 17, got %s",
	      km_error(ret));
	for (ret = 0; !ret; nr += !ret) {
		const int turn = nr - MAX_TREES;

		ret = km_try_add(fd[turn % MAX_TREES],
				 turn / MAX_TREES % 2 ? KMONITOR_TARGET_THREAD :
							KMONITOR_TARGET_PROCESS,
				 sleeper[turn / MAX_TREES / 2], 0, 0, &handle);
	}
	check(ret == -ENOSPC && nr == max_filters(),
	      "expected %d filters, got %d: %s", max_filters(), nr,
	      km_error(ret));
	km_gate_open(ready);
	km_gate_wait(gate);
	for (int i = 0; i < MAX_TREES; i++)
		read_all(fd[i], records);
	_exit(0);
}

TEST(a_storm_among_hostile_monitors_fails_nothing_and_counts_exactly)
{
	const unsigned int rounds = km_scale(150, 10);
	const uint64_t records = records_of(rounds);
	const int sleepers = max_filters() / MAX_TREES / 2;
	pid_t root, reader, vandal, cycler, hoarder, sleeper[MAX_SLEEPERS];
	int start[2], ready[2], end[2], read_fd, wild_fd, leaked_fd;
	long instances, filters;
	struct arena *arena;

	instances = km_sysctl(SYSCTL "max_user_instances", MAX_INSTANCES);
	filters = km_sysctl(SYSCTL "max_user_filters", max_filters());
	EXPECT_EQ(MAX_INSTANCES, instances);
	EXPECT_EQ(MAX_FILTERS, filters);
	arena = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	km_gate(start);
	km_gate(ready);
	km_gate(end);
	root = start_storms(arena, rounds, start);

	leaked_fd = km_open(4);
	km_add(leaked_fd, TREE, root, KM_LIFE, 0);
	for (int i = 0; i < sleepers; i++)
		sleeper[i] = km_fork_as(NOBODY, NOBODY, end);
	read_fd = km_open(2);
	km_add(read_fd, TREE, root, KM_LIFE, 0);
	reader = fork_checking_reader(read_fd, records);
	wild_fd = km_open(2);
	km_add(wild_fd, TREE, root, KM_LIFE, 0);
	vandal = start_vandal(wild_fd);
	hoarder = start_hoarder(root, sleeper, records, ready, end);
	km_gate_wait(ready);
	cycler = start_cycler(arena, root);

	km_gate_open(start);
	while (__atomic_load_n(&arena->rounds, __ATOMIC_RELAXED) < rounds)
		usleep(1000);
	must(kill(reader, SIGSTOP));
	EXPECT_EQ(0, km_join(root));
	EXPECT_EQ(STORMS * rounds * STORM_KINDS, arena->rounds);
	EXPECT_LT(0, arena->cycles);

	must(kill(cycler, SIGKILL));
	km_join(cycler);
	must(kill(vandal, SIGKILL));
	km_join(vandal);
	must(kill(reader, SIGCONT));
	EXPECT_EQ(0, km_join(reader));
	/* One token is for the hoarder, who needs the sleepers no more. */
	for (int i = 0; i < sleepers + 1; i++)
		km_gate_open(end);
	for (int i = 0; i < sleepers; i++)
		EXPECT_EQ(0, km_join(sleeper[i]));
	EXPECT_EQ(0, km_join(hoarder));
	read_all(leaked_fd, records);
	repair(wild_fd);
	check_stats(wild_fd, records);
	close(leaked_fd);
	close(read_fd);
	close(wild_fd);
	km_sysctl(SYSCTL "max_user_instances", instances);
	km_sysctl(SYSCTL "max_user_filters", filters);
}

TEST_HARNESS_MAIN
