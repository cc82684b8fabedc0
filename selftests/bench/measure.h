/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rows of the bench have in common. */
#ifndef KMONITOR_BENCH_MEASURE_H
#define KMONITOR_BENCH_MEASURE_H

#include <sys/types.h>

/* A multiple of the rounds of a block, see difference(). */
#define ROUNDS 96
#define BLOCK 8

/* Each runs under SCHED_FIFO: the program, what it measures with, what waits. */
#define PRIORITY 10

/* Longer than the hooks stay on after the last close. */
#define HOOKS_OFF_MS 1500

#define MEMBERS 100000

void pause_ms(long ms);
void set_priority(pid_t pid, int priority);
void report(const char *name, double cost);
double quartile(double *values, int nr);
double difference(double *more, double *less, int nr);
pid_t start_crowd(int members);
void end_crowd(pid_t crowd);
ino_t make_cgroup(const char *path);

#endif /* KMONITOR_BENCH_MEASURE_H */
