// SPDX-License-Identifier: GPL-2.0-only
/* EMPTY: the end of a tree is reported once, with its totals, and never lost. */

#include "kselftest_harness.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common.h"
#include "monitor_fixture.h"

#define TREE KMONITOR_TARGET_TREE

static pid_t fork_family_at_gate(int gate[2], int children, int status)
{
	pid_t root = km_fork(), child;

	if (root)
		return root;
	km_gate_wait(gate);
	for (int i = 0; i < children; i++) {
		child = km_fork();
		if (!child)
			_exit(i % 2);
		km_join(child);
	}
	_exit(status);
}

TEST_F(monitor, the_totals_are_exact)
{
	pid_t root = fork_family_at_gate(self->gate, 20, 3);
	uint64_t handle = km_add(self->fd, TREE, root, KM_LIFE, 5);
	const struct kmonitor_event *empty, *exit;
	uint64_t utime = 0, stime = 0, maxrss = 0;

	km_gate_open(self->gate);
	km_join(root);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, root);
	empty = km_find(&self->log, KMONITOR_EMPTY, root);
	exit = km_find(&self->log, KMONITOR_PROCESS_EXIT, root);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_EMPTY, 0));
	EXPECT_EQ(self->log.event + self->log.nr - 1, empty);
	EXPECT_EQ(5, empty->cookie);
	EXPECT_EQ(root, empty->tgid);
	EXPECT_EQ(exit->start_ns, empty->start_ns);
	EXPECT_EQ(3 << 8, empty->empty.root_status);
	EXPECT_EQ(0, empty->empty.flags);
	EXPECT_EQ(21, empty->empty.members);
	EXPECT_EQ(11, empty->empty.failed);
	EXPECT_EQ(handle, empty->empty.handle);
	for (exit = self->log.event; exit < empty; exit++) {
		if (exit->type != KMONITOR_PROCESS_EXIT)
			continue;
		utime += exit->exit.utime_ns;
		stime += exit->exit.stime_ns;
		if (exit->exit.maxrss_kib > maxrss)
			maxrss = exit->exit.maxrss_kib;
	}
	EXPECT_EQ(utime, empty->empty.utime_ns);
	EXPECT_EQ(stime, empty->empty.stime_ns);
	EXPECT_EQ(maxrss, empty->empty.maxrss_kib);
}

TEST_F(monitor, a_tree_that_wants_nothing_gets_its_empty)
{
	pid_t root = fork_family_at_gate(self->gate, 3, 0);

	km_add(self->fd, TREE, root, 0, 5);
	EXPECT_FALSE(km_readable(self->fd, 0));
	km_gate_open(self->gate);
	km_join(root);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, root);
	EXPECT_EQ(1, self->log.nr);
	EXPECT_EQ(4, self->log.event[0].empty.members);
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

/* Promise 3: EMPTY waits in its entry until the ring has room. */
TEST_F(monitor, empty_waits_for_room)
{
	int fd = km_open(4);
	pid_t root = fork_family_at_gate(self->gate, 5, 0);
	struct kmonitor_stats stats;
	struct kmonitor_event event[4];
	uint64_t seq = 0, lost = 0, records = 0;
	int nr;

	km_add(fd, TREE, root, KM_LIFE, 5);
	km_gate_open(self->gate);
	km_join(root);
	stats = km_stats(fd);
	EXPECT_EQ(4, stats.depth);
	EXPECT_EQ(4, stats.recorded);
	/* Six processes: 5 forks and 12 ends; EMPTY is not among them. */
	EXPECT_EQ(17, stats.matched);
	EXPECT_EQ(13, stats.pending);
	EXPECT_EQ(1, stats.filters);

	do {
		ASSERT_TRUE(km_readable(fd, KM_TIMEOUT_MS));
		nr = km_read(fd, event, 1);
		ASSERT_EQ(1, nr);
		EXPECT_EQ(++seq, event[0].seq);
		if (event[0].type == KMONITOR_LOST)
			lost += event[0].lost.count;
		else
			records++;
	} while (event[0].type != KMONITOR_EMPTY);
	EXPECT_EQ(13, lost);
	EXPECT_EQ(5, records);
	EXPECT_EQ(6, event[0].empty.members);
	stats = km_stats(fd);
	EXPECT_EQ(18, stats.matched);
	EXPECT_EQ(5, stats.recorded);
	EXPECT_EQ(13, stats.lost);
	EXPECT_EQ(0, stats.pending);
	EXPECT_EQ(0, stats.filters);
	EXPECT_EQ(-EAGAIN, km_read(fd, event, 4));
	close(fd);
}

TEST_F(monitor, many_empties_wait_for_room_in_order)
{
	enum { TREES = 40 };
	struct km_log log = {};
	int fd = km_open(2);
	pid_t root[TREES];

	for (int i = 0; i < TREES; i++) {
		root[i] = fork_family_at_gate(self->gate, 0, i);
		km_add(fd, TREE, root[i], 0, i);
	}
	for (int i = 0; i < TREES; i++)
		km_gate_open(self->gate);
	for (int i = 0; i < TREES; i++)
		km_join(root[i]);
	/* Two have found room. */
	EXPECT_EQ(TREES - 2, km_stats(fd).filters);
	while (log.nr < TREES) {
		ASSERT_TRUE(km_readable(fd, KM_TIMEOUT_MS));
		km_drain(fd, &log);
	}
	EXPECT_EQ(0, km_stats(fd).filters);
	EXPECT_EQ(TREES, km_count(&log, KMONITOR_EMPTY, 0));
	EXPECT_EQ(TREES, log.nr);
	for (int i = 0; i < TREES; i++) {
		const struct kmonitor_event *empty =
			km_find(&log, KMONITOR_EMPTY, root[i]);

		ASSERT_NE(NULL, empty);
		EXPECT_EQ(i, empty->cookie);
		EXPECT_EQ(i << 8, empty->empty.root_status);
	}
	close(fd);
}

