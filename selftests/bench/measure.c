// SPDX-License-Identifier: GPL-2.0-only
/* What the rows of the bench have in common. */

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "../common.h"
#include "measure.h"

void pause_ms(long ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

void set_priority(pid_t pid, int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	must(sched_setscheduler(pid, SCHED_FIFO, &param));
}

void report(const char *name, double cost)
{
	printf("cost\t%s\t%.0f\n", name, cost);
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double quartile(double *values, int nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return values[nr / 4];
}

/* The excess of one over the other. */
double difference(double *more, double *less, int nr)
{
	double values[ROUNDS / BLOCK];

	for (int i = 0; i < nr / BLOCK; i++)
		values[i] = quartile(more + i * BLOCK, BLOCK) -
			    quartile(less + i * BLOCK, BLOCK);
	qsort(values, nr / BLOCK, sizeof(*values), compare);
	return values[nr / BLOCK / 2];
}

static int sleep_on(void *arg)
{
	for (;;)
		pause();
	return !!arg;
}

/* A process with its descendants, which all sleep; they have one group. */
pid_t start_crowd(int members)
{
	int ready[2];
	pid_t crowd;

	km_gate(ready);
	crowd = km_fork();
	if (!crowd) {
		char *stacks = must(mmap(NULL, (members + 1) * 1024,
					 PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

		setpgid(0, 0);
		for (int i = 0; i < members; i++)
			must(clone(sleep_on, stacks + 1024 * (i + 1), CLONE_VM,
				   NULL));
		km_gate_open(ready);
		sleep_on(NULL);
	}
	km_gate_wait(ready);
	return crowd;
}

void end_crowd(pid_t crowd)
{
	kill(-crowd, SIGKILL);
	km_join(crowd);
	pause_ms(HOOKS_OFF_MS);
}

ino_t make_cgroup(const char *path)
{
	struct stat info;

	must(mkdir(path, 0755));
	must(stat(path, &info));
	return info.st_ino;
}
