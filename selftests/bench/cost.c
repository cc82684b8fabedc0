// SPDX-License-Identifier: GPL-2.0-only
/*
 * The costs of kmonitor, in instructions of the guest: for `make bench-icount`,
 * whose QEMU advances the time-stamp counter by one for each.
 *
 * Prints a line "cost", case and number for each case.  A cost is the
 * difference of the same work, done in turns with and without what the case
 * is about: what the allocators have at hand then differs in neither.  The
 * lower quartile of each counts, as interrupts only add; of blocks of rounds, whose
 * differences have their median taken, as what the whole machine does drifts.
 * All run under SCHED_FIFO on one processor, so that a task goes on until it
 * sleeps and the order of things is always the same.  In a pause before each
 * round RCU does what it has put off.
 */

#include <stdio.h>
#include <string.h>

#include "../common.h"
#include "edit.h"
#include "measure.h"
#include "stall.h"
#include "take.h"
#include "wake.h"
#include "work.h"

#define MANY 8
#define IDS 1000
#define DEPTH 16

/* Hooks that one process passes: inherit, fork, thread exit, process exit. */
#define HOOKS 4

/* The difference between the tested rounds and the others. */
struct watch {
	int fds;
	uint32_t target;
	uint32_t events;
	uint32_t ring;
	/* The target, if not the worker: then the descriptors come and go. */
	pid_t elsewhere;
	/* How many filters a descriptor has, if not one, of ids that follow. */
	int filters;
};

struct opened {
	int fd[128];
	uint64_t handle[128];
};

static void open_all(struct opened *opened, const struct watch *watch)
{
	for (int i = 0; i < watch->fds; i++)
		opened->fd[i] = km_open(watch->ring ?: 1024);
}

static void add_all(struct opened *opened, const struct watch *watch, pid_t id)
{
	for (int i = 0; i < watch->fds; i++) {
		opened->handle[i] = km_add(opened->fd[i], watch->target, id,
					   watch->events, 0);
		for (int j = 1; j < watch->filters; j++)
			km_add(opened->fd[i], watch->target, id + j,
			       watch->events, 0);
	}
}

static void del_all(struct opened *opened, const struct watch *watch)
{
	for (int i = 0; i < watch->fds; i++)
		check(!km_del(opened->fd[i], opened->handle[i]), "no filter");
}

static void close_all(struct opened *opened, const struct watch *watch)
{
	for (int i = 0; i < watch->fds; i++)
		close(opened->fd[i]);
}

static void prepare(struct opened *opened, const struct watch *watch, bool on)
{
	if (watch->elsewhere && on) {
		open_all(opened, watch);
		add_all(opened, watch, watch->elsewhere);
		pause_ms(HOOKS_OFF_MS);
	} else if (watch->elsewhere) {
		close_all(opened, watch);
		pause_ms(HOOKS_OFF_MS);
	} else if (watch->target == KMONITOR_TARGET_ALL && on) {
		add_all(opened, watch, 0);
	} else if (watch->target == KMONITOR_TARGET_ALL) {
		del_all(opened, watch);
	}
	pause_ms(1);
}

/* The cost that the watch adds to a round of the work. */
static struct round gross_cost(enum work work, const struct watch *watch)
{
	/* A filter of a process needs one that has it and one that has not. */
	const bool two = !watch->elsewhere &&
			 watch->target != KMONITOR_TARGET_ALL;
	struct worker base = worker_start();
	struct worker tested = two ? worker_start() : base;
	/* Those that switch the hooks are long. */
	const int rounds = watch->elsewhere ? ROUNDS / 4 : ROUNDS;
	double create[2][ROUNDS], rest[2][ROUNDS];
	struct round round, cost;
	struct opened opened;

	if (!watch->elsewhere)
		open_all(&opened, watch);
	if (two)
		add_all(&opened, watch, tested.pid);
	for (int i = -4; i < 2 * rounds; i++) {
		const int on = i & 1;

		if (on)
			prepare(&opened, watch, true);
		else
			pause_ms(1);
		round = worker_do(on ? &tested : &base, work, 1);
		if (on)
			prepare(&opened, watch, false);
		if (i < 0)
			continue;
		create[on][i / 2] = round.create;
		rest[on][i / 2] = round.rest;
	}
	if (!watch->elsewhere)
		close_all(&opened, watch);
	worker_end(&base);
	if (two)
		worker_end(&tested);
	pause_ms(HOOKS_OFF_MS);

	cost.create = difference(create[1], create[0], rounds);
	cost.rest = difference(rest[1], rest[0], rounds);
	return cost;
}

