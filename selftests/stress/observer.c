// SPDX-License-Identifier: GPL-2.0-only
/*
 * The observers: each has a storm of its own, which nobody kills, and finds each
 * birth of it in a descriptor, as a record or in a LOST.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../storm.h"
#include "stress.h"

#define BATCH 64
#define BIRTHS (KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE)

/* In one round. */
static const unsigned int births[STORM_KINDS] = {
	[STORM_FORK] = 1,
	[STORM_VFORK] = 1,
	[STORM_EXEC] = 1,
	[STORM_THREAD] = 1,
	[STORM_GROUP] = 1 + STORM_GROUP_THREADS,
};

/* The births that a descriptor has reported. */
struct account {
	uint64_t found;
	uint64_t lost;
};

static uint64_t births_of(unsigned int rounds)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < rounds; i++)
		nr += births[i % STORM_KINDS];
	return nr;
}

static void take_all(int fd, struct account *account)
{
	struct kmonitor_event event[BATCH];
	int nr;

	while ((nr = km_read(fd, event, BATCH)) > 0) {
		for (int i = 0; i < nr; i++) {
			account->found += !!(event[i].type & BIRTHS);
			if (event[i].type == KMONITOR_LOST)
				account->lost += event[i].lost.count;
		}
	}
	check(nr == -EAGAIN, "read: %s", km_error(nr));
}

/* Starts when it is watched, from the cgroup of this observer. */
static pid_t start_storm(unsigned int rounds, const char *procs, char **argv,
			 int gate[2])
{
	int ready[2];
	pid_t child;

	km_gate(ready);
	child = km_fork();
	if (!child) {
		km_must_write(procs, "0");
		km_gate_open(ready);
		km_gate_wait(gate);
		for (unsigned int i = 0; i < rounds; i++)
			storm_round(i % STORM_KINDS, argv);
		_exit(0);
	}
	km_gate_wait(ready);
	close(ready[0]);
	close(ready[1]);
	return child;
}

/* Every second descriptor is so small that it may lose some. */
static void watch_storm(struct arena *arena, const char *procs, uint64_t cgroup,
			char **argv)
{
	unsigned int rounds = 1 + rand() % 100;
	bool roomy = rand() % 2;
	int fd = km_open(roomy ? 4096 : 2U << rand() % 4);
	uint64_t expected = births_of(rounds);
	struct account account = {};
	int gate[2], status;
	pid_t child, ended;

	km_gate(gate);
	child = start_storm(rounds, procs, argv, gate);
	if (rand() % 2)
		km_add(fd, KMONITOR_TARGET_TREE, child, BIRTHS, 0);
	else
		km_add(fd, KMONITOR_TARGET_CGROUP, cgroup, BIRTHS, 0);
	km_gate_open(gate);
	do {
		ended = must(waitpid(child, &status, WNOHANG));
		if (!ended)
			km_readable(fd, 10);
		take_all(fd, &account);
	} while (!ended);
	check(!status, "expected status 0 of a storm, got %#x", status);
	check(account.found + account.lost == expected,
	      "%ju births, %ju found, %ju lost", (uintmax_t)expected,
	      (uintmax_t)account.found, (uintmax_t)account.lost);
	check(!roomy || !account.lost, "%ju lost in spite of room",
	      (uintmax_t)account.lost);
	close(fd);
	close(gate[0]);
	close(gate[1]);
	add_to(&arena->observed, account.found);
}

void be_an_observer(struct arena *arena, int which)
{
	char *argv[] = { km_helper("quick"), NULL };
	char path[64], procs[96];
	struct stat info;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/observer%d", which);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	if (mkdir(path, 0755))
		check(errno == EEXIST, "%s: %s", path, km_error(errno));
	must(stat(path, &info));
	srand(getpid());
	while (!arena->stop)
		watch_storm(arena, procs, info.st_ino, argv);
	_exit(0);
}
