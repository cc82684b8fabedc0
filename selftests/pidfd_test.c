// SPDX-License-Identifier: GPL-2.0-only
/* GET_PIDFD: the process that a record named, and no other. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

static int get(int fd, int32_t tgid, uint64_t start_ns)
{
	struct kmonitor_get_pidfd arg = { .tgid = tgid, .start_ns = start_ns };

	return km_ioctl(fd, KMONITOR_IOC_GET_PIDFD, &arg);
}

FIXTURE(monitor)
{
	int fd;
	int gate[2];
	pid_t child;
	struct km_log log;
	struct kmonitor_fork fork;
};

/* The child ends with status 5 when the gate opens. */
FIXTURE_SETUP(monitor)
{
	const struct kmonitor_event *event;

	self->fd = km_open(0);
	km_gate(self->gate);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KMONITOR_PROCESS_FORK, 1);
	self->child = km_fork();
	if (!self->child) {
		km_gate_wait(self->gate);
		_exit(5);
	}
	km_drain(self->fd, &self->log);
	event = km_find_fork(&self->log, self->child);
	ASSERT_NE(NULL, event);
	self->fork = event->fork;
}

FIXTURE_TEARDOWN(monitor)
{
	kill(self->child, SIGKILL);
	waitpid(self->child, NULL, 0);
	close(self->fd);
}

TEST_F(monitor, a_record_names_the_process_of_the_pidfd)
{
	struct stat info;
	int pidfd = get(self->fd, self->fork.tgid, self->fork.start_ns);

	ASSERT_LE(0, pidfd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(pidfd, F_GETFD));
	must(fstat(pidfd, &info));
	EXPECT_EQ(self->fork.pidfd_ino, info.st_ino);
	EXPECT_FALSE(km_readable(pidfd, 0));
	must(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0));
	EXPECT_TRUE(km_readable(pidfd, KM_TIMEOUT_MS));
	EXPECT_EQ(SIGTERM, km_join(self->child));
}

TEST_F(monitor, a_zombie_answers_until_it_is_reaped)
{
	siginfo_t info;
	int pidfd;

	km_gate_open(self->gate);
	must(waitid(P_PID, self->child, &info, WEXITED | WNOWAIT));
	pidfd = get(self->fd, self->fork.tgid, self->fork.start_ns);
	ASSERT_LE(0, pidfd);
	EXPECT_TRUE(km_readable(pidfd, 0));
	must(waitid(P_PIDFD, pidfd, &info, WEXITED));
	EXPECT_EQ(5, info.si_status);
	EXPECT_EQ(-ESRCH, get(self->fd, self->fork.tgid, self->fork.start_ns));
}

TEST_F(monitor, another_start_is_another_process)
{
	const uint64_t start_ns = self->fork.start_ns;

	EXPECT_EQ(-ESRCH, get(self->fd, self->fork.tgid, start_ns + 1));
	EXPECT_EQ(-ESRCH, get(self->fd, self->fork.tgid, start_ns - 1));
	EXPECT_EQ(-ESRCH, get(self->fd, self->fork.tgid, 0));
	EXPECT_EQ(-ESRCH, get(self->fd, getpid(), start_ns));
	EXPECT_EQ(-ESRCH, get(self->fd, INT_MAX, start_ns));
	EXPECT_EQ(-EINVAL, get(self->fd, 0, start_ns));
	EXPECT_EQ(-EINVAL, get(self->fd, -1, start_ns));
	EXPECT_EQ(-EINVAL, get(self->fd, INT_MIN, start_ns));
}

static void *end_of_thread(void *gate)
{
	km_gate_wait(gate);
	return NULL;
}

TEST_F(monitor, a_thread_id_is_no_process)
{
	const struct kmonitor_event *event;
	pthread_t thread;

	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KMONITOR_THREAD_CREATE, 1);
	ASSERT_EQ(0, pthread_create(&thread, NULL, end_of_thread, self->gate));
	km_drain(self->fd, &self->log);
	event = km_find(&self->log, KMONITOR_THREAD_CREATE, 0);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(-ESRCH, get(self->fd, event->fork.pid, event->fork.start_ns));
	EXPECT_LE(0, get(self->fd, getpid(), event->fork.start_ns));
	km_gate_open(self->gate);
	km_gate_open(self->gate);
	pthread_join(thread, NULL);
}

TEST_F(monitor, each_argument_is_answered_as_documented)
{
	struct kmonitor_get_pidfd arg = { .tgid = self->fork.tgid,
					  .start_ns = self->fork.start_ns };
	static char big[KM_PAGE];

	for (int bit = 0; bit < 32; bit++) {
		arg.flags = 1U << bit;
		EXPECT_EQ(-EINVAL,
			  km_ioctl(self->fd, KMONITOR_IOC_GET_PIDFD, &arg));
	}
	arg.flags = 0;
	memcpy(big, &arg, sizeof(arg));
	EXPECT_EQ(-EFAULT, km_ioctl(self->fd, KMONITOR_IOC_GET_PIDFD, NULL));
	EXPECT_EQ(-EINVAL, km_ioctl(self->fd, _IOC(1, 0xDE, 6, 15), big));
	EXPECT_EQ(-E2BIG, km_ioctl(self->fd, _IOC(1, 0xDE, 6, 8192), big));
	EXPECT_LE(0, km_ioctl(self->fd, _IOC(1, 0xDE, 6, KM_PAGE), big));
	big[16] = 1;
	EXPECT_EQ(-E2BIG, km_ioctl(self->fd, _IOC(1, 0xDE, 6, KM_PAGE), big));
}

/* Ids are those of the creator: what is not visible there is not found. */
TEST_F(monitor, ids_are_of_the_creators_pid_namespace)
{
	struct kmonitor_event event;
	int fd, ready[2], gate[2];
	struct stat info;
	pid_t init;

	km_gate(ready);
	km_gate(gate);
	init = km_raw_clone(CLONE_NEWPID | CLONE_FILES | SIGCHLD);
	if (!init) {
		fd = km_open(64);
		must(write(ready[1], &fd, sizeof(fd)));
		km_gate_wait(gate);
		_exit(0);
	}
	must(read(ready[0], &fd, sizeof(fd)));
	km_next(self->fd, &event);
	ASSERT_EQ(init, event.fork.pid);
	EXPECT_EQ(-ESRCH, get(fd, init, event.fork.start_ns));
	EXPECT_EQ(-ESRCH, get(fd, self->fork.tgid, self->fork.start_ns));
	must(fstat(must(get(fd, 1, event.fork.start_ns)), &info));
	EXPECT_EQ(event.fork.pidfd_ino, info.st_ino);
	km_gate_open(gate);
	km_join(init);
}

TEST_HARNESS_MAIN
