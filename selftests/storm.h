/* SPDX-License-Identifier: GPL-2.0-only */
/* Storms of forks, execs and threads, with the exact number of their records. */
#ifndef KMONITOR_SELFTESTS_STORM_H
#define KMONITOR_SELFTESTS_STORM_H

#include <pthread.h>
#include <sys/wait.h>

#include "common.h"

enum storm {
	STORM_FORK,
	STORM_VFORK,
	STORM_EXEC,
	STORM_THREAD,
	STORM_GROUP,
	STORM_KINDS,
};

#define STORM_GROUP_THREADS 3

/* Records of KM_LIFE in one round. */
static const unsigned int storm_records[STORM_KINDS] = {
	[STORM_FORK] = 3, /* PROCESS_FORK, THREAD_EXIT, PROCESS_EXIT */
	[STORM_VFORK] = 3,
	[STORM_EXEC] = 4,
	[STORM_THREAD] = 2, /* THREAD_CREATE, THREAD_EXIT */
	[STORM_GROUP] = 3 + 2 * STORM_GROUP_THREADS,
};

static void *storm_thread(void *arg)
{
	return arg;
}

/* One ends by itself at about that time, the others with the process. */
static void *storm_victim(void *arg)
{
	if (arg)
		pause();
	return arg;
}

static void storm_start_victims(void)
{
	pthread_t thread;

	for (uintptr_t i = STORM_GROUP_THREADS; i--;)
		check(!pthread_create(&thread, NULL, storm_victim, (void *)i),
		      "no thread");
}

static void storm_round(enum storm kind, char *const *argv)
{
	pthread_t thread;
	pid_t child;

	switch (kind) {
	case STORM_THREAD:
		check(!pthread_create(&thread, NULL, storm_thread, NULL) &&
			      !pthread_join(thread, NULL),
		      "no thread");
		return;
	case STORM_VFORK:
	case STORM_EXEC:
		child = vfork();
		if (!child) {
			if (kind == STORM_EXEC)
				execve(argv[0], argv, environ);
			_exit(kind == STORM_EXEC ? 127 : 0);
		}
		break;
	default:
		child = fork();
		if (!child) {
			if (kind == STORM_GROUP)
				storm_start_victims();
			_exit(0);
		}
	}
	check(child > 0, "fork: %s", km_error(errno));
	check(!km_join(child), "expected status 0 of %d", child);
}

#endif /* KMONITOR_SELFTESTS_STORM_H */
