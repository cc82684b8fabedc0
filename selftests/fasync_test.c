// SPDX-License-Identifier: GPL-2.0-only
/* Notification by a signal: O_ASYNC, F_SETOWN, F_SETSIG. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	sigset_t set;
};

static void ask_for_signal(int fd, int signo)
{
	must(fcntl(fd, F_SETOWN, getpid()));
	must(fcntl(fd, F_SETSIG, signo));
	must(fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC));
}

/* The forks of this process, announced by a real-time signal. */
FIXTURE_SETUP(monitor)
{
	sigemptyset(&self->set);
	sigaddset(&self->set, SIGRTMIN + 1);
	sigaddset(&self->set, SIGIO);
	sigprocmask(SIG_BLOCK, &self->set, NULL);
	self->fd = km_open(64);
	km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	ask_for_signal(self->fd, SIGRTMIN + 1);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

/* The next signal, 0 for none. */
static int next_signal(const sigset_t *set, siginfo_t *info, int timeout_s)
{
	struct timespec timeout = { .tv_sec = timeout_s };
	int signo;

	memset(info, 0, sizeof(*info));
	do {
		signo = sigtimedwait(set, info, &timeout);
	} while (signo < 0 && errno == EINTR);
	return signo < 0 ? 0 : signo;
}

TEST_F(monitor, a_real_time_signal_names_the_descriptor)
{
	siginfo_t info;

	EXPECT_EQ(0, next_signal(&self->set, &info, 0));
	km_fork_and_join(0);
	ASSERT_EQ(SIGRTMIN + 1, next_signal(&self->set, &info, 60));
	EXPECT_EQ(self->fd, info.si_fd);
	EXPECT_EQ(POLL_IN, info.si_code);
	EXPECT_EQ(POLLIN | POLLRDNORM, info.si_band);
}

TEST_F(monitor, each_refill_is_reported_once)
{
	struct kmonitor_event event[4];
	siginfo_t info;

	for (int i = 0; i < 3; i++) {
		km_fork_and_join(0);
		km_fork_and_join(0);
		EXPECT_EQ(SIGRTMIN + 1, next_signal(&self->set, &info, 60));
		EXPECT_EQ(0, next_signal(&self->set, &info, 0));
		ASSERT_EQ(2, km_read(self->fd, event, 4));
	}
}

TEST_F(monitor, sigio_is_the_default)
{
	siginfo_t info;

	must(fcntl(self->fd, F_SETSIG, 0));
	km_fork_and_join(0);
	EXPECT_EQ(SIGIO, next_signal(&self->set, &info, 60));
}

TEST_F(monitor, no_signal_without_the_flag_or_the_descriptor)
{
	siginfo_t info;

	must(fcntl(self->fd, F_SETFL, O_NONBLOCK));
	km_fork_and_join(0);
	EXPECT_EQ(0, next_signal(&self->set, &info, 0));
	ask_for_signal(self->fd, SIGRTMIN + 1);
	close(self->fd);
	km_fork_and_join(0);
	EXPECT_EQ(0, next_signal(&self->set, &info, 0));
	self->fd = -1;
}

TEST_F(monitor, an_owner_in_its_own_end_gets_in_nobodys_way)
{
	struct kmonitor_event event[8];
	pid_t child = km_fork();

	if (!child) {
		int fd = km_open(64);

		km_add(fd, KMONITOR_TARGET_PROCESS, 0, KM_LIFE, 1);
		km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, KM_LIFE, 2);
		ask_for_signal(fd, SIGRTMIN + 1);
		ask_for_signal(self->fd, SIGRTMIN + 1);
		_exit(3);
	}
	EXPECT_EQ(3, WEXITSTATUS(km_join(child)));
	/* The fork, the end of the thread, the end of the process. */
	EXPECT_EQ(3, km_read(self->fd, event, 8));
}

TEST_F(monitor, the_delay_tells_by_a_signal_too)
{
	struct kmonitor_attr attr = {
		.ring_records = 64,
		.wakeup_records = 32,
		.wakeup_delay_us = 300000,
	};
	int fd = km_init(&attr, sizeof(attr), 0);
	struct kmonitor_event event;
	siginfo_t info;

	ASSERT_LE(0, fd);
	close(self->fd);
	self->fd = fd;
	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	ask_for_signal(fd, SIGRTMIN + 1);
	km_fork_and_join(0);
	ASSERT_EQ(SIGRTMIN + 1, next_signal(&self->set, &info, 60));
	EXPECT_EQ(fd, info.si_fd);
	ASSERT_EQ(1, km_read(fd, &event, 1));
	EXPECT_LE(event.time_ns + 300000000, km_boottime_ns());
}

TEST_HARNESS_MAIN
