// SPDX-License-Identifier: GPL-2.0-only
/* TREE: who is a member, whatever it does to get away. */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common.h"

#define TREE KMONITOR_TARGET_TREE

FIXTURE(monitor)
{
	int fd;
	int gate[2];
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_gate(self->gate);
	/* Orphans come here. */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

/* Forks a child that forks on, each generation at the gate before it ends. */
static pid_t generations(int gate[2], int depth, int ready[2])
{
	pid_t child = km_fork();

	if (child)
		return child;
	if (depth > 1)
		generations(gate, depth - 1, ready);
	else
		km_gate_open(ready);
	km_gate_wait(gate);
	_exit(0);
}

static void reap_all(void)
{
	while (wait(NULL) > 0)
		;
}

static const struct kmonitor_event *empty_of(int fd, struct km_log *log,
					     pid_t root)
{
	km_read_until(fd, log, KMONITOR_EMPTY, root);
	check(km_count(log, KMONITOR_EMPTY, root) == 1,
	      "expected one EMPTY of %d", root);
	return km_find(log, KMONITOR_EMPTY, root);
}

TEST_F(monitor, present_descendants_are_members)
{
	const struct kmonitor_event *empty;
	int ready[2];
	pid_t root;

	km_gate(ready);
	root = generations(self->gate, 10, ready);
	km_gate_wait(ready);
	km_add(self->fd, TREE, root, KM_LIFE, 5);
	for (int i = 0; i < 10; i++)
		km_gate_open(self->gate);
	reap_all();
	empty = empty_of(self->fd, &self->log, root);
	EXPECT_EQ(10, empty->empty.members);
	EXPECT_EQ(10, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_EQ(10, km_count(&self->log, KMONITOR_THREAD_EXIT, 0));
}

TEST_F(monitor, the_ways_out_lead_nowhere)
{
	pid_t root = km_fork();

	if (!root) {
		km_gate_wait(self->gate);
		if (!km_fork()) {
			/* A daemon: twice forked, own session, reparented. */
			setsid();
			if (!km_fork()) {
				setsid();
				km_fork_to_end(0);
			}
			_exit(0);
		}
		if (!km_raw_clone(CLONE_PARENT | SIGCHLD)) {
			km_fork_to_end(0);
			_exit(0);
		}
		if (!vfork())
			_exit(0);
		if (!km_raw_clone(CLONE_NEWPID | SIGCHLD)) {
			km_fork_to_end(0);
			_exit(0);
		}
		_exit(0);
	}
	km_add(self->fd, TREE, root, KM_LIFE, 5);
	km_gate_open(self->gate);
	reap_all();
	EXPECT_EQ(9, empty_of(self->fd, &self->log, root)->empty.members);
	EXPECT_EQ(8, km_count(&self->log, KMONITOR_PROCESS_FORK, 0));
	EXPECT_EQ(9, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
}

static void *fork_in_thread(void *arg)
{
	km_fork_to_end(0);
	return arg;
}

TEST_F(monitor, children_of_any_thread_are_members)
{
	pid_t root = km_fork();

	if (!root) {
		pthread_t thread[4];

		km_gate_wait(self->gate);
		for (int i = 0; i < 4; i++)
			pthread_create(&thread[i], NULL, fork_in_thread, NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
		_exit(0);
	}
	km_add(self->fd, TREE, root, KM_LIFE, 5);
	km_gate_open(self->gate);
	reap_all();
	EXPECT_EQ(5, empty_of(self->fd, &self->log, root)->empty.members);
	EXPECT_EQ(4, km_count(&self->log, KMONITOR_THREAD_CREATE, root));
	EXPECT_EQ(9, km_count(&self->log, KMONITOR_THREAD_EXIT, 0));
}

/* The children of each thread are found, not only those of the leader. */
static void *fork_and_stay(void *arg)
{
	int *gates = arg;
	pid_t child = km_fork();

	if (!child) {
		km_gate_open(gates + 2);
		km_gate_wait(gates);
		_exit(0);
	}
	pause();
	return NULL;
}

TEST_F(monitor, present_children_of_other_threads_are_members)
{
	int gates[4] = { self->gate[0], self->gate[1] };
	pid_t root;

	km_gate(gates + 2);
	root = km_fork();
	if (!root) {
		pthread_t thread;

		for (int i = 0; i < 3; i++)
			pthread_create(&thread, NULL, fork_and_stay, gates);
		km_gate_wait(gates);
		_exit(0);
	}
	for (int i = 0; i < 3; i++)
		km_gate_wait(gates + 2);
	km_add(self->fd, TREE, root, KM_LIFE, 5);
	for (int i = 0; i < 4; i++)
		km_gate_open(self->gate);
	reap_all();
	EXPECT_EQ(4, empty_of(self->fd, &self->log, root)->empty.members);
	EXPECT_EQ(4, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
}

TEST_F(monitor, a_child_joins_by_itself_on_an_inherited_descriptor)
{
	char *argv[] = { km_helper("quick"), NULL };
	pid_t root = km_fork();

	if (!root) {
		km_add(self->fd, TREE, 0, KM_LIFE, 5);
		execv(argv[0], argv);
		_exit(127);
	}
	EXPECT_EQ(0, km_join(root));
	EXPECT_EQ(1, empty_of(self->fd, &self->log, root)->empty.members);
	EXPECT_EQ(4, self->log.nr);
	EXPECT_EQ(KMONITOR_PROCESS_EXEC, self->log.event[0].type);
}

TEST_F(monitor, a_tree_outlives_its_root)
{
	const struct kmonitor_event *event;
	int ready[2];
	uint64_t handle;
	pid_t root;

	km_gate(ready);
	root = km_fork();
	if (!root) {
		generations(self->gate, 1, ready);
		km_gate_wait(self->gate);
		_exit(9);
	}
	km_gate_wait(ready);
	handle = km_add(self->fd, TREE, root, KM_LIFE, 5);
	must(kill(root, SIGTERM));
	EXPECT_EQ(SIGTERM, km_join(root));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, root);
	EXPECT_EQ(1, km_stats(self->fd).filters);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_EMPTY, 0));
	km_gate_open(self->gate);
	reap_all();
	event = empty_of(self->fd, &self->log, root);
	EXPECT_EQ(handle, event->empty.handle);
	EXPECT_EQ(SIGTERM, event->empty.root_status);
	EXPECT_EQ(2, event->empty.members);
	EXPECT_EQ(1, event->empty.failed);
	EXPECT_EQ(0, km_stats(self->fd).filters);
	EXPECT_EQ(-ENOENT, km_del(self->fd, handle));
}

/* Promise 6: nested trees. */
TEST_F(monitor, trees_nest)
{
	const struct kmonitor_event *outer, *inner, *event;
	int ready[2], answer[2];
	pid_t root, child, last;

	km_gate(ready);
	km_gate(answer);
	root = km_fork();
	if (!root) {
		child = generations(self->gate, 2, ready);
		must(write(answer[1], &child, sizeof(child)));
		km_join(child);
		km_fork_to_end(0);
		_exit(0);
	}
	km_gate_wait(ready);
	must(read(answer[0], &child, sizeof(child)));
	km_add(self->fd, TREE, root, KM_LIFE, 1);
	km_add(self->fd, TREE, child, KM_LIFE, 2);
	for (int i = 0; i < 2; i++)
		km_gate_open(self->gate);
	reap_all();
	outer = empty_of(self->fd, &self->log, root);
	inner = empty_of(self->fd, &self->log, child);
	EXPECT_LT(inner, outer);
	EXPECT_EQ(2, inner->empty.members);
	EXPECT_EQ(4, outer->empty.members);
	EXPECT_EQ(2, inner->cookie);
	EXPECT_EQ(1, outer->cookie);
	/* One record each, those of the inner tree with the inner cookie. */
	EXPECT_EQ(4, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(2, event->cookie);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, root);
	EXPECT_EQ(1, event->cookie);
	/* The root's last child may be quicker than the grandchild. */
	last = km_find(&self->log, KMONITOR_PROCESS_FORK, root)->fork.pid;
	for (size_t i = 0; i < self->log.nr; i++) {
		event = self->log.event + i;
		if (event < inner && event->tgid != root && event->tgid != last)
			EXPECT_EQ(2, event->cookie);
	}
}

/* Whichever was added first, the inner one is more specific. */
TEST_F(monitor, an_outer_tree_added_later_is_still_the_outer)
{
	int ready[2], answer[2];
	pid_t root, child;

	km_gate(ready);
	km_gate(answer);
	root = km_fork();
	if (!root) {
		child = generations(self->gate, 1, ready);
		must(write(answer[1], &child, sizeof(child)));
		km_join(child);
		_exit(0);
	}
	km_gate_wait(ready);
	must(read(answer[0], &child, sizeof(child)));
	km_add(self->fd, TREE, child, KM_LIFE, 2);
	km_add(self->fd, TREE, root, KM_LIFE, 1);
	km_gate_open(self->gate);
	km_join(root);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, root);
	EXPECT_EQ(2, km_find(&self->log, KMONITOR_PROCESS_EXIT, child)->cookie);
	EXPECT_EQ(1, km_find(&self->log, KMONITOR_PROCESS_EXIT, root)->cookie);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_EMPTY, child));
}

