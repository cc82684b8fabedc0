// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening, adding and closing while processes and threads come and go: each
 * call succeeds or says why, each tree ends, and nothing stays charged.
 */

#include "kselftest_harness.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "storm.h"

#define SYSCTL "/proc/sys/kernel/kmonitor/"
#define CYCLES 10000
#define CYCLERS 8
#define MOTHERS 4

/* Shared by all: the newest child of each mother, and what the cycles met. */
struct arena {
	volatile pid_t newest[MOTHERS];
	unsigned int added;
	unsigned int dead;
	unsigned int emptied;
};

FIXTURE(storm)
{
	struct arena *arena;
	pid_t mother[MOTHERS];
	pid_t storm[2];
};

static pid_t bear_quick(volatile pid_t *newest)
{
	pid_t child = vfork();

	if (!child) {
		*newest = getpid();
		_exit(0);
	}
	return child;
}

/* A child with a thread or a child of its own. */
static pid_t bear_busy(volatile pid_t *newest, bool thread)
{
	pid_t child = km_fork();
	pthread_t other;

	if (!child) {
		*newest = getpid();
		if (thread)
			pthread_create(&other, NULL, storm_thread, NULL);
		else
			bear_quick(newest);
		_exit(0);
	}
	return child;
}

/* Has children that end at once. */
static void be_a_mother(volatile pid_t *newest)
{
	for (unsigned int i = 0;; i++)
		km_join(i % 4 ? bear_quick(newest) : bear_busy(newest, i % 8));
}

static void be_a_storm(enum storm kind)
{
	char *argv[] = { "unused", NULL };

	for (;;)
		storm_round(kind, argv);
}

FIXTURE_SETUP(storm)
{
	self->arena = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < MOTHERS; i++) {
		self->mother[i] = km_fork();
		if (!self->mother[i])
			be_a_mother(&self->arena->newest[i]);
	}
	for (int i = 0; i < 2; i++) {
		self->storm[i] = km_fork();
		if (!self->storm[i])
			be_a_storm(i ? STORM_THREAD : STORM_GROUP);
	}
	for (int i = 0; i < MOTHERS; i++) {
		while (!self->arena->newest[i])
			sched_yield();
	}
}

FIXTURE_TEARDOWN(storm)
{
	for (int i = 0; i < 2; i++)
		kill(self->storm[i], SIGKILL);
	for (int i = 0; i < MOTHERS; i++)
		kill(self->mother[i], SIGKILL);
	while (wait(NULL) > 0)
		;
}

