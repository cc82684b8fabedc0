// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races everything against everything for a number of seconds, kmon.seconds on the
 * kernel's command line.  Mothers and namespaces may be killed at any time; an
 * editor or an observer that ends by itself has found a fault.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "stress.h"

#define SYSCTL "/proc/sys/kernel/kmonitor/"
/* They end by themselves, and well. */
#define CHECKERS (EDITORS + OBSERVERS)
#define WORKERS (CHECKERS + MOTHERS + 2)
#define REPORT_S 10

/* The checkers come first. */
static pid_t start(struct arena *arena, int which)
{
	pid_t pid = km_fork();

	if (pid)
		return pid;
	if (which < EDITORS)
		be_an_editor(arena, which);
	if (which < CHECKERS)
		be_an_observer(arena, which - EDITORS);
	if (which == CHECKERS)
		be_namespaces(arena);
	if (which == CHECKERS + 1)
		be_a_signaller(arena);
	be_a_mother(arena, which - CHECKERS - 2);
}

static void report(const struct arena *arena)
{
	printf("# cycles %lu, births %lu, records %lu, lost %lu, ",
	       arena->cycles, arena->births, arena->records, arena->lost);
	printf("EMPTY %lu, killed %lu, observed %lu, ends %lu\n", arena->empty,
	       arena->killed, arena->observed, arena->ends);
	fflush(stdout);
}

/* Starts killed workers anew; gives the number of checkers that failed. */
static int reap(struct arena *arena, pid_t *worker)
{
	int status, failed = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < WORKERS; i++) {
			if (worker[i] != pid)
				continue;
			if (i <= CHECKERS)
				failed += !!status;
			worker[i] = start(arena, i);
		}
	}
	return failed;
}

/* The mothers may be in the midst of anything; the checkers finish. */
static int stop(struct arena *arena, const pid_t *worker)
{
	int failed = 0;

	arena->stop = true;
	for (int i = 0; i < CHECKERS; i++)
		failed += !!km_join(worker[i]);
	for (int i = CHECKERS; i < WORKERS; i++)
		kill(worker[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return failed;
}

/* Nothing is open: what is charged has leaked. */
static bool nothing_is_charged(void)
{
	long instances = km_sysctl(SYSCTL "max_user_instances", 1);
	long filters = km_sysctl(SYSCTL "max_user_filters", 1);
	uint64_t handle;
	int fd = km_init(NULL, 0, KMONITOR_CLOEXEC);
	bool ok = fd >= 0 &&
		  !km_try_add(fd, KMONITOR_TARGET_PROCESS, 0, 0, 0, &handle);

	close(fd);
	km_sysctl(SYSCTL "max_user_instances", instances);
	km_sysctl(SYSCTL "max_user_filters", filters);
	return ok;
}

static void result(int number, bool ok, const char *name)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", number, name);
}

int main(void)
{
	const uint64_t end = km_boottime_ns() + km_seconds(60) * 1000000000ULL;
	uint64_t next_report = 0;
	struct arena *arena;
	struct stat cgroup;
	pid_t worker[WORKERS];
	int failed = 0;

	/* A pid that is still in the arena must not be another's soon. */
	km_sysctl("/proc/sys/kernel/pid_max", 4194304);
	arena = must(mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	must(mkdir(CGROUP, 0755));
	must(stat(CGROUP, &cgroup));
	arena->cgroup = cgroup.st_ino;
	for (int i = 0; i < WORKERS; i++)
		worker[i] = start(arena, i);
	while (!failed && km_boottime_ns() < end) {
		failed += reap(arena, worker);
		if (km_boottime_ns() > next_report) {
			report(arena);
			next_report =
				km_boottime_ns() + REPORT_S * 1000000000ULL;
		}
		usleep(1000);
	}
	failed += stop(arena, worker);
	report(arena);
	puts("1..3");
	result(1, !failed, "each_descriptor_accounts_for_each_record");
	result(2,
	       arena->cycles && arena->records && arena->lost && arena->empty &&
		       arena->killed && arena->observed && arena->ends,
	       "everything_has_happened");
	result(3, nothing_is_charged(),
	       "no_instance_and_no_filter_stays_charged");
	return failed || !arena->cycles;
}
