// SPDX-License-Identifier: GPL-2.0-only
/* WORKER: the threads that the kernel makes for io_uring. */

#include "kselftest_harness.h"

#include <linux/io_uring.h>
#include <string.h>
#include <sys/syscall.h>

#include "common.h"

TEST(a_worker_of_io_uring_is_a_thread_with_the_flag)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL };
	const struct kmonitor_event *birth, *end;
	struct km_log log = {};
	int fd = km_open(0);
	int ring;

	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KM_LIFE | KMONITOR_THREAD_ABORT,
	       1);
	ring = must(syscall(SYS_io_uring_setup, 4, &params));
	km_drain(fd, &log);
	ASSERT_EQ(1, log.nr);
	close(ring);
	km_read_until(fd, &log, KMONITOR_THREAD_EXIT, 0);
	birth = &log.event[0];
	end = km_find(&log, KMONITOR_THREAD_EXIT, 0);
	EXPECT_EQ(KMONITOR_THREAD_CREATE, birth->type);
	EXPECT_EQ(KMONITOR_EVENT_WORKER, birth->flags);
	EXPECT_EQ(getpid(), birth->pid);
	EXPECT_EQ(getpid(), birth->fork.tgid);
	EXPECT_EQ(birth->fork.pid, end->pid);
	EXPECT_EQ(KMONITOR_EVENT_WORKER, end->flags);
	EXPECT_EQ(0, strncmp("iou-sqp", end->comm, 7));
	/* It ended because it was no longer needed. */
	EXPECT_EQ(0, km_count(&log, KMONITOR_THREAD_ABORT, 0));
	close(fd);
}

TEST_HARNESS_MAIN
