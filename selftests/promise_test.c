// SPDX-License-Identifier: GPL-2.0-only
/*
 * The promises of kmonitor(7), one test each.  The details are checked by the
 * tests of the single objects; promise 5 is in alone/key_test.c.
 */

#include "kselftest_harness.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "storm.h"

#define THREAD_TARGET KMONITOR_TARGET_THREAD
#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE
#define ALL KMONITOR_TARGET_ALL

#define NOBODY 65534

static void become(uid_t uid)
{
	must(setresgid(uid, uid, uid));
	must(setresuid(uid, uid, uid));
	must(prctl(PR_SET_DUMPABLE, 1));
}

static bool is_before(const struct kmonitor_event *a,
		      const struct kmonitor_event *b)
{
	return a && b && a->seq < b->seq;
}

static size_t count_before(const struct km_log *log, uint32_t type,
			   const struct kmonitor_event *end)
{
	size_t count = 0;

	for (size_t i = 0; i < log->nr; i++)
		count += log->event[i].type == type && log->event + i < end;
	return count;
}

TEST(promise_1_order)
{
	char *argv[] = { km_helper("quick"), NULL };
	struct km_log log = {};
	pid_t root, pid;
	int fd = km_open(1U << 16);

	km_add(fd, ALL, 0, KM_LIFE, 0);
	root = km_fork();
	if (!root) {
		for (int i = 0; i < 20; i++) {
			storm_round(STORM_EXEC, argv);
			storm_round(STORM_GROUP, argv);
		}
		_exit(0);
	}
	EXPECT_EQ(0, km_join(root));
	/* The record of its end is there before a wait() on it can return. */
	km_drain(fd, &log);
	ASSERT_NE(NULL, km_find(&log, KMONITOR_PROCESS_EXIT, root));
	EXPECT_EQ(0, km_count(&log, KMONITOR_LOST, 0));

	for (size_t i = 0; i < log.nr; i++) {
		const struct kmonitor_event *fork = log.event + i;
		const struct kmonitor_event *end;

		if (fork->type != KMONITOR_PROCESS_FORK || fork->tgid != root)
			continue;
		pid = fork->fork.pid;
		end = km_find(&log, KMONITOR_PROCESS_EXIT, pid);
		ASSERT_TRUE(is_before(fork, end));
		for (size_t j = 0; j < log.nr; j++) {
			const struct kmonitor_event *other = log.event + j;

			if (other->tgid != pid || other == end)
				continue;
			EXPECT_TRUE(is_before(fork, other));
			EXPECT_TRUE(is_before(other, end));
		}
	}
	close(fd);
	free(log.event);
}

TEST(promise_2_exactness)
{
	const unsigned int rounds = km_scale(500, 100);
	char *bad[] = { "/nowhere", NULL };
	struct kmonitor_event event;
	struct kmonitor_stats stats;
	uint64_t seq = 0, seen = 0, lost = 0;
	pid_t root;
	int fd = km_open(16), gate[2];

	km_gate(gate);
	root = km_fork();
	if (!root) {
		km_gate_wait(gate);
		for (unsigned int i = 0; i < rounds; i++) {
			execve(bad[0], bad, environ);
			storm_round(STORM_FORK, NULL);
		}
		/* A fork that fails. */
		if (syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0) >= 0)
			_exit(1);
		_exit(0);
	}
	km_add(fd, TREE, root, KM_LIFE, 0);
	km_gate_open(gate);
	do {
		km_next(fd, &event);
		/* The ring fills while nobody reads. */
		while (seq == 5 && km_state(root) != 'Z')
			usleep(1000);
		EXPECT_EQ(++seq, event.seq);
		if (event.type == KMONITOR_LOST)
			lost += event.lost.count;
		else
			seen++;
	} while (event.type != KMONITOR_EMPTY);
	EXPECT_EQ(0, event.empty.root_status);
	EXPECT_LT(0, lost);
	/* Its own two ends, and the EMPTY record. */
	EXPECT_EQ(rounds * storm_records[STORM_FORK] + 3, seen + lost);
	stats = km_stats(fd);
	EXPECT_EQ(seen, stats.recorded);
	EXPECT_EQ(lost, stats.lost);
	EXPECT_EQ(0, stats.pending);
	EXPECT_EQ(stats.matched, stats.recorded + stats.lost);
	km_join(root);
	close(fd);
}

