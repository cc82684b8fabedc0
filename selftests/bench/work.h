/* SPDX-License-Identifier: GPL-2.0-only */
/* The work that is measured, and the processes that do it. */
#ifndef KMONITOR_BENCH_WORK_H
#define KMONITOR_BENCH_WORK_H

#include <stdint.h>
#include <sys/types.h>

enum work { WORK_THREAD, WORK_FORK, WORK_EXEC };

/* One round, cut in two: until the parent is back from clone(), and the rest. */
struct round {
	double create;
	double rest;
};

/* A process that does rounds of work when it is asked to. */
struct worker {
	pid_t pid;
	int ask[2];
	int done[2];
};

/* Instructions of the guest, in `make bench-icount`. */
static inline uint64_t now(void)
{
	return __builtin_ia32_rdtsc();
}

/* Where a child that ends writes when it began to. */
extern volatile uint64_t *work_end;

pid_t work_clone(void);
void work_leave(void);
struct worker worker_start(void);
struct round worker_do(struct worker *worker, enum work work, int times);
void worker_end(struct worker *worker);

#endif /* KMONITOR_BENCH_WORK_H */