TEST_F(monitor, deleting_the_inner_tree_leaves_the_outer)
{
	const struct kmonitor_event *empty;
	uint64_t inner;
	int ready[2], answer[2];
	pid_t root, child;

	km_gate(ready);
	km_gate(answer);
	root = km_fork();
	if (!root) {
		child = generations(self->gate, 2, ready);
		must(write(answer[1], &child, sizeof(child)));
		km_join(child);
		_exit(0);
	}
	km_gate_wait(ready);
	must(read(answer[0], &child, sizeof(child)));
	km_add(self->fd, TREE, root, KM_LIFE, 1);
	inner = km_add(self->fd, TREE, child, KM_LIFE, 2);
	EXPECT_EQ(0, km_del(self->fd, inner));
	for (int i = 0; i < 2; i++)
		km_gate_open(self->gate);
	reap_all();
	empty = empty_of(self->fd, &self->log, root);
	EXPECT_EQ(3, empty->empty.members);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_EMPTY, 0));
	EXPECT_EQ(3, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	for (size_t i = 0; i < self->log.nr; i++)
		EXPECT_EQ(1, self->log.event[i].cookie);
}

TEST_F(monitor, a_deleted_tree_says_no_more)
{
	struct kmonitor_filter filter = { .target = TREE, .events = KM_LIFE };
	int ready[2];
	pid_t root;

	km_gate(ready);
	root = generations(self->gate, 1, ready);
	km_gate_wait(ready);
	/* By its handle, and by its root. */
	EXPECT_EQ(0,
		  km_del(self->fd, km_add(self->fd, TREE, root, KM_LIFE, 5)));
	km_add(self->fd, TREE, root, KM_LIFE, 5);
	filter.id = root;
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_DEL, &filter));
	km_gate_open(self->gate);
	reap_all();
	EXPECT_EQ(0, km_stats(self->fd).matched);
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

