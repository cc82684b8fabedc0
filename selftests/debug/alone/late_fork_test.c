// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fork that is under way when the first descriptor is opened: the child is
 * there already, and the hook that reports it comes, or has just been passed
 * while the hooks were off.  Its monitor learns of the child either way, by a
 * FORK or by a TASK, and not by a TASK that a FORK follows.
 */

#include "kselftest_harness.h"

#include <pthread.h>

#include "../window.h"

#define BEFORE_THE_HOOK 1
#define BEHIND_THE_HOOK 2

/* How long nothing must come. */
#define QUIET_MS 300

FIXTURE(forker)
{
	int fd;
	int fork[2];
	int leave[2];
	pid_t pid;
	pthread_t thread;
	struct km_log log;
};

FIXTURE_VARIANT(forker)
{
	unsigned int window;
	bool forks;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(forker, before_the_hook) { BEFORE_THE_HOOK, true };
FIXTURE_VARIANT_ADD(forker, behind_the_hook) { BEHIND_THE_HOOK, false };
/* clang-format on */

/* The hooks stay on for a second after the last descriptor was closed. */
FIXTURE_SETUP(forker)
{
	usleep(1500000);
	km_gate(self->fork);
	km_gate(self->leave);
	self->pid = km_fork();
	if (!self->pid) {
		pid_t child;

		km_gate_wait(self->fork);
		child = km_fork();
		if (!child) {
			km_gate_wait(self->leave);
			_exit(7);
		}
		_exit(km_join(child) != 7 << 8);
	}
}

FIXTURE_TEARDOWN(forker)
{
	let_go();
	close(self->fd);
}

static void *take_snapshot(void *arg)
{
	const int *fd = arg;

	km_list(*fd, 0, 1, NULL);
	return NULL;
}

TEST_F(forker, a_child_under_way_is_not_missed)
{
	const struct kmonitor_event *fork, *task, *exit;
	pid_t child;

	hold_in_window(self->pid, variant->window, SLEEP_US);
	km_gate_open(self->fork);
	if (!is_in_window(variant->window, 2000)) {
		ASSERT_TRUE(is_in_window(BEFORE_THE_HOOK, 0));
		let_go();
		self->fd = km_open(0);
		SKIP(return, "somebody keeps the hooks on");
	}
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, self->pid, KM_LIFE, 1);
	check(!pthread_create(&self->thread, NULL, take_snapshot, &self->fd),
	      "no thread");
	/* The snapshot has listed the forker, and waits at the child. */
	km_read_until(self->fd, &self->log, KMONITOR_TASK, self->pid);
	EXPECT_FALSE(km_readable(self->fd, QUIET_MS));
	let_go();
	check(!pthread_join(self->thread, NULL), "no end of the snapshot");
	km_gate_open(self->leave);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, self->pid);
	EXPECT_EQ(0, km_join(self->pid));

	/* The child is the one of the two that has ended with 7. */
	for (exit = self->log.event; exit->type != KMONITOR_PROCESS_EXIT;)
		exit++;
	child = exit->tgid;
	EXPECT_EQ(7 << 8, exit->exit.status);
	fork = km_find_fork(&self->log, child);
	task = km_find(&self->log, KMONITOR_TASK, child);
	EXPECT_EQ(variant->forks, !!fork);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, child));
	EXPECT_LT(task, exit);
	if (fork)
		EXPECT_LT(fork, task);
	EXPECT_EQ(2, self->log.event[self->log.nr - 1].empty.members);
	EXPECT_EQ(0, self->log.event[self->log.nr - 1].empty.flags);
}

TEST_HARNESS_MAIN
