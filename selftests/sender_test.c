// SPDX-License-Identifier: GPL-2.0-only
/* The sender of a fatal signal is named only if no other can be meant. */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

/* A process of two threads that block SIGUSR1 until one of them is let go. */
struct victim {
	pid_t pid;
	pid_t tid[2];
	int gate[2][2];
};

static void set_mask(int how)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	check(!pthread_sigmask(how, &mask, NULL), "sigmask");
}

static struct victim *shared;

static void *wait_to_die(void *arg)
{
	const int nr = (intptr_t)arg;

	__atomic_store_n(&shared->tid[nr], gettid(), __ATOMIC_RELEASE);
	km_gate_wait(shared->gate[nr]);
	set_mask(SIG_UNBLOCK);
	pause();
	return NULL;
}

FIXTURE(victim)
{
	struct victim *victim;
	int fd;
};

FIXTURE_SETUP(victim)
{
	pthread_t thread;
	pid_t child;

	shared = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	self->victim = shared;
	for (int i = 0; i < 2; i++)
		km_gate(shared->gate[i]);
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0,
	       KM_LIFE | KMONITOR_PROCESS_ABORT, 1);
	child = km_fork();
	if (!child) {
		set_mask(SIG_BLOCK);
		check(!pthread_create(&thread, NULL, wait_to_die, (void *)1),
		      "no thread");
		wait_to_die(NULL);
	}
	shared->pid = child;
	for (int i = 0; i < 2; i++) {
		while (!__atomic_load_n(&shared->tid[i], __ATOMIC_ACQUIRE))
			sched_yield();
	}
}

FIXTURE_TEARDOWN(victim)
{
	close(self->fd);
	munmap(self->victim, KM_PAGE);
}

/* Another process that sends the signal to one of the threads. */
static pid_t send_from_child(const struct victim *victim, int nr)
{
	pid_t child = km_fork();

	if (!child) {
		must(syscall(SYS_tgkill, victim->pid, victim->tid[nr],
			     SIGUSR1));
		_exit(0);
	}
	km_join(child);
	return child;
}

/* Lets a thread take its signal, and gives the record of what it did. */
static struct kmonitor_event let_die(int fd, const struct victim *victim,
				     int nr)
{
	const struct kmonitor_event *abort;
	struct km_log log = {};

	km_gate_open((int *)victim->gate[nr]);
	check(WTERMSIG(km_join(victim->pid)) == SIGUSR1, "the victim's status");
	km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, victim->pid);
	abort = km_find(&log, KMONITOR_PROCESS_ABORT, victim->pid);
	check(abort, "no PROCESS_ABORT");
	return *abort;
}

TEST_F(victim, the_only_sender_is_named)
{
	pid_t sender = send_from_child(self->victim, 0);
	struct kmonitor_event abort = let_die(self->fd, self->victim, 0);

	EXPECT_EQ(SIGUSR1, abort.abort.signo);
	EXPECT_EQ(sender, abort.abort.sender_pid);
	EXPECT_EQ(0, abort.abort.flags & KMONITOR_ABORT_SENDER_UNKNOWN);
}

TEST_F(victim, of_two_senders_to_two_threads_none_is_named)
{
	struct kmonitor_event abort;

	send_from_child(self->victim, 0);
	send_from_child(self->victim, 1);
	abort = let_die(self->fd, self->victim, 0);
	EXPECT_EQ(SIGUSR1, abort.abort.signo);
	EXPECT_EQ(0, abort.abort.sender_pid);
	EXPECT_EQ(KMONITOR_ABORT_SENDER_UNKNOWN,
		  abort.abort.flags & KMONITOR_ABORT_SENDER_UNKNOWN);
}

TEST_F(victim, a_third_sender_is_not_named_either)
{
	struct kmonitor_event abort;

	for (int i = 0; i < 3; i++)
		send_from_child(self->victim, i % 2);
	abort = let_die(self->fd, self->victim, 1);
	EXPECT_EQ(0, abort.abort.sender_pid);
	EXPECT_EQ(KMONITOR_ABORT_SENDER_UNKNOWN,
		  abort.abort.flags & KMONITOR_ABORT_SENDER_UNKNOWN);
}

TEST_HARNESS_MAIN
