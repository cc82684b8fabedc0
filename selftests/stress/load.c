// SPDX-License-Identifier: GPL-2.0-only
/* The load: forks, execs, threads and namespaces, whatever kills them. */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "stress.h"

static void *end_at_once(void *arg)
{
	return arg;
}

static void *wait_for_the_end(void *arg)
{
	pause();
	return arg;
}

/* Has threads; most of them end with the process, or by its exec. */
static void have_threads(struct arena *arena)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		if (!pthread_create(&thread, NULL,
				    i ? wait_for_the_end : end_at_once, NULL))
			add_to(&arena->births, 1);
	}
}

static void live(struct arena *arena, volatile pid_t *newest, char **argv,
		 unsigned int kind)
{
	prctl(PR_SET_NAME, "child");
	switch (kind) {
	case 0:
		have_threads(arena);
		break;
	case 1:
		have_threads(arena);
		execv(argv[0], argv);
		break;
	case 2:
		/* A child that outlives its parent, in a session of its own. */
		if (!fork()) {
			*newest = getpid();
			setsid();
			usleep(1000);
			_exit(3);
		}
		break;
	case 3:
		raise(SIGTERM);
		break;
	}
	_exit(kind % 2);
}

/* A child of vfork() shares the memory: no more than this. */
static void have_quick_child(volatile pid_t *newest, char **argv, bool exec)
{
	pid_t child = vfork();

	if (!child) {
		*newest = getpid();
		if (exec)
			execv(argv[0], argv);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

void be_a_mother(struct arena *arena, int which)
{
	char *argv[] = { km_helper("quick"), "argument", NULL };
	volatile pid_t *newest = &arena->newest[which];
	pid_t child;

	if (which < MOTHERS / 2)
		km_must_write(CGROUP "/cgroup.procs", "0");
	if (which % 2)
		km_become(NOBODY, NOBODY);
	arena->mother[which] = getpid();
	srand(getpid());
	while (!arena->stop) {
		unsigned int kind = rand() % 7;

		add_to(&arena->births, 1);
		if (kind > 4) {
			have_quick_child(newest, argv, kind == 6);
			continue;
		}
		child = fork();
		if (!child) {
			*newest = getpid();
			live(arena, newest, argv, kind);
		}
		while (waitpid(-1, NULL, child > 0 ? 0 : WNOHANG) > 0)
			;
	}
	_exit(0);
}

/* Is PID 1 of a namespace, watches it from inside, and takes it down. */
static void be_first(int gate[2])
{
	struct kmonitor_event event[16];
	uint64_t handle;
	int fd = km_init(NULL, 0, KMONITOR_NONBLOCK);

	if (gate)
		km_gate_wait(gate);
	if (fd >= 0) {
		km_try_add(fd, KMONITOR_TARGET_ALL, 0, KM_LIFE, 0, &handle);
		km_try_add(fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 0, &handle);
	}
	for (int i = 0; i < 8; i++) {
		if (fork())
			continue;
		if (i % 2)
			pause();
		_exit(0);
	}
	usleep(2000);
	if (fd >= 0)
		km_read(fd, event, 16);
	_exit(0);
}

/*
 * Each member's end is reported, and that of all; whoever brought it about.  Only
 * a process that ended while the tree was being added may be a member without that.
 */
static void expect_end(int fd, pid_t first, uint64_t handle, bool whole)
{
	struct km_log log = {};
	const struct kmonitor_event *empty;
	size_t ends;

	km_read_until(fd, &log, KMONITOR_EMPTY, first);
	empty = km_find(&log, KMONITOR_EMPTY, first);
	ends = km_count(&log, KMONITOR_PROCESS_EXIT, 0);
	check(empty->empty.handle == handle, "EMPTY of another tree");
	check(empty->empty.members == ends ||
		      (!whole && empty->empty.members > ends),
	      "%u members, %zu ends", empty->empty.members, ends);
	check(km_count(&log, KMONITOR_PROCESS_EXIT, first) == 1,
	      "no end of the first");
	free(log.event);
}

/* Has a namespace, and watches it from outside. */
static void have_namespace(struct arena *arena)
{
	const bool whole = rand() % 2;
	uint64_t handle;
	pid_t first;
	int fd, ret, gate[2];

	km_gate(gate);
	if (rand() % 2)
		km_become(NOBODY, NOBODY);
	fd = km_open(64);
	must(unshare(CLONE_NEWUSER | CLONE_NEWPID));
	first = must(fork());
	if (!first) {
		close(fd);
		be_first(whole ? gate : NULL);
	}
	ret = km_try_add(fd, KMONITOR_TARGET_TREE, first, KMONITOR_PROCESS_EXIT,
			 0, &handle);
	km_gate_open(gate);
	arena->inside = first;
	waitpid(first, NULL, 0);
	check(!ret || ret == -ESRCH, "FILTER_ADD: %s", km_error(ret));
	if (!ret) {
		expect_end(fd, first, handle, whole);
		add_to(&arena->ends, 1);
	}
	_exit(0);
}

void be_namespaces(struct arena *arena)
{
	pid_t child;

	srand(getpid());
	while (!arena->stop) {
		/* Each child goes on with the same numbers. */
		rand();
		child = km_fork();
		if (!child)
			have_namespace(arena);
		check(!km_join(child), "a namespace did not end well");
	}
	_exit(0);
}

void be_a_signaller(struct arena *arena)
{
	static const int signals[] = { SIGSTOP, SIGCONT, SIGUSR1, SIGKILL,
				       SIGSTOP, SIGTERM, SIGWINCH };

	while (!arena->stop) {
		pid_t pid = arena->newest[rand() % MOTHERS];
		int signo = signals[rand() % 7];

		if (pid > 1 && !kill(pid, signo) && signo == SIGSTOP) {
			usleep(500);
			kill(pid, SIGCONT);
		}
		usleep(rand() % 2000);
	}
	_exit(0);
}
