// SPDX-License-Identifier: GPL-2.0-only
/* From an event to the reader that it wakes. */

#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../common.h"
#include "measure.h"
#include "take.h"
#include "wake.h"
#include "work.h"

#define WATERMARK 64
#define NR_BUFFERS 4

static struct kmonitor_event events[NR_BUFFERS][2 * WATERMARK];

/* Readers that take and look at all that comes, until they are killed. */

static void serve_by_read(int fd)
{
	for (;;)
		look_at_records(*events,
				must(read(fd, *events, sizeof(*events))) /
					sizeof(**events));
}

static void serve_by_mmap(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	struct mapping map;

	if (!map_ring(fd, &map))
		_exit(0);
	for (;;) {
		must(poll(&poller, 1, -1));
		look_mapped(&map);
	}
}

static void serve_by_uring(int fd)
{
	struct io_uring_buf_ring *buffers;
	struct io_uring_cqe *cqe;
	struct io_uring ring;

	buffers =
		start_multishot(&ring, fd, events, sizeof(*events), NR_BUFFERS);
	for (;;) {
		int i;

		check(io_uring_submit_and_wait(&ring, 1) >= 0 &&
			      !io_uring_peek_cqe(&ring, &cqe),
		      "no completion");
		if (cqe->res <= 0)
			_exit(0);
		i = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
		look_at_records(events[i], cqe->res / sizeof(**events));
		if (!(cqe->flags & IORING_CQE_F_MORE))
			prepare_multishot(&ring, fd);
		io_uring_buf_ring_add(buffers, events[i], sizeof(events[i]), i,
				      io_uring_buf_ring_mask(NR_BUFFERS), 0);
		io_uring_buf_ring_cq_advance(&ring, buffers, 1);
	}
}

struct reader {
	const char *name;
	void (*serve)(int fd);
};

static const struct reader readers[] = {
	{ "read(2)", serve_by_read },
	{ "mmap and poll", serve_by_mmap },
	{ "io_uring multishot read", serve_by_uring },
};

struct event {
	const char *name;
	enum work work;
	uint32_t type;
};

static const struct event thread = { "thread create", WORK_THREAD,
				     KMONITOR_THREAD_CREATE };
static const struct event process = { "fork", WORK_FORK,
				      KMONITOR_PROCESS_FORK };
static const struct event program = { "exec", WORK_EXEC,
				      KMONITOR_PROCESS_EXEC };

/* A system-wide monitor, with and without its filter. */
static void measure_woken(const struct event *event,
			  const struct reader *reader, uint32_t watermark)
{
	const struct kmonitor_attr attr = {
		.ring_records = 1024,
		.wakeup_records = watermark,
		.wakeup_delay_us = watermark > 1 ? 100000000 : 0,
	};
	int fd = must(km_init(&attr, sizeof(attr), KMONITOR_CLOEXEC));
	struct worker worker = worker_start();
	double cost[2][ROUNDS];
	uint64_t handle = 0;
	char name[80];
	pid_t pid;

	pid = km_fork();
	if (!pid)
		reader->serve(fd);
	pause_ms(1);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		const int on = i & 1;
		struct round round;

		if (on)
			handle = km_add(fd, KMONITOR_TARGET_ALL, 0, event->type,
					0);
		pause_ms(1);
		round = worker_do(&worker, event->work, (int)watermark);
		cost[on][i / 2] = round.create + round.rest;
		if (on)
			check(!km_del(fd, handle), "no filter");
	}
	check(!km_stats(fd).depth, "%s did not take all", reader->name);
	worker_end(&worker);
	kill(pid, SIGKILL);
	km_join(pid);
	close(fd);
	snprintf(name, sizeof(name), "woken: %s, watermark %u, %s", event->name,
		 watermark, reader->name);
	report(name, difference(cost[1], cost[0], ROUNDS) / watermark);
}

void measure_wakeups(void)
{
	for (int i = 0; i < 3; i++)
		measure_woken(&thread, &readers[i], 1);
	for (int i = 0; i < 2; i++) {
		measure_woken(&process, &readers[i], 1);
		measure_woken(&program, &readers[i], 1);
		measure_woken(&thread, &readers[i], WATERMARK);
	}
}

/* How a reader learns of the end of a child, from which on it is awake. */
struct wait {
	const char *name;
	uint32_t target;
	bool polls;
	bool pidfd;
};

static const struct wait waits[] = {
	{ "ALL, read(2)", KMONITOR_TARGET_ALL, false, false },
	{ "TREE, read(2)", KMONITOR_TARGET_TREE, false, false },
	{ "PROCESS, poll(2)", KMONITOR_TARGET_PROCESS, true, false },
	{ "pidfd, poll(2)", 0, true, true },
};

static double wait_for_end(const struct wait *wait, pid_t child)
{
	struct pollfd poller = { .events = POLLIN };
	struct kmonitor_event event;
	double took;

	/* The child runs when the reader sleeps, and the reader as soon as woken. */
	set_priority(child, PRIORITY - 1);
	if (wait->pidfd) {
		poller.fd = must(syscall(SYS_pidfd_open, child, 0));
	} else {
		poller.fd = must(km_init(NULL, 0, KMONITOR_CLOEXEC));
		km_add(poller.fd, wait->target,
		       wait->target == KMONITOR_TARGET_ALL ? 0 : child,
		       KMONITOR_PROCESS_EXIT, 0);
	}
	if (wait->polls)
		must(poll(&poller, 1, -1));
	else
		must(read(poller.fd, &event, sizeof(event)));
	took = now() - *work_end;
	must(waitpid(child, NULL, 0));
	close(poller.fd);
	pause_ms(1);
	return took;
}

static pid_t fork_to_leave(void)
{
	pid_t child = km_fork();

	if (!child)
		work_leave();
	return child;
}

void measure_latencies(void)
{
	double took[ROUNDS / 2];
	char name[80];

	work_end = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		for (int own = 0; own < 2; own++) {
			for (int j = 0; j < ROUNDS / 2; j++)
				took[j] = wait_for_end(&waits[i],
						       own ? fork_to_leave() :
							     work_clone());
			snprintf(name, sizeof(name),
				 "latency: _exit() with %s mm to reader, %s",
				 own ? "its own" : "a shared", waits[i].name);
			report(name, quartile(took, ROUNDS / 2));
		}
	}
}
