// SPDX-License-Identifier: GPL-2.0-only
/*
 * What edits, KILL, many exits and arguments cost.  Where another interface does
 * the same, it is measured here, too, in the same run.
 */

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../common.h"
#include "edit.h"
#include "measure.h"
#include "work.h"

#define EXITS 8000
#define VICTIMS 3000
#define BATCH 128
#define STACK 1024

/* Children that share the mm, and end when they are released. */
static volatile int released;
static pid_t sleepers[EXITS];

static int sleep_until_released(void *arg)
{
	while (!released)
		syscall(SYS_futex, &released, FUTEX_WAIT, 0, NULL, NULL, 0);
	work_leave();
	return !!arg;
}

static void start_sleepers(char *stacks)
{
	released = 0;
	for (int i = 0; i < EXITS; i++)
		sleepers[i] = must(clone(sleep_until_released,
					 stacks + (i + 1) * STACK,
					 CLONE_VM | SIGCHLD, NULL));
	pause_ms(10);
}

static void wake_sleepers(void)
{
	released = 1;
	syscall(SYS_futex, &released, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void reap_sleepers(void)
{
	for (int i = 0; i < EXITS; i++)
		must(waitpid(sleepers[i], NULL, 0));
}

/* A way to learn of all exits, from the set-up to the close. */
struct watch {
	const char *name;
	void (*begin)(void);
	void (*wait)(void);
	void (*end)(void);
};

static int monitor;
static int epoll;
static int pidfds[EXITS];

static void begin_nothing(void)
{
}

static int open_monitor(void)
{
	const struct kmonitor_attr attr = { .ring_records = 2 * EXITS };

	return must(km_init(&attr, sizeof(attr), KMONITOR_CLOEXEC));
}

static void begin_tree(void)
{
	monitor = open_monitor();
	km_add(monitor, KMONITOR_TARGET_TREE, 0, KMONITOR_PROCESS_EXIT, 0);
}

static void begin_processes(void)
{
	monitor = open_monitor();
	for (int i = 0; i < EXITS; i++)
		km_add(monitor, KMONITOR_TARGET_PROCESS, sleepers[i],
		       KMONITOR_PROCESS_EXIT, 0);
}

static void wait_for_records(void)
{
	static struct kmonitor_event events[BATCH];

	for (int left = EXITS; left > 0;) {
		int nr = must(read(monitor, events, sizeof(events))) /
			 sizeof(*events);

		for (int i = 0; i < nr; i++)
			left -= events[i].type == KMONITOR_PROCESS_EXIT;
	}
}

static void close_monitor(void)
{
	close(monitor);
}

static void begin_pidfds(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	epoll = must(epoll_create1(0));
	for (int i = 0; i < EXITS; i++) {
		pidfds[i] = must(syscall(SYS_pidfd_open, sleepers[i], 0));
		event.data.u32 = i;
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, pidfds[i], &event));
	}
}

/* Each is taken out as it is seen: its exit would be reported again. */
static void wait_for_pidfds(void)
{
	static struct epoll_event events[BATCH];

	for (int left = EXITS; left > 0;) {
		int nr = must(epoll_wait(epoll, events, BATCH, -1));

		for (int i = 0; i < nr; i++)
			close(pidfds[events[i].data.u32]);
		left -= nr;
	}
}

static void close_epoll(void)
{
	close(epoll);
}

static const struct watch watches[] = {
	{ "nothing", begin_nothing, begin_nothing, begin_nothing },
	{ "one TREE", begin_tree, wait_for_records, close_monitor },
	{ "PROCESS entries", begin_processes, wait_for_records, close_monitor },
	{ "pidfd and epoll", begin_pidfds, wait_for_pidfds, close_epoll },
};

