/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the parts of the stress program. */
#ifndef KMONITOR_STRESS_H
#define KMONITOR_STRESS_H

#include "../common.h"

#define NOBODY 65534
#define MOTHERS 6
#define EDITORS 4
#define OBSERVERS 2

/* The cgroup of half of the mothers. */
#define CGROUP "/sys/fs/cgroup/stress"

/**
 * struct arena - what all processes see
 *
 * @mother: Processes that have children all the time.
 * @newest: The newest child of each; it ends soon.
 * @inside: The first process of a pid namespace.
 * @cgroup: The id of CGROUP.
 * @stop: The time is over.
 * @cycles: Descriptors opened and closed.
 * @records: Records read and found in order.
 * @lost: Records reported as lost.
 * @empty: EMPTY records.
 * @killed: Processes that KILL reached.
 * @births: Processes and threads that the mothers had.
 * @observed: Records of births that observers have found, each of them.
 * @ends: Pid namespaces whose end was reported.
 */
struct arena {
	volatile pid_t mother[MOTHERS];
	volatile pid_t newest[MOTHERS];
	volatile pid_t inside;
	uint64_t cgroup;
	volatile bool stop;
	unsigned long cycles;
	unsigned long records;
	unsigned long lost;
	unsigned long empty;
	unsigned long killed;
	unsigned long births;
	unsigned long observed;
	unsigned long ends;
};

static inline void add_to(unsigned long *counter, unsigned long value)
{
	__atomic_add_fetch(counter, value, __ATOMIC_RELAXED);
}

/* load.c */
void be_a_mother(struct arena *arena, int which) __attribute__((noreturn));
void be_namespaces(struct arena *arena) __attribute__((noreturn));
void be_a_signaller(struct arena *arena) __attribute__((noreturn));

/* editor.c */
void be_an_editor(struct arena *arena, int which) __attribute__((noreturn));

/* observer.c */
void be_an_observer(struct arena *arena, int which) __attribute__((noreturn));

#endif /* KMONITOR_STRESS_H */
