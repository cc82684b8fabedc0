// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loss is exact, on any number of processors: LOST says how many forks, execs and
 * exits it counts, and STATS adds up at any moment.
 */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include "storm.h"

struct kinds {
	uint64_t forks;
	uint64_t execs;
	uint64_t exits;
	uint64_t all;
};

static void add_record(struct kinds *kinds, const struct kmonitor_event *event)
{
	if (event->type == KMONITOR_LOST) {
		kinds->forks += event->lost.forks;
		kinds->execs += event->lost.execs;
		kinds->exits += event->lost.exits;
		kinds->all += event->lost.count;
		check(event->lost.forks + event->lost.execs +
				      event->lost.exits <=
			      event->lost.count,
		      "more of a kind than of all");
		return;
	}
	kinds->all++;
	kinds->forks += event->type == KMONITOR_PROCESS_FORK ||
			event->type == KMONITOR_THREAD_CREATE;
	kinds->execs += event->type == KMONITOR_PROCESS_EXEC;
	kinds->exits += event->type == KMONITOR_PROCESS_EXIT ||
			event->type == KMONITOR_THREAD_EXIT;
}

static unsigned int drain(int fd, struct kinds *kinds)
{
	struct kmonitor_event event[16];
	unsigned int losses = 0;
	int got;

	while ((got = km_read(fd, event, 16)) > 0) {
		for (int i = 0; i < got; i++) {
			add_record(kinds, &event[i]);
			losses += event[i].type == KMONITOR_LOST;
		}
	}
	return losses;
}

static pid_t fork_storm(int gate[2], unsigned int rounds)
{
	char *const argv[] = { km_helper("quick"), NULL };
	pid_t child = km_fork();

	if (child)
		return child;
	km_gate_wait(gate);
	for (unsigned int i = 0; i < rounds; i++)
		storm_round(i % STORM_KINDS, argv);
	_exit(0);
}

/* One ring is large enough, the other is too small: their sums are the same. */
TEST(the_sums_by_kind_are_exact)
{
	const unsigned int rounds = km_scale(200, 30);
	struct kinds small = {}, large = {};
	int fd[2] = { km_open(8), km_open(65536) };
	unsigned int losses = 0;
	pid_t storm[3];
	int gate[2];

	km_gate(gate);
	for (int i = 0; i < 3; i++) {
		storm[i] = fork_storm(gate, rounds);
		for (int j = 0; j < 2; j++)
			km_add(fd[j], KMONITOR_TARGET_TREE, storm[i],
			       KM_LIFE | KMONITOR_COMM, i);
	}
	for (int i = 0; i < 3; i++)
		km_gate_open(gate);
	for (int i = 0; i < 3; i++) {
		/* Several LOST records, each of several kinds. */
		while (km_state(storm[i]) != 'Z') {
			if (km_stats(fd[0]).pending > 20)
				losses += drain(fd[0], &small);
			sched_yield();
		}
		km_join(storm[i]);
	}
	while (km_stats(fd[0]).filters || km_stats(fd[0]).pending ||
	       km_stats(fd[0]).depth)
		losses += drain(fd[0], &small);
	EXPECT_EQ(0, drain(fd[1], &large));
	EXPECT_LT(1, losses);
	EXPECT_EQ(large.all, small.all);
	EXPECT_EQ(large.forks, small.forks);
	EXPECT_EQ(large.execs, small.execs);
	EXPECT_EQ(large.exits, small.exits);
	TH_LOG("%u LOST, %ju forks, %ju execs, %ju exits", losses,
	       (uintmax_t)small.forks, (uintmax_t)small.execs,
	       (uintmax_t)small.exits);
	close(fd[0]);
	close(fd[1]);
}

/* What two producers have begun to append and have appended, and a consumer. */
struct books {
	int fd;
	uint64_t begun;
	uint64_t done;
	bool stop;
};

static void *rename_in_bursts(void *arg)
{
	struct books *books = arg;

	while (!__atomic_load_n(&books->stop, __ATOMIC_ACQUIRE)) {
		for (int i = 0; i < 64; i++) {
			__atomic_add_fetch(&books->begun, 1, __ATOMIC_SEQ_CST);
			must(prctl(PR_SET_NAME, "producer"));
			__atomic_add_fetch(&books->done, 1, __ATOMIC_SEQ_CST);
		}
		sched_yield();
	}
	return NULL;
}

static void *take_all(void *arg)
{
	struct books *books = arg;
	struct kmonitor_event event[4];

	while (!__atomic_load_n(&books->stop, __ATOMIC_ACQUIRE)) {
		while (km_read(books->fd, event, 4) > 0)
			;
		sched_yield();
	}
	return NULL;
}

/* Whoever looks while a loss is being reported finds it once, in whole. */
TEST(stats_are_exact_while_a_loss_is_reported)
{
	struct books books = { .fd = km_open(8) };
	const uint64_t reports = km_scale(4000, 2000);
	pthread_t thread[3];
	uint64_t lost = 0, changes = 0;

	km_add(books.fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_COMM, 0);
	for (int i = 0; i < 3; i++)
		check(!pthread_create(&thread[i], NULL,
				      i ? rename_in_bursts : take_all, &books),
		      "no thread");
	while (changes < reports) {
		uint64_t done = __atomic_load_n(&books.done, __ATOMIC_SEQ_CST);
		struct kmonitor_stats stats = km_stats(books.fd);
		uint64_t begun =
			__atomic_load_n(&books.begun, __ATOMIC_SEQ_CST);

		changes += stats.lost != lost;
		lost = stats.lost;
		ASSERT_LE(done, stats.matched);
		ASSERT_GE(begun, stats.matched);
	}
	__atomic_store_n(&books.stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(books.done, km_stats(books.fd).matched);
	close(books.fd);
}

TEST_HARNESS_MAIN
