// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promises 1 to 3 under parallel storms: every record is checked against what
 * must precede it, and all records together against the exact number of
 * events that the storms made.
 *
 * Without loss, a record about a process that has no FORK yet, or that has
 * had its PROCESS_EXIT, breaks the order.  With loss, what may be missing is
 * not asked for, but order, uniqueness and the sum still hold.
 */

#include "kselftest_harness.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "storm.h"

#define WORKERS 8
#define MAX_FDS 16

/* A process, named by (tgid, start_ns) forever. */
struct process {
	uint64_t start_ns;
	int32_t tgid;
	uint32_t threads;
	bool born;
	bool seen;
	bool last_thread;
	bool exited;
};

/* The state of processes by the records of one descriptor so far. */
struct checker {
	int fd;
	bool lossy;
	bool empty;
	uint64_t seq;
	uint64_t delivered;
	uint64_t lost;
	uint32_t born;
	uint32_t exited;
	struct process *process;
	uint32_t mask;
	struct process **owner;
};

static void *zeroed(size_t nr, size_t size)
{
	void *memory = calloc(nr, size);

	check(memory, "no memory");
	return memory;
}

static void init_checker(struct checker *c, uint32_t ring, uint32_t processes,
			 bool lossy)
{
	uint32_t slots = 64;
	long pid_max = 0;
	FILE *file = fopen("/proc/sys/kernel/pid_max", "re");

	check(file && fscanf(file, "%ld", &pid_max) == 1, "no pid_max");
	fclose(file);
	while (slots < 2 * processes)
		slots *= 2;
	*c = (struct checker){
		.fd = km_open(ring),
		.lossy = lossy,
		.process = zeroed(slots, sizeof(struct process)),
		.mask = slots - 1,
		.owner = zeroed(pid_max + 1, sizeof(struct process *)),
	};
}

static void free_checker(struct checker *c)
{
	close(c->fd);
	free(c->process);
	free(c->owner);
}

static struct process *find_process(struct checker *c, int32_t tgid,
				    uint64_t start_ns)
{
	uint64_t hash = (tgid ^ start_ns) * 0x9e3779b97f4a7c15ULL;
	struct process *p;

	for (uint32_t i = hash >> 40;; i++) {
		p = &c->process[i & c->mask];
		if (!p->tgid) {
			p->tgid = tgid;
			p->start_ns = start_ns;
		}
		if (p->tgid == tgid && p->start_ns == start_ns)
			return p;
	}
}

#define broken(event, what)                                         \
	die("record %ju, %s of %d: " what, (uintmax_t)(event)->seq, \
	    km_type_name((event)->type), (event)->pid)

static void take_fork(struct checker *c, const struct kmonitor_event *event)
{
	struct process *child =
		find_process(c, event->fork.tgid, event->fork.start_ns);

	if (child->seen)
		broken(event, "the child had a record before its FORK");
	if (!c->lossy && c->owner[event->fork.pid])
		broken(event, "the pid of the child is still in use");
	child->born = true;
	child->seen = true;
	child->threads = 1;
	c->owner[event->fork.pid] = child;
	c->born++;
}

static void take_thread(struct checker *c, const struct kmonitor_event *event,
			struct process *process)
{
	if (event->fork.tgid != event->tgid ||
	    event->fork.start_ns != event->start_ns)
		broken(event, "the thread is of another process");
	if (!c->lossy && c->owner[event->fork.pid])
		broken(event, "the pid of the thread is still in use");
	c->owner[event->fork.pid] = process;
	process->threads++;
}

static void take_thread_exit(struct checker *c,
			     const struct kmonitor_event *event,
			     struct process *process)
{
	c->owner[event->pid] = NULL;
	process->threads--;
	if (event->flags & KMONITOR_EVENT_LAST_THREAD) {
		if (process->last_thread)
			broken(event, "a second last thread");
		process->last_thread = true;
	}
}

static void take_process_exit(struct checker *c,
			      const struct kmonitor_event *event,
			      struct process *process)
{
	if (event->pid != event->tgid)
		broken(event, "pid and tgid differ");
	if (!c->lossy && process->threads)
		broken(event, "a thread had no THREAD_EXIT yet");
	if (!c->lossy && !process->last_thread)
		broken(event, "no thread was the last");
	process->exited = true;
	c->exited++;
}