enum heir { OUTSIDE, INSIDE, INIT, HEIRS };

/* Orphans that a subreaper below the root, one outside, or init takes. */
TEST_F(monitor, reparenting_does_not_end_membership)
{
	const struct kmonitor_event *empty;
	int answer[2];
	pid_t root;

	for (enum heir heir = OUTSIDE; heir < HEIRS; heir++) {
		struct km_log log = {};

		must(pipe(answer));
		must(prctl(PR_SET_CHILD_SUBREAPER, heir != INIT));
		root = km_fork();
		if (!root) {
			km_gate_wait(self->gate);
			must(prctl(PR_SET_CHILD_SUBREAPER, heir == INSIDE));
			if (!km_fork()) {
				if (!km_fork()) {
					pid_t parent = getppid();

					km_gate_open(answer);
					while (getppid() == parent)
						sched_yield();
					if (heir == INIT && getppid() != 1)
						_exit(1);
					km_fork_to_end(0);
					_exit(0);
				}
				km_gate_wait(answer);
				_exit(0);
			}
			if (heir == INSIDE)
				reap_all();
			_exit(0);
		}
		km_add(self->fd, TREE, root, KM_LIFE, 5);
		km_gate_open(self->gate);
		reap_all();
		empty = empty_of(self->fd, &log, root);
		EXPECT_EQ(4, empty->empty.members);
		EXPECT_EQ(0, empty->empty.failed);
		EXPECT_EQ(4, km_count(&log, KMONITOR_PROCESS_EXIT, 0));
		close(answer[0]);
		close(answer[1]);
	}
}