/* The same without the difference of the two processes themselves. */
static struct round cost_of(enum work work, const struct watch *watch)
{
	const struct watch nothing = { .target = watch->target,
				       .elsewhere = watch->elsewhere };
	struct round cost = gross_cost(work, watch), bias;

	bias = gross_cost(work, &nothing);
	return (struct round){ cost.create - bias.create,
			       cost.rest - bias.rest };
}

static double whole(struct round round)
{
	return round.create + round.rest;
}

/* While no descriptor is open, to be compared between kernels. */
static void measure_closed(const char *name, enum work work)
{
	struct worker worker = worker_start();
	double cost[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		cost[i] = whole(worker_do(&worker, work, 1));
		pause_ms(1);
	}
	worker_end(&worker);
	pause_ms(HOOKS_OFF_MS);
	report(name, quartile(cost, ROUNDS));
}

static void measure_unmatched(void)
{
	struct watch watch = { 1, KMONITOR_TARGET_TREE, KM_LIFE, 16, 0, 0 };
	pid_t crowd = start_crowd(0);

	watch.elsewhere = crowd;
	report("unmatched: 1 fd, 1 member elsewhere, each hook",
	       whole(cost_of(WORK_FORK, &watch)) / HOOKS);
	watch.fds = MANY;
	report("unmatched: 8 fds, 1 member elsewhere, each hook",
	       whole(cost_of(WORK_FORK, &watch)) / HOOKS);
	end_crowd(crowd);

	/* Without the trees in it, whose descriptors keep the hooks on. */
	km_sysctl("/proc/sys/kernel/pid_max", 2 * MEMBERS);
	km_sysctl("/proc/sys/kernel/threads-max", 2 * MEMBERS);
	crowd = start_crowd(MEMBERS);
	watch.fds = 1;
	watch.elsewhere = crowd;
	report("unmatched: 1 fd, 100,000 members elsewhere, each hook",
	       whole(cost_of(WORK_FORK, &watch)) / HOOKS);
	end_crowd(crowd);
}

/* Conditions that don't match, as seen from a cgroup as deep as a service's. */
static void measure_judged(void)
{
	struct watch watch = { .fds = 1,
			       .target = KMONITOR_TARGET_UID,
			       .events = KM_LIFE,
			       .ring = 16,
			       .elsewhere = 100000 };

	make_cgroup("/sys/fs/cgroup/slice");
	make_cgroup("/sys/fs/cgroup/slice/service");
	km_must_write("/sys/fs/cgroup/slice/service/cgroup.procs", "0");
	report("judged: 1 fd, 1 other user, each hook",
	       whole(cost_of(WORK_FORK, &watch)) / HOOKS);
	watch.filters = IDS;
	report("judged: 1 fd, 1,000 other users, each hook",
	       whole(cost_of(WORK_FORK, &watch)) / HOOKS);
	watch.filters = 1;
	watch.fds = MANY;
	report("judged: 8 fds, 1 other user, each hook",
	       whole(cost_of(WORK_FORK, &watch)) / HOOKS);
	watch.target = KMONITOR_TARGET_CGROUP;
	watch.elsewhere = make_cgroup("/sys/fs/cgroup/slice/other");
	report("judged: 8 fds, another cgroup, each hook",
	       whole(cost_of(WORK_FORK, &watch)) / HOOKS);
	km_must_write("/sys/fs/cgroup/cgroup.procs", "0");
}

static void measure_creation(void)
{
	struct watch watch = {
		1, KMONITOR_TARGET_PROCESS, KMONITOR_THREAD_CREATE, 0, 0, 0
	};
	double one;

	one = cost_of(WORK_THREAD, &watch).create;
	report("record: thread create", one);
	watch.fds = MANY;
	report("record: thread create, each further fd",
	       (cost_of(WORK_THREAD, &watch).create - one) / (MANY - 1));
	watch.fds = 1;
	watch.target = KMONITOR_TARGET_ALL;
	report("record: thread create, whole machine",
	       cost_of(WORK_THREAD, &watch).create);

	watch.target = KMONITOR_TARGET_PROCESS;
	watch.events = KMONITOR_PROCESS_FORK;
	one = cost_of(WORK_FORK, &watch).create;
	report("record: fork", one);
	watch.fds = MANY;
	report("record: fork, each further fd",
	       (cost_of(WORK_FORK, &watch).create - one) / (MANY - 1));
	watch.fds = 1;
	watch.ring = 2;
	report("hostile: fork, ring full", cost_of(WORK_FORK, &watch).create);
	watch.fds = 64;
	watch.target = KMONITOR_TARGET_ALL;
	report("hostile: fork, each of 63 further fds",
	       (cost_of(WORK_FORK, &watch).create - one) / 63);
}