/* Checks one record against all before it. */
static void take(struct checker *c, const struct kmonitor_event *event)
{
	struct process *process;

	check(event->seq == ++c->seq, "expected seq %ju, got %ju",
	      (uintmax_t)c->seq, (uintmax_t)event->seq);
	check(!c->empty, "a record after EMPTY");
	if (event->type == KMONITOR_LOST) {
		check(c->lossy, "%ju records lost in a ring for all of them",
		      (uintmax_t)event->lost.count);
		check(event->lost.count, "LOST of nothing");
		c->lost += event->lost.count;
		return;
	}
	c->delivered++;
	if (event->type == KMONITOR_EMPTY) {
		c->empty = true;
		return;
	}

	process = find_process(c, event->tgid, event->start_ns);
	if (c->seq == 1) {
		/* The test's fork of the root; the test itself was there. */
		process->born = true;
		c->owner[event->pid] = process;
	}
	if (process->exited)
		broken(event, "the process had its PROCESS_EXIT before");
	if (!c->lossy && !process->born)
		broken(event, "the process had no FORK yet");
	if (!c->lossy && event->type != KMONITOR_PROCESS_EXIT &&
	    c->owner[event->pid] != process)
		broken(event, "the thread is not alive");
	process->seen = true;

	switch (event->type) {
	case KMONITOR_PROCESS_FORK:
		take_fork(c, event);
		break;
	case KMONITOR_THREAD_CREATE:
		take_thread(c, event, process);
		break;
	case KMONITOR_PROCESS_EXEC:
		if (event->exec.old_pid != event->pid)
			broken(event, "old_pid and pid differ");
		break;
	case KMONITOR_THREAD_EXIT:
		take_thread_exit(c, event, process);
		break;
	case KMONITOR_PROCESS_EXIT:
		take_process_exit(c, event, process);
		break;
	default:
		broken(event, "nobody wanted this");
	}
}

/* Takes what is there, in reads of up to max records; 0 if nothing was. */
static int take_some(struct checker *c, int max)
{
	static struct kmonitor_event event[512];
	int nr = km_read(c->fd, event, max);

	if (nr == -EAGAIN)
		return 0;
	check(nr > 0, "read: %s", km_error(nr));
	for (int i = 0; i < nr; i++)
		take(c, &event[i]);
	return nr;
}

struct workload {
	unsigned int rounds[STORM_KINDS];
	char *argv[2];
};

/* The work of each worker. */
static const enum storm kinds[WORKERS] = {
	STORM_FORK, STORM_FORK,	  STORM_VFORK,	STORM_VFORK,
	STORM_EXEC, STORM_THREAD, STORM_THREAD, STORM_GROUP,
};

/* The exact number of records, EMPTY included, and of processes. */
static uint64_t count_records(const struct workload *work, uint32_t *processes)
{
	uint64_t records = 1 + 3 * (1 + WORKERS);

	*processes = 1 + WORKERS;
	for (int i = 0; i < WORKERS; i++) {
		records += storm_records[kinds[i]] * work->rounds[kinds[i]];
		if (kinds[i] != STORM_THREAD)
			*processes += work->rounds[kinds[i]];
	}
	return records;
}

static void storm(const struct workload *work, int gate[2])
{
	pid_t worker[WORKERS];

	km_gate_wait(gate);
	for (int i = 0; i < WORKERS; i++) {
		worker[i] = km_fork();
		if (worker[i])
			continue;
		for (unsigned int r = 0; r < work->rounds[kinds[i]]; r++)
			storm_round(kinds[i], work->argv);
		_exit(0);
	}
	for (int i = 0; i < WORKERS; i++)
		check(!km_join(worker[i]), "worker %d failed", i);
	_exit(0);
}

/* Lets the descriptors watch a storm from the fork of its root on. */
static pid_t start_storm(const struct workload *work, struct checker *c, int nr)
{
	uint64_t own[MAX_FDS];
	int gate[2];
	pid_t root;

	km_gate(gate);
	for (int i = 0; i < nr; i++)
		own[i] = km_add(c[i].fd, KMONITOR_TARGET_PROCESS, 0,
				KMONITOR_PROCESS_FORK, 0);
	root = km_fork();
	if (!root)
		storm(work, gate);
	for (int i = 0; i < nr; i++) {
		check(!km_del(c[i].fd, own[i]), "can't delete the entry");
		km_add(c[i].fd, KMONITOR_TARGET_TREE, root, KM_LIFE, i);
	}
	km_gate_open(gate);
	return root;
}