/* A chain of processes, each the root of a tree. */
static void make_chain(int gate[2], pid_t *chain, int depth)
{
	int answer[2], ready[2];

	must(pipe(answer));
	km_gate(ready);
	if (!km_fork()) {
		for (int i = 0; i < depth; i++) {
			pid_t self = getpid();

			must(write(answer[1], &self, sizeof(self)));
			if (i < depth - 1 && km_fork())
				break;
		}
		km_gate_open(ready);
		km_gate_wait(gate);
		reap_all();
		_exit(0);
	}
	for (int i = 0; i < depth; i++) {
		must(read(answer[0], chain + i, sizeof(*chain)));
		km_gate_wait(ready);
	}
}

/* Whichever tree goes, the members are those of the next one outside. */
TEST_F(monitor, trees_are_deleted_inside_out_and_outside_in)
{
	enum { DEPTH = 5 };

	for (int inside_out = 0; inside_out < 2; inside_out++) {
		struct km_log log = {};
		uint64_t handle[DEPTH];
		pid_t chain[DEPTH];
		int fd = km_open(0);

		make_chain(self->gate, chain, DEPTH);
		for (int i = 0; i < DEPTH; i++)
			handle[i] = km_add(fd, TREE, chain[i], KM_LIFE, i + 1);
		for (int i = 0; i < DEPTH - 1; i++)
			EXPECT_EQ(
				0,
				km_del(fd,
				       handle[inside_out ? DEPTH - 1 - i : i]));
		for (int i = 0; i < DEPTH; i++)
			km_gate_open(self->gate);
		reap_all();
		km_read_until(fd, &log, KMONITOR_EMPTY, 0);
		km_drain(fd, &log);
		EXPECT_EQ(1, km_count(&log, KMONITOR_EMPTY, 0));
		EXPECT_EQ(inside_out ? DEPTH : 1,
			  log.event[log.nr - 1].empty.members);
		EXPECT_EQ(inside_out ? DEPTH : 1,
			  km_count(&log, KMONITOR_PROCESS_EXIT, 0));
		for (size_t i = 0; i < log.nr; i++)
			EXPECT_EQ(inside_out ? 1 : DEPTH, log.event[i].cookie);
		close(fd);
	}
}

#define RELAYS 3
#define LAST_RUNNER 10

/*
 * Each generation forks the next and ends; the last one after the gate, with a
 * status of its own.  Whenever the tree is added, all that comes after is in
 * it: each FORK has its EXIT, and no relay gets away.
 */
static void run_relay(int relay, int rounds, int ready[2], int gate[2])
{
	for (int i = 0; i < rounds; i++) {
		if (i == rounds / 8)
			km_gate_open(ready);
		if (i == rounds - 1)
			km_gate_wait(gate);
		if (km_fork())
			_exit(0);
	}
	_exit(LAST_RUNNER + relay);
}

/* How many processes have ended with this status. */
static size_t count_status(const struct km_log *log, int status)
{
	size_t count = 0;

	for (size_t i = 0; i < log->nr; i++)
		count += log->event[i].type == KMONITOR_PROCESS_EXIT &&
			 log->event[i].exit.status == status << 8;
	return count;
}