static void measure_thread_exits(void)
{
	struct watch watch = {
		1, KMONITOR_TARGET_PROCESS, KMONITOR_THREAD_EXIT, 0, 0, 0
	};
	const double one = cost_of(WORK_THREAD, &watch).rest;

	report("record: thread exit with its usage", one);
	watch.fds = MANY;
	report("record: thread exit, each further fd",
	       (cost_of(WORK_THREAD, &watch).rest - one) / (MANY - 1));
}

static void measure_trees(void)
{
	struct watch tree = { 1, KMONITOR_TARGET_TREE, 0, 0, 0, 0 };
	struct watch exits = {
		1, KMONITOR_TARGET_ALL, KMONITOR_PROCESS_EXIT, 0, 0, 0
	};
	struct round one = cost_of(WORK_FORK, &tree), many;
	double record, both;

	report("tree: fork beyond its records", one.create);
	report("tree: exit with its totals", one.rest);
	report("tree: life of a process, no event wanted", whole(one));
	record = cost_of(WORK_FORK, &exits).rest;
	report("record: process exit with its usage", record);
	exits.fds = MANY;
	report("record: process exit, each further fd",
	       (cost_of(WORK_FORK, &exits).rest - record) / (MANY - 1));
	exits.fds = 1;
	exits.target = KMONITOR_TARGET_TREE;
	both = cost_of(WORK_FORK, &exits).rest;
	report("tree: exit with its totals and record", both);
	report("tree: exit, beyond the record of a plain process",
	       both - record);
	/* The totals have taken the usage, which is taken once. */
	report("record: process exit, usage taken already", both - one.rest);
	tree.fds = DEPTH;
	many = cost_of(WORK_FORK, &tree);
	report("hostile: fork and exit, each of 15 further trees",
	       (whole(many) - whole(one)) / (DEPTH - 1));
	tree.fds = 2 * DEPTH;
	report("tree: life of a process in 32 trees, no event wanted",
	       whole(cost_of(WORK_FORK, &tree)));
}

/* All five events of a life, in a ring that nobody takes them out of. */
static void measure_means(void)
{
	const struct watch watch = {
		1, KMONITOR_TARGET_ALL, KM_LIFE, 4096, 0, 0
	};

	report("mean: of the 2 events of a thread",
	       whole(cost_of(WORK_THREAD, &watch)) / 2);
	report("mean: of the 3 events of a process",
	       whole(cost_of(WORK_FORK, &watch)) / 3);
	report("mean: of the 4 events of a process with exec",
	       whole(cost_of(WORK_EXEC, &watch)) / 4);
}

static void measure_take(const char *name, double (*take)(int fd))
{
	struct worker worker = worker_start();
	int fd = km_open(RING_TAKE);
	double cost;

	km_add(fd, KMONITOR_TARGET_PROCESS, worker.pid, KMONITOR_THREAD_CREATE,
	       0);
	for (int i = 0; i < RING_TAKE; i += 64) {
		worker_do(&worker, WORK_THREAD, 64);
		pause_ms(1);
	}
	check(km_stats(fd).depth == RING_TAKE, "the ring is not full");
	cost = take(fd);
	close(fd);
	worker_end(&worker);
	if (cost >= 0)
		report(name, cost);
}

int main(int argc, char **argv)
{
	if (argc > 0 && !strcmp(*argv, "end"))
		work_leave();
	setlinebuf(stdout);
	km_sysctl("/proc/sys/kernel/sched_rt_runtime_us", -1);
	set_priority(0, PRIORITY);

	measure_closed("closed: thread create and join", WORK_THREAD);
	measure_closed("closed: fork, exit and wait", WORK_FORK);
	measure_closed("closed: vfork, exec, exit and wait", WORK_EXEC);
	if (km_init(NULL, 0, ~0U) == -ENOSYS)
		return 0;

	measure_unmatched();
	measure_judged();
	measure_creation();
	measure_thread_exits();
	measure_trees();
	measure_means();
	measure_wakeups();
	measure_latencies();
	measure_take("take: read(2), each record", take_read);
	measure_take("take: io_uring multishot read, each record", take_uring);
	measure_take("take: mmap, each record", take_mmap);
	measure_take("look: read(2), each record", look_read);
	measure_take("look: io_uring multishot read, each record", look_uring);
	measure_take("look: mmap, each record", look_mmap);
	measure_take("library: read, each record", take_library_read);
	measure_take("library: io_uring, each record", take_library_uring);
	measure_take("library: mmap, each record", take_library_mmap);
	measure_edits();
	measure_stalls();
	return 0;
}