/* All that was wanted has come, or is reported as lost. */
static void check_sums(struct checker *c, uint64_t records, uint32_t processes)
{
	struct kmonitor_stats stats = km_stats(c->fd);

	check(!take_some(c, 1), "a record after the end");
	check(c->delivered + c->lost == records,
	      "expected %ju records, got %ju and %ju lost", (uintmax_t)records,
	      (uintmax_t)c->delivered, (uintmax_t)c->lost);
	check(stats.matched == records && stats.recorded == c->delivered &&
		      stats.lost == c->lost && !stats.pending,
	      "STATS: matched %ju, recorded %ju, lost %ju, pending %ju",
	      (uintmax_t)stats.matched, (uintmax_t)stats.recorded,
	      (uintmax_t)stats.lost, (uintmax_t)stats.pending);
	check(!stats.depth && !stats.filters, "STATS: depth %u, filters %u",
	      stats.depth, stats.filters);
	check(c->lossy || (c->born == processes && c->exited == processes),
	      "expected %u forks and exits, got %u and %u", processes, c->born,
	      c->exited);
}

FIXTURE(storm)
{
	struct workload work;
};

FIXTURE_SETUP(storm)
{
	self->work.argv[0] = km_helper("quick");
}

FIXTURE_TEARDOWN(storm)
{
}

/* Sixteen descriptors, each with room for everything: a million records. */
TEST_F_TIMEOUT(storm, every_record_is_there_once_and_in_order, 600)
{
	const unsigned int share = km_scale(50, 2);
	struct checker c[MAX_FDS];
	uint64_t records, total = 0;
	uint32_t processes;
	pid_t root;
	int left = MAX_FDS;

	self->work.rounds[STORM_FORK] = 14 * share;
	self->work.rounds[STORM_VFORK] = 110 * share;
	self->work.rounds[STORM_EXEC] = 8 * share;
	self->work.rounds[STORM_THREAD] = 110 * share;
	self->work.rounds[STORM_GROUP] = 8 * share;
	records = count_records(&self->work, &processes);
	for (int i = 0; i < MAX_FDS; i++)
		init_checker(&c[i], records, processes, false);
	root = start_storm(&self->work, c, MAX_FDS);
	while (left) {
		check(km_readable(c[0].fd, KM_TIMEOUT_MS) || c[0].empty,
		      "no record in time");
		left = 0;
		for (int i = 0; i < MAX_FDS; i++) {
			while (take_some(&c[i], 512))
				;
			left += !c[i].empty;
		}
	}
	EXPECT_EQ(0, km_join(root));
	for (int i = 0; i < MAX_FDS; i++) {
		check_sums(&c[i], records, processes);
		total += c[i].delivered;
		free_checker(&c[i]);
	}
	TH_LOG("%ju records of %u processes", (uintmax_t)total, processes);
	EXPECT_LE(km_scale(1000000, 40000), total);
}

/* Small rings and a reader that takes one record after the other. */
TEST_F_TIMEOUT(storm, what_is_lost_is_counted_where_it_is_missing, 600)
{
	static const uint32_t rings[] = { 64, 64, 2, 16 };
	const unsigned int share = km_scale(10, 2);
	struct checker c[4];
	uint64_t records;
	uint32_t processes;
	pid_t root;
	int left = 4;

	self->work.rounds[STORM_FORK] = 14 * share;
	self->work.rounds[STORM_VFORK] = 110 * share;
	self->work.rounds[STORM_EXEC] = 8 * share;
	self->work.rounds[STORM_THREAD] = 110 * share;
	self->work.rounds[STORM_GROUP] = 8 * share;
	records = count_records(&self->work, &processes);
	for (int i = 0; i < 4; i++)
		init_checker(&c[i], rings[i], processes, true);
	root = start_storm(&self->work, c, 4);
	/* However quick the reader is, it begins with a loss. */
	for (int i = 0; i < 4; i++) {
		while (!km_stats(c[i].fd).pending)
			sched_yield();
	}
	while (left) {
		left = 0;
		for (int i = 0; i < 4; i++) {
			take_some(&c[i], 1);
			left += !c[i].empty;
		}
		sched_yield();
	}
	EXPECT_EQ(0, km_join(root));
	for (int i = 0; i < 4; i++) {
		check_sums(&c[i], records, processes);
		TH_LOG("ring of %u: %ju records, %ju lost", rings[i],
		       (uintmax_t)c[i].delivered, (uintmax_t)c[i].lost);
		EXPECT_LT(0, c[i].lost);
		EXPECT_LT(0, c[i].delivered);
		free_checker(&c[i]);
	}
}

TEST_HARNESS_MAIN