TEST_F(monitor, a_relay_of_forks_does_not_escape_from_add)
{
	const int rounds = km_scale(400, 100);
	int ready[2], left = 0;
	const struct kmonitor_event *empty;
	pid_t root;

	km_gate(ready);
	root = km_fork();
	if (!root) {
		for (int i = 0; i < RELAYS; i++) {
			if (!km_fork())
				run_relay(i, rounds, ready, self->gate);
		}
		km_gate_wait(self->gate);
		_exit(0);
	}
	/* The runners leave it: reparented to here, outside of the root. */
	for (int i = 0; i < RELAYS; i++)
		km_gate_wait(ready);
	km_add(self->fd, TREE, getpid(), KM_LIFE, 5);
	for (int i = 0; i < RELAYS + 1; i++)
		km_gate_open(self->gate);
	reap_all();
	km_drain(self->fd, &self->log);
	for (size_t i = 0; i < self->log.nr; i++) {
		const struct kmonitor_event *event = self->log.event + i;

		if (event->type != KMONITOR_PROCESS_FORK)
			continue;
		left++;
		EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXIT,
				      event->fork.pid));
	}
	/* Each relay went on to its end under watch. */
	EXPECT_LE(RELAYS, left);
	for (int i = 0; i < RELAYS; i++)
		EXPECT_EQ(1, count_status(&self->log, LAST_RUNNER + i));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_LOST, 0));
	EXPECT_LE((size_t)left, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	empty = km_find(&self->log, KMONITOR_EMPTY, 0);
	EXPECT_EQ(NULL, empty);
}

/* Trees that come and go over a storm of forks lose no fork of the outer. */
TEST_F(monitor, edits_of_inner_trees_lose_no_member)
{
	const int forks = km_scale(2000, 300);
	int fd = km_open(1 << 15), other = km_open(2), status;
	struct km_log log = {};
	uint64_t handle;
	pid_t root;

	root = km_fork();
	if (!root) {
		km_gate_wait(self->gate);
		for (int i = 0; i < forks; i++)
			km_join(i % 2 ? km_fork_to_end(0) : ({
				pid_t child = vfork();

				if (!child)
					_exit(0);
				child;
			}));
		_exit(0);
	}
	km_add(fd, TREE, root, KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXIT,
	       5);
	km_gate_open(self->gate);
	while (!must(waitpid(root, &status, WNOHANG))) {
		if (!km_try_add(other, TREE, root, 0, 0, &handle))
			km_del(other, handle);
		if (!km_try_add(fd, TREE, getpid(), 0, 0, &handle))
			km_del(fd, handle);
	}
	EXPECT_EQ(forks + 1, empty_of(fd, &log, root)->empty.members);
	EXPECT_EQ(forks, km_count(&log, KMONITOR_PROCESS_FORK, root));
	EXPECT_EQ(forks + 1, km_count(&log, KMONITOR_PROCESS_EXIT, 0));
	close(fd);
	close(other);
}

/* Each has a child at any time. */
static void run_branch(int leaves, int ready[2])
{
	for (int i = 0; i < leaves; i++) {
		if (!km_fork())
			for (;;)
				pause();
	}
	km_gate_open(ready);
	for (;;)
		km_fork_and_join(0);
}

/* A process that is left out survives. */
TEST_F(monitor, a_large_tree_that_forks_is_added_whole)
{
	const int branches = 20, leaves = 20;
	struct kmonitor_kill request = { .signo = SIGKILL };
	int ready[2], alive[2];
	pid_t root;
	char byte;

	km_gate(ready);
	must(pipe(alive));
	root = km_fork();
	if (!root) {
		close(alive[0]);
		for (int i = 0; i < branches; i++) {
			if (!km_fork())
				run_branch(leaves, ready);
		}
		for (;;)
			pause();
	}
	close(alive[1]);
	for (int i = 0; i < branches; i++)
		km_gate_wait(ready);
	request.handle = km_add(self->fd, TREE, root, 0, 1);
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_KILL, &request));
	EXPECT_LE(1 + branches * (1 + leaves), request.signalled);
	EXPECT_EQ(0, request.refused);
	EXPECT_EQ(0, read(alive[0], &byte, 1));
	reap_all();
	empty_of(self->fd, &self->log, root);
	close(alive[0]);
}

TEST_HARNESS_MAIN