static void count(unsigned int *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* Reads until the tree is empty; its EMPTY must come, and once. */
static void see_it_end(int fd, uint64_t handle)
{
	struct kmonitor_event event;
	uint64_t seq = 0;

	do {
		km_next(fd, &event);
		check(event.seq == ++seq, "expected seq %ju, got %ju",
		      (uintmax_t)seq, (uintmax_t)event.seq);
	} while (event.type != KMONITOR_EMPTY);
	check(event.empty.handle == handle, "EMPTY of another entry");
	check(event.empty.members >= 1, "EMPTY of a tree without members");
	check(km_read(fd, &event, 1) == -EAGAIN, "a record after EMPTY");
	check(!km_stats(fd).filters, "EMPTY left the entry");
}

/* Opens, adds what may be dying, and closes, in one of several ways. */
static void cycle(struct arena *arena, unsigned int i)
{
	static const uint32_t targets[] = { KMONITOR_TARGET_TREE,
					    KMONITOR_TARGET_PROCESS,
					    KMONITOR_TARGET_THREAD,
					    KMONITOR_TARGET_ALL };
	const uint32_t target = targets[i % 4];
	const pid_t mother = arena->newest[i / 4 % MOTHERS];
	struct kmonitor_event event[4];
	uint64_t handle;
	int fd, ret;

	fd = km_open(1U << i % 7);
	ret = km_try_add(fd, target, target == KMONITOR_TARGET_ALL ? 0 : mother,
			 i % 3 ? KM_LIFE : 0, i, &handle);
	check(!ret || ret == -ESRCH, "expected success or ESRCH, got %s",
	      km_error(ret));
	count(ret ? &arena->dead : &arena->added);
	check(!ret || !km_stats(fd).filters, "ESRCH left an entry");
	if (!ret && target == KMONITOR_TARGET_TREE && i % 8 == 0) {
		see_it_end(fd, handle);
		count(&arena->emptied);
	} else if (i % 5 == 1) {
		km_read(fd, event, 4);
	} else if (i % 5 == 2) {
		ret = km_ioctl(fd, KMONITOR_IOC_FILTER_CLEAR, NULL);
		check(!ret, "FILTER_CLEAR: %s", km_error(ret));
		/* It stays while its end waits for room, or is being reported. */
		while (km_stats(fd).filters) {
			if (km_read(fd, event, 4) < 0)
				sched_yield();
		}
	} else if (i % 5 == 3) {
		ret = km_del(fd, handle);
		check(!ret || ret == -ENOENT, "FILTER_DEL: %s", km_error(ret));
	}
	close(fd);
}

static void run_cycles(struct __test_metadata *_metadata, struct arena *arena)
{
	pid_t cycler[CYCLERS];

	for (int i = 0; i < CYCLERS; i++) {
		cycler[i] = km_fork();
		if (cycler[i])
			continue;
		for (unsigned int n = 0; n < CYCLES / CYCLERS; n++)
			cycle(arena, n * CYCLERS + (i + n) % CYCLERS);
		_exit(0);
	}
	for (int i = 0; i < CYCLERS; i++)
		EXPECT_EQ(0, km_join(cycler[i]));
}

TEST_F_TIMEOUT(storm, open_add_close_races_with_life_and_death, 550)
{
	struct arena *arena = self->arena;

	run_cycles(_metadata, arena);
	TH_LOG("%u cycles: %u added, %u came too late, %u trees seen to end",
	       CYCLES, arena->added, arena->dead, arena->emptied);
	EXPECT_EQ(CYCLES, arena->added + arena->dead);
	EXPECT_LT(0, arena->dead);
	EXPECT_LT(CYCLES / 4, arena->added);
	EXPECT_LT(0, arena->emptied);
}

/* One descriptor, many hands: adds, deletes, reads and storms at once. */
TEST_F(storm, one_descriptor_may_be_edited_by_many)
{
	const unsigned int rounds = km_scale(500, 50);
	pid_t editor[CYCLERS];
	int fd = km_open(64);

	for (int i = 0; i < CYCLERS; i++) {
		editor[i] = km_fork();
		if (editor[i])
			continue;
		for (unsigned int n = 0; n < rounds; n++) {
			const pid_t pid = self->arena->newest[n % MOTHERS];
			struct kmonitor_event event[8];
			uint64_t handle;
			int ret;

			ret = km_try_add(fd, n % 3, pid, KM_LIFE, n, &handle);
			check(!ret || ret == -ESRCH, "FILTER_ADD: %s",
			      km_error(ret));
			km_read(fd, event, 8);
			ret = ret ? -ENOENT : km_del(fd, handle);
			check(!ret || ret == -ENOENT, "FILTER_DEL: %s",
			      km_error(ret));
		}
		_exit(0);
	}
	for (int i = 0; i < CYCLERS; i++)
		EXPECT_EQ(0, km_join(editor[i]));
	EXPECT_EQ(0, km_ioctl(fd, KMONITOR_IOC_FILTER_CLEAR, NULL));
	EXPECT_EQ(0, km_stats(fd).filters);
	close(fd);
}

FIXTURE(aftermath)
{
	long instances;
	long filters;
};

FIXTURE_SETUP(aftermath)
{
	self->instances = km_sysctl(SYSCTL "max_user_instances", 1);
	self->filters = km_sysctl(SYSCTL "max_user_filters", 1);
}

FIXTURE_TEARDOWN(aftermath)
{
	km_sysctl(SYSCTL "max_user_instances", self->instances);
	km_sysctl(SYSCTL "max_user_filters", self->filters);
}

/* The storms are over and nothing is open: what is charged has leaked. */
TEST_F(aftermath, no_instance_and_no_filter_stays_charged)
{
	int fd = km_init(NULL, 0, KMONITOR_CLOEXEC);
	uint64_t handle;

	EXPECT_LE(0, fd);
	EXPECT_EQ(0, km_try_add(fd, KMONITOR_TARGET_PROCESS, 0, KM_LIFE, 0,
				&handle));
	close(fd);
}

TEST_HARNESS_MAIN