/* A tree that is deleted or closed over is not waited for. */
TEST_F(monitor, a_waiting_empty_goes_with_its_descriptor)
{
	int fd = km_open(2);
	pid_t root = fork_family_at_gate(self->gate, 4, 0);

	km_add(fd, TREE, root, KM_LIFE, 5);
	km_gate_open(self->gate);
	km_join(root);
	EXPECT_EQ(1, km_stats(fd).filters);
	EXPECT_EQ(0, close(fd));
}

/* A process that makes children that die at once, on a CPU of their own. */
struct nursery {
	volatile pid_t newest;
	volatile unsigned int spin;
};

static pid_t open_nursery(struct nursery *nursery)
{
	pid_t pid = km_fork();

	if (pid)
		return pid;
	km_pin(1);
	for (;;) {
		pid = vfork();
		if (!pid) {
			nursery->newest = getpid();
			for (unsigned int i = nursery->spin; i; i--)
				__asm__ volatile("");
			_exit(1);
		}
		km_join(pid);
	}
}

static pid_t wait_for_newest(struct nursery *nursery, pid_t last)
{
	while (nursery->newest == last)
		sched_yield();
	return nursery->newest;
}

/*
 * Late marks: the call races with the end of the process.  The outcome is
 * ESRCH, or an entry that ends in one EMPTY.
 */
static bool race_with_exit(int fd, pid_t pid)
{
	struct km_log log = {};
	uint64_t handle;
	int ret = km_try_add(fd, TREE, pid, 0, pid, &handle);

	if (ret == -ESRCH) {
		check(!km_stats(fd).filters, "ESRCH left an entry");
		return false;
	}
	check(!ret, "expected ESRCH or success, got %s", km_error(ret));
	km_read_until(fd, &log, KMONITOR_EMPTY, pid);
	km_drain(fd, &log);
	check(log.nr == 1, "expected one EMPTY, got %zu records", log.nr);
	check(log.event[0].empty.handle == handle, "EMPTY of another entry");
	check(log.event[0].empty.members == 1, "expected 1 member, got %u",
	      log.event[0].empty.members);
	check(log.event[0].empty.root_status == 1 << 8,
	      "expected status 0x100, got 0x%x",
	      log.event[0].empty.root_status);
	check(!km_stats(fd).filters, "EMPTY left an entry");
	free(log.event);
	return true;
}

/* The children's time to live adapts, so that the call meets their end. */
TEST_F(monitor, a_tree_added_to_a_dying_process_ends_once)
{
	struct nursery *nursery =
		must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	const unsigned int rounds = km_scale(1500, 500);
	unsigned int added = 0;
	pid_t mother, pid = 0;

	km_pin(0);
	mother = open_nursery(nursery);
	for (unsigned int i = 0; i < rounds; i++) {
		pid = wait_for_newest(nursery, pid);
		if (race_with_exit(self->fd, pid)) {
			nursery->spin -= nursery->spin / 8;
			added++;
		} else {
			nursery->spin += 200;
		}
	}
	must(kill(mother, SIGKILL));
	km_join(mother);
	TH_LOG("%u of %u processes were caught alive", added, rounds);
	EXPECT_LT(0, added);
	EXPECT_GT(rounds, added);
	EXPECT_EQ(added, km_stats(self->fd).matched);
}

/* Some forks succeed before the limit of processes refuses others. */
TEST_F(monitor, forks_that_fail_are_no_members)
{
	const struct rlimit limit = { 8, 8 };
	const struct kmonitor_event *empty;
	int told[2], born = 0;
	pid_t root;

	km_gate(told);
	root = km_fork();
	if (!root) {
		km_gate_wait(self->gate);
		must(setrlimit(RLIMIT_NPROC, &limit));
		must(setresuid(65533, 65533, 65533));
		for (int i = 0; i < 20; i++) {
			pid_t child = fork();

			if (!child)
				for (;;)
					pause();
			check(child > 0 || errno == EAGAIN, "fork: %s",
			      km_error(errno));
			born += child > 0;
		}
		must(write(told[1], &born, sizeof(born)));
		signal(SIGTERM, SIG_IGN);
		must(kill(0, SIGTERM));
		while (wait(NULL) > 0)
			;
		_exit(0);
	}
	must(setpgid(root, root));
	km_add(self->fd, TREE, root, KM_LIFE, 5);
	km_gate_open(self->gate);
	EXPECT_EQ(0, km_join(root));
	ASSERT_EQ((ssize_t)sizeof(born), read(told[0], &born, sizeof(born)));
	EXPECT_LT(0, born);
	EXPECT_GT(20, born);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, root);
	empty = km_find(&self->log, KMONITOR_EMPTY, root);
	EXPECT_EQ(born + 1, (int)empty->empty.members);
	EXPECT_EQ(born, (int)empty->empty.failed);
	EXPECT_EQ(born, (int)km_count(&self->log, KMONITOR_PROCESS_FORK, 0));
}

TEST_HARNESS_MAIN