TEST(promise_3_loss_has_a_place)
{
	struct kmonitor_event event[8];
	struct kmonitor_stats stats;
	pid_t child[8], tree;
	int fd = km_open(4), gate[2];

	km_gate(gate);
	tree = km_fork_at_gate(gate);
	km_add(fd, PROCESS, getpid(), KMONITOR_PROCESS_FORK, 0);
	km_add(fd, TREE, tree, 0, 0);
	for (int i = 0; i < 8; i++)
		child[i] = km_fork_to_end(0);
	for (int i = 0; i < 8; i++)
		km_join(child[i]);
	stats = km_stats(fd);
	EXPECT_EQ(4, stats.recorded);
	EXPECT_EQ(4, stats.pending);
	/* EMPTY is never lost: it waits. */
	km_gate_open(gate);
	km_join(tree);

	EXPECT_TRUE(km_readable(fd, 0));
	ASSERT_EQ(2, km_read(fd, event, 2));
	EXPECT_EQ(child[0], event[0].fork.pid);
	EXPECT_EQ(child[1], event[1].fork.pid);
	ASSERT_EQ(4, km_read(fd, event, 8));
	EXPECT_EQ(child[2], event[0].fork.pid);
	EXPECT_EQ(child[3], event[1].fork.pid);
	EXPECT_EQ(KMONITOR_LOST, event[2].type);
	EXPECT_EQ(4, event[2].lost.count);
	EXPECT_EQ(KMONITOR_EMPTY, event[3].type);
	EXPECT_EQ(6, event[3].seq);

	/* A loss with nothing behind it. */
	for (int i = 0; i < 5; i++)
		km_join(km_fork_to_end(0));
	ASSERT_EQ(4, km_read(fd, event, 4));
	EXPECT_TRUE(km_readable(fd, 0));
	ASSERT_EQ(1, km_read(fd, event, 8));
	EXPECT_EQ(KMONITOR_LOST, event[0].type);
	EXPECT_EQ(1, event[0].lost.count);
	EXPECT_EQ(-EAGAIN, km_read(fd, event, 8));
	close(fd);
}

/* A monitor that is stopped in the middle of its read, its ring full. */
TEST(promise_4_no_blocking)
{
	struct kmonitor_info info;
	volatile uint32_t *tail;
	pid_t monitor;
	int fd = km_open(2);

	ASSERT_EQ(0, km_ioctl(fd, KMONITOR_IOC_INFO, &info));
	ASSERT_LT(0, info.mmap_size);
	tail = mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    info.tail_offset);
	ASSERT_NE(MAP_FAILED, tail);
	km_add(fd, ALL, 0, KM_LIFE, 0);
	monitor = km_fork();
	if (!monitor) {
		for (uint32_t value = 1;; value = value * 7 + 3)
			*tail = value;
	}
	for (int i = 0; i < 300; i++)
		km_join(km_fork_to_end(0));
	must(kill(monitor, SIGSTOP));
	for (int i = 0; i < 300; i++)
		km_join(km_fork_to_end(0));
	must(kill(monitor, SIGKILL));
	km_join(monitor);
	close(fd);
}