static void measure_exits(void)
{
	const struct rlimit files = { EXITS + 100, EXITS + 100 };
	char *stacks = must(mmap(NULL, EXITS * STACK, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	double cost, least = 0;
	char name[80];

	must(setrlimit(RLIMIT_NOFILE, &files));
	for (size_t i = 0; i < sizeof(watches) / sizeof(*watches); i++) {
		uint64_t start;

		start_sleepers(stacks);
		start = now();
		watches[i].begin();
		cost = now() - start;
		if (watches[i].begin == begin_processes)
			report("edit: add a PROCESS entry", cost / EXITS);
		if (watches[i].begin == begin_pidfds)
			report("edit: open a pidfd and add it to epoll",
			       cost / EXITS);
		wake_sleepers();
		watches[i].wait();
		reap_sleepers();
		watches[i].end();
		cost = now() - start;
		snprintf(name, sizeof(name), "exits: 8,000 by %s, each",
			 watches[i].name);
		if (i)
			report(name, (cost - least) / EXITS);
		else
			least = cost;
		pause_ms(HOOKS_OFF_MS);
	}
	start_sleepers(stacks);
	begin_processes();
	cost = now();
	close(monitor);
	report("edit: close, each PROCESS entry", (now() - cost) / EXITS);
	wake_sleepers();
	reap_sleepers();
	munmap(stacks, EXITS * STACK);
}

#define CGROUP "/sys/fs/cgroup/victims"

static void kill_by_tree(pid_t crowd)
{
	struct kmonitor_kill kill = { .signo = SIGKILL };
	int ret, fd = km_open(16);
	uint64_t start;

	kill.handle = km_add(fd, KMONITOR_TARGET_TREE, crowd, 0, 0);
	pause_ms(10);
	start = now();
	ret = km_ioctl(fd, KMONITOR_IOC_KILL, &kill);
	report("kill: KILL of 3,000 members, each",
	       (double)(now() - start) / VICTIMS);
	check(!ret && kill.signalled == VICTIMS + 1, "%u signalled",
	      kill.signalled);
	close(fd);
}

static void kill_by_cgroup(pid_t crowd)
{
	int fd = must(open(CGROUP "/cgroup.kill", O_WRONLY | O_CLOEXEC));
	const uint64_t start = now();

	must(write(fd, "1", 1));
	report("kill: cgroup.kill, each of 3,000",
	       (double)(now() - start) / VICTIMS);
	close(fd);
	(void)crowd;
}

static void kill_by_group(pid_t crowd)
{
	const uint64_t start = now();

	must(kill(-crowd, SIGKILL));
	report("kill: killpg(2), each of 3,000",
	       (double)(now() - start) / VICTIMS);
}

static void measure_kill(void (*kill_crowd)(pid_t crowd))
{
	pid_t crowd;

	km_must_write(CGROUP "/cgroup.procs", "0");
	crowd = start_crowd(VICTIMS);
	km_must_write("/sys/fs/cgroup/cgroup.procs", "0");
	pause_ms(10);
	kill_crowd(crowd);
	km_join(crowd);
	pause_ms(HOOKS_OFF_MS);
}

#define MAX_ARGS 100

static char *args[MAX_ARGS + 1];

static int run_with_args(void *arg)
{
	execve("/proc/self/exe", args, args + MAX_ARGS);
	return !arg;
}

static double exec_with_args(void)
{
	static char stack[8192] __attribute__((aligned(16)));
	const uint64_t start = now();
	pid_t child = must(clone(run_with_args, stack + sizeof(stack),
				 CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));

	must(waitpid(child, NULL, 0));
	return now() - start;
}

/* What the arguments add to the record of an exec. */
static void measure_args(int nr)
{
	const struct kmonitor_attr attr[2] = {
		{ .ring_records = 1 << 16 },
		{ .ring_records = 1 << 16,
		  .report = KMONITOR_REPORT_EXEC_ARGS },
	};
	double cost[2][ROUNDS];
	char name[80];
	int fd[2];

	args[0] = "end";
	for (int i = 1; i < nr; i++)
		args[i] = "argument";
	args[nr] = NULL;
	for (int i = 0; i < 2; i++)
		fd[i] = must(
			km_init(&attr[i], sizeof(attr[i]), KMONITOR_CLOEXEC));
	for (int i = 0; i < 2 * ROUNDS; i++) {
		const int on = i & 1;
		uint64_t handle = km_add(fd[on], KMONITOR_TARGET_ALL, 0,
					 KMONITOR_PROCESS_EXEC, 0);

		pause_ms(1);
		cost[on][i / 2] = exec_with_args();
		check(!km_del(fd[on], handle), "no filter");
	}
	for (int i = 0; i < 2; i++) {
		check(!km_stats(fd[i]).lost, "the ring was full");
		close(fd[i]);
	}
	snprintf(name, sizeof(name), "exec: arguments of an argv of %d", nr);
	report(name, difference(cost[1], cost[0], ROUNDS));
}

void measure_edits(void)
{
	/* An exec is to be the same each time. */
	personality(ADDR_NO_RANDOMIZE);
	measure_args(1);
	measure_args(10);
	measure_args(MAX_ARGS);
	measure_exits();
	make_cgroup(CGROUP);
	measure_kill(kill_by_tree);
	measure_kill(kill_by_cgroup);
	measure_kill(kill_by_group);
}
