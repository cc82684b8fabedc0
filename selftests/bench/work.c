// SPDX-License-Identifier: GPL-2.0-only
/* The work that is measured, and the processes that do it. */

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../common.h"
#include "work.h"

#define THREAD_FLAGS                                                        \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

struct order {
	enum work work;
	int times;
};

static volatile uint64_t nowhere;
volatile uint64_t *work_end = &nowhere;

static char stack[8192] __attribute__((aligned(16)));

/* Ends the task without touching what it shares with its creator. */
void work_leave(void)
{
	*work_end = now();
	asm volatile("syscall" : : "a"(SYS_exit), "D"(0) : "rcx", "r11");
}

static int leave(void *arg)
{
	work_leave();
	return !!arg;
}

static int run_again(void *arg)
{
	char *const argv[] = { "end", NULL };

	execve("/proc/self/exe", argv, argv + 1);
	return !arg;
}

/* A child that ends at once.  It shares the mm, whose end would cost most. */
pid_t work_clone(void)
{
	return must(
		clone(leave, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
}

static struct round do_thread(void)
{
	static volatile pid_t tid;
	uint64_t start, created;
	pid_t seen;

	tid = -1;
	start = now();
	must(clone(leave, stack + sizeof(stack), THREAD_FLAGS, NULL, &tid, NULL,
		   &tid));
	created = now();
	while ((seen = tid))
		syscall(SYS_futex, &tid, FUTEX_WAIT, seen, NULL, NULL, 0);
	return (struct round){ created - start, now() - created };
}

static struct round do_process(bool exec)
{
	uint64_t start = now(), created;
	pid_t child;

	if (exec)
		child = must(clone(run_again, stack + sizeof(stack),
				   CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
	else
		child = work_clone();
	created = now();
	must(waitpid(child, NULL, 0));
	return (struct round){ created - start, now() - created };
}

static void serve(const struct worker *worker)
{
	struct order order;

	/* An exit looks at the others of its group. */
	setpgid(0, 0);
	/* An exec is to be the same each time. */
	personality(ADDR_NO_RANDOMIZE);
	for (;;) {
		struct round sum = { 0, 0 };

		must(read(worker->ask[0], &order, sizeof(order)));
		while (order.times--) {
			const struct round one =
				order.work == WORK_THREAD ?
					do_thread() :
					do_process(order.work == WORK_EXEC);

			sum.create += one.create;
			sum.rest += one.rest;
		}
		must(write(worker->done[1], &sum, sizeof(sum)));
	}
}

struct worker worker_start(void)
{
	struct worker worker;

	km_gate(worker.ask);
	km_gate(worker.done);
	worker.pid = km_fork();
	if (!worker.pid)
		serve(&worker);
	return worker;
}

/* The sum of @times rounds. */
struct round worker_do(struct worker *worker, enum work work, int times)
{
	const struct order order = { work, times };
	struct round sum;

	must(write(worker->ask[1], &order, sizeof(order)));
	must(read(worker->done[0], &sum, sizeof(sum)));
	return sum;
}

void worker_end(struct worker *worker)
{
	kill(worker->pid, SIGKILL);
	km_join(worker->pid);
	for (int i = 0; i < 2; i++) {
		close(worker->ask[i]);
		close(worker->done[i]);
	}
}