TEST(promise_6_trees_are_complete)
{
	struct km_log log = {};
	const struct kmonitor_event *empty;
	size_t strangers = 0;
	pid_t root, held;
	int fd = km_open(1U << 14), gate[2], hold[2], ready[2];

	km_gate(gate);
	km_gate(hold);
	km_gate(ready);
	root = km_fork();
	if (!root) {
		if (!km_fork()) {
			setsid();
			held = km_fork_at_gate(hold);
			km_gate_open(ready);
			km_join(held);
			_exit(0);
		}
		/* Children are born while the tree is added. */
		for (;;) {
			pid_t child = km_fork();

			if (!child) {
				setsid();
				if (!km_fork()) {
					setsid();
					_exit(0);
				}
				_exit(0);
			}
			km_join(child);
			if (km_readable(gate[0], 0))
				_exit(0);
		}
	}
	km_gate_wait(ready);
	km_add(fd, TREE, root, KM_LIFE, 0);
	usleep(20000);
	km_gate_open(gate);
	km_join(root);
	km_drain(fd, &log);
	EXPECT_EQ(0, km_count(&log, KMONITOR_EMPTY, 0));
	km_gate_open(hold);
	km_read_until(fd, &log, KMONITOR_EMPTY, root);
	EXPECT_EQ(0, km_count(&log, KMONITOR_LOST, 0));
	for (size_t i = 0; i < log.nr; i++) {
		if (log.event[i].type == KMONITOR_PROCESS_FORK)
			EXPECT_NE(NULL, km_find(&log, KMONITOR_PROCESS_EXIT,
						log.event[i].fork.pid));
		strangers += log.event[i].type == KMONITOR_PROCESS_EXIT &&
			     !km_find_fork(&log, log.event[i].pid);
	}
	/* The processes that were there: the root, its child, its grandchild. */
	EXPECT_LE(3, strangers);
	empty = &log.event[log.nr - 1];
	EXPECT_EQ(KMONITOR_EMPTY, empty->type);
	EXPECT_EQ(empty->empty.members,
		  km_count(&log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_EQ(0, km_stats(fd).filters);
	close(fd);
	free(log.event);
}

/* Processes are born and end during the snapshot. */
TEST(promise_7_list_then_watch)
{
	struct km_log log = {};
	pid_t root;
	int fd = km_open(256), gate[2];

	km_gate(gate);
	root = km_fork();
	if (!root) {
		for (int i = 0; i < 20; i++)
			km_fork_at_gate(gate);
		for (;;)
			km_join(km_fork_to_end(0));
	}
	usleep(50000);
	km_add(fd, TREE, root, KM_LIFE, 0);
	for (uint64_t token = 1; token <= 20; token++)
		km_list(fd, 0, token, &log);
	must(kill(root, SIGKILL));
	km_join(root);
	for (int i = 0; i < 20; i++)
		km_gate_open(gate);
	km_read_until(fd, &log, KMONITOR_EMPTY, root);

	EXPECT_EQ(0, km_count(&log, KMONITOR_LOST, 0));
	EXPECT_EQ(20, km_count(&log, KMONITOR_SNAPSHOT_END, 0));
	EXPECT_EQ(20, km_count(&log, KMONITOR_TASK, root));
	for (size_t i = 0; i < log.nr; i++) {
		const struct kmonitor_event *task = log.event + i;
		const struct kmonitor_event *fork, *end;

		if (task->type == KMONITOR_PROCESS_EXIT &&
		    is_before(km_find(&log, KMONITOR_SNAPSHOT_END, 0), task))
			EXPECT_TRUE(km_find_fork(&log, task->pid) ||
				    km_count(&log, KMONITOR_TASK, task->pid));
		if (task->type != KMONITOR_TASK)
			continue;
		fork = km_find_fork(&log, task->pid);
		end = km_find(&log, KMONITOR_PROCESS_EXIT, task->pid);
		ASSERT_NE(NULL, end);
		EXPECT_TRUE(is_before(task, end));
		EXPECT_EQ(end->start_ns, task->start_ns);
		EXPECT_TRUE(!fork || is_before(fork, task));
		/* A process that was there before is in each list until its end. */
		EXPECT_TRUE(
			fork ||
			km_count(&log, KMONITOR_TASK, task->pid) >=
				count_before(&log, KMONITOR_SNAPSHOT_END, end));
	}
	close(fd);
	free(log.event);
}

/* Two processes with the same pid are two. */
TEST(promise_8_identity)
{
	struct km_log log = {};
	pid_t first = 0, again;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&first,
		.set_tid_size = 1,
	};
	const uint64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
	uint64_t first_ticks, ticks;
	int fd = km_open(0);

	km_add(fd, PROCESS, 0, KMONITOR_PROCESS_FORK, 0);
	first = km_fork_to_end(0);
	first_ticks = km_start_ticks(first);
	km_join(first);
	again = must(syscall(SYS_clone3, &args, sizeof(args)));
	if (!again)
		_exit(0);
	ASSERT_EQ(first, again);
	ticks = km_start_ticks(again);
	km_drain(fd, &log);
	ASSERT_EQ(2, log.nr);
	EXPECT_EQ(first, log.event[0].fork.tgid);
	EXPECT_EQ(first, log.event[1].fork.tgid);
	EXPECT_LT(log.event[0].fork.start_ns, log.event[1].fork.start_ns);
	EXPECT_EQ(first_ticks, log.event[0].fork.start_ns / tick_ns);
	EXPECT_EQ(ticks, log.event[1].fork.start_ns / tick_ns);
	km_join(again);
	close(fd);
	free(log.event);
}

/* Root holds the descriptor of nobody. */
TEST(promise_9_no_leak_of_authority)
{
	struct km_log log = {};
	int sockets[2], gate[2], fd;
	uint64_t handle;
	pid_t creator, own;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	km_gate(gate);
	creator = km_fork();
	if (!creator) {
		become(NOBODY);
		fd = km_open(0);
		km_add(fd, TREE, 0, KM_LIFE, 0);
		km_send_fd(sockets[0], fd);
		km_gate_wait(gate);
		own = km_fork();
		if (!own)
			_exit(3);
		km_join(own);
		_exit(0);
	}
	fd = km_receive_fd(sockets[1]);
	EXPECT_EQ(-EPERM, km_try_add(fd, ALL, 0, KM_LIFE, 0, &handle));
	EXPECT_EQ(-EPERM, km_try_add(fd, PROCESS, 0, KM_LIFE, 0, &handle));
	EXPECT_EQ(-EPERM, km_try_add(fd, TREE, 1, KM_LIFE, 0, &handle));
	km_gate_open(gate);
	km_join(creator);
	km_read_until(fd, &log, KMONITOR_EMPTY, creator);
	for (size_t i = 0; i < log.nr - 1; i++) {
		EXPECT_EQ(NOBODY, log.event[i].uid);
		EXPECT_EQ(0, log.event[i].flags & KMONITOR_EVENT_REDACTED);
	}
	close(fd);
	free(log.event);
}

TEST(promise_10_bounded)
{
	struct kmonitor_attr attr = { .ring_records = 1U << 20 };
	long instances, filters, records;
	uint64_t handle;
	int fd, second;

	records = km_sysctl("/proc/sys/kernel/kmonitor/max_ring_records", 1024);
	fd = km_init(&attr, sizeof(attr), 0);
	EXPECT_EQ(-EINVAL, fd);
	km_sysctl("/proc/sys/kernel/kmonitor/max_ring_records", records);

	instances =
		km_sysctl("/proc/sys/kernel/kmonitor/max_user_instances", 1);
	fd = km_open(0);
	second = km_init(NULL, 0, 0);
	EXPECT_EQ(-EMFILE, second);
	km_sysctl("/proc/sys/kernel/kmonitor/max_user_instances", instances);

	filters = km_sysctl("/proc/sys/kernel/kmonitor/max_user_filters", 1);
	km_add(fd, PROCESS, 0, KM_LIFE, 0);
	EXPECT_EQ(-ENOSPC, km_try_add(fd, PROCESS, 1, KM_LIFE, 0, &handle));
	EXPECT_EQ(1, km_stats(fd).filters);
	km_sysctl("/proc/sys/kernel/kmonitor/max_user_filters", filters);
	close(fd);
}

TEST(promise_11_stable_abi)
{
	struct {
		struct kmonitor_attr attr;
		uint64_t more;
	} attr = {};
	struct {
		struct kmonitor_stats stats;
		uint64_t more;
	} stats = { .more = 1 };
	int fd;

	fd = km_init(&attr, sizeof(attr), 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, km_ioctl(fd,
			      _IOC(_IOC_READ, KMONITOR_IOC_MAGIC,
				   _IOC_NR(KMONITOR_IOC_STATS), sizeof(stats)),
			      &stats));
	EXPECT_EQ(0, stats.more);
	close(fd);
	attr.more = 1;
	EXPECT_EQ(-E2BIG, km_init(&attr, sizeof(attr), 0));
	attr.attr.reserved[1] = 1;
	EXPECT_EQ(-EINVAL, km_init(&attr.attr, sizeof(attr.attr), 0));
	EXPECT_EQ(-EINVAL, km_init(&attr.attr, sizeof(attr.attr) - 1, 0));
	EXPECT_EQ(128, sizeof(struct kmonitor_event));
}

TEST_HARNESS_MAIN
