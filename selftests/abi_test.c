// SPDX-License-Identifier: GPL-2.0-only
/* The layout of every structure and number, and the calls that use them. */

#include "kselftest_harness.h"

#include <string.h>
#include <sys/wait.h>

#include "common.h"

#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)
#define AT(type, field, offset, size)                                       \
	_Static_assert(offsetof(struct type, field) == (offset) &&          \
			       sizeof(((struct type *)0)->field) == (size), \
		       #type "." #field)
#define NUMBER(name, value) _Static_assert(name == (value), #name)

SIZE(kmonitor_attr, 32);
AT(kmonitor_attr, ring_records, 0, 4);
AT(kmonitor_attr, wakeup_records, 4, 4);
AT(kmonitor_attr, wakeup_delay_us, 8, 4);
AT(kmonitor_attr, report, 12, 4);
AT(kmonitor_attr, reserved, 16, 16);

SIZE(kmonitor_filter, 48);
AT(kmonitor_filter, target, 0, 4);
AT(kmonitor_filter, flags, 4, 4);
AT(kmonitor_filter, id, 8, 8);
AT(kmonitor_filter, events, 16, 4);
AT(kmonitor_filter, reserved, 20, 4);
AT(kmonitor_filter, cookie, 24, 8);
AT(kmonitor_filter, handle, 32, 8);
AT(kmonitor_filter, reserved2, 40, 8);

SIZE(kmonitor_event, 128);
AT(kmonitor_event, seq, 0, 8);
AT(kmonitor_event, time_ns, 8, 8);
AT(kmonitor_event, cookie, 16, 8);
AT(kmonitor_event, type, 24, 4);
AT(kmonitor_event, flags, 28, 2);
AT(kmonitor_event, cpu, 30, 2);
AT(kmonitor_event, pid, 32, 4);
AT(kmonitor_event, tgid, 36, 4);
AT(kmonitor_event, ppid, 40, 4);
AT(kmonitor_event, uid, 44, 4);
AT(kmonitor_event, start_ns, 48, 8);
AT(kmonitor_event, cgroup_id, 56, 8);
AT(kmonitor_event, comm, 64, 16);
AT(kmonitor_event, fork.pid, 80, 4);
AT(kmonitor_event, fork.tgid, 84, 4);
AT(kmonitor_event, fork.start_ns, 88, 8);
AT(kmonitor_event, fork.clone_flags, 96, 8);
AT(kmonitor_event, fork.cgroup_id, 104, 8);
AT(kmonitor_event, fork.ppid, 112, 4);
AT(kmonitor_event, fork.reserved, 116, 4);
AT(kmonitor_event, fork.pidfd_ino, 120, 8);
AT(kmonitor_event, exec.old_pid, 80, 4);
AT(kmonitor_event, exec.flags, 84, 4);
AT(kmonitor_event, exec.dev_major, 88, 4);
AT(kmonitor_event, exec.dev_minor, 92, 4);
AT(kmonitor_event, exec.ino, 96, 8);
AT(kmonitor_event, exec.nr_args, 104, 4);
AT(kmonitor_event, exec.reserved, 108, 4);
AT(kmonitor_event, exec.mnt_id, 112, 8);
AT(kmonitor_event, exec.pidfd_ino, 120, 8);
AT(kmonitor_event, exec_failed.error, 80, 4);
AT(kmonitor_event, exec_failed.reserved, 84, 4);
AT(kmonitor_event, exec_failed.dev_major, 88, 4);
AT(kmonitor_event, exec_failed.dev_minor, 92, 4);
AT(kmonitor_event, exec_failed.ino, 96, 8);
AT(kmonitor_event, exec_failed.reserved2, 104, 24);
AT(kmonitor_event, exit.status, 80, 4);
AT(kmonitor_event, exit.flags, 84, 4);
AT(kmonitor_event, exit.utime_ns, 88, 8);
AT(kmonitor_event, exit.stime_ns, 96, 8);
AT(kmonitor_event, exit.maxrss_kib, 104, 8);
AT(kmonitor_event, exit.min_flt, 112, 8);
AT(kmonitor_event, exit.maj_flt, 120, 8);
AT(kmonitor_event, abort.signo, 80, 4);
AT(kmonitor_event, abort.code, 84, 4);
AT(kmonitor_event, abort.sender_pid, 88, 4);
AT(kmonitor_event, abort.sender_uid, 92, 4);
AT(kmonitor_event, abort.sender_start_ns, 96, 8);
AT(kmonitor_event, abort.flags, 104, 4);
AT(kmonitor_event, abort.reserved, 108, 4);
AT(kmonitor_event, abort.reserved2, 112, 16);
AT(kmonitor_event, cred.old_uid, 80, 12);
AT(kmonitor_event, cred.old_gid, 92, 12);
AT(kmonitor_event, cred.new_uid, 104, 12);
AT(kmonitor_event, cred.new_gid, 116, 12);
AT(kmonitor_event, comm_change.old_comm, 80, 16);
AT(kmonitor_event, comm_change.reserved, 96, 32);
AT(kmonitor_event, session.sid, 80, 4);
AT(kmonitor_event, session.pgid, 84, 4);
AT(kmonitor_event, session.reserved, 88, 40);
AT(kmonitor_event, ptrace.peer_pid, 80, 4);
AT(kmonitor_event, ptrace.peer_tgid, 84, 4);
AT(kmonitor_event, ptrace.peer_start_ns, 88, 8);
AT(kmonitor_event, ptrace.op, 96, 4);
AT(kmonitor_event, ptrace.reserved, 100, 4);
AT(kmonitor_event, ptrace.reserved2, 104, 24);
AT(kmonitor_event, lost.count, 80, 8);
AT(kmonitor_event, lost.first_ns, 88, 8);
AT(kmonitor_event, lost.last_ns, 96, 8);
AT(kmonitor_event, lost.forks, 104, 8);
AT(kmonitor_event, lost.execs, 112, 8);
AT(kmonitor_event, lost.exits, 120, 8);
AT(kmonitor_event, empty.root_status, 80, 4);
AT(kmonitor_event, empty.flags, 84, 4);
AT(kmonitor_event, empty.members, 88, 4);
AT(kmonitor_event, empty.failed, 92, 4);
AT(kmonitor_event, empty.handle, 96, 8);
AT(kmonitor_event, empty.utime_ns, 104, 8);
AT(kmonitor_event, empty.stime_ns, 112, 8);
AT(kmonitor_event, empty.maxrss_kib, 120, 8);
AT(kmonitor_event, task.sid, 80, 4);
AT(kmonitor_event, task.pgid, 84, 4);
AT(kmonitor_event, task.nr_threads, 88, 4);
AT(kmonitor_event, task.dev_major, 92, 4);
AT(kmonitor_event, task.dev_minor, 96, 4);
AT(kmonitor_event, task.flags, 100, 4);
AT(kmonitor_event, task.ino, 104, 8);
AT(kmonitor_event, task.token, 112, 8);
AT(kmonitor_event, task.pidfd_ino, 120, 8);

SIZE(kmonitor_exec_args, 128);
AT(kmonitor_exec_args, seq, 0, 8);
AT(kmonitor_exec_args, time_ns, 8, 8);
AT(kmonitor_exec_args, cookie, 16, 8);
AT(kmonitor_exec_args, type, 24, 4);
AT(kmonitor_exec_args, flags, 28, 2);
AT(kmonitor_exec_args, cpu, 30, 2);
AT(kmonitor_exec_args, part, 32, 2);
AT(kmonitor_exec_args, nr_parts, 34, 2);
AT(kmonitor_exec_args, len, 36, 2);
AT(kmonitor_exec_args, reserved, 38, 2);
AT(kmonitor_exec_args, data, 40, 88);

SIZE(kmonitor_snapshot, 24);
AT(kmonitor_snapshot, handle, 0, 8);
AT(kmonitor_snapshot, token, 8, 8);
AT(kmonitor_snapshot, reserved, 16, 8);

SIZE(kmonitor_kill, 24);
AT(kmonitor_kill, handle, 0, 8);
AT(kmonitor_kill, signo, 8, 4);
AT(kmonitor_kill, reserved, 12, 4);
AT(kmonitor_kill, signalled, 16, 4);
AT(kmonitor_kill, refused, 20, 4);

SIZE(kmonitor_get_pidfd, 16);
AT(kmonitor_get_pidfd, tgid, 0, 4);
AT(kmonitor_get_pidfd, flags, 4, 4);
AT(kmonitor_get_pidfd, start_ns, 8, 8);

SIZE(kmonitor_info, 72);
AT(kmonitor_info, events, 0, 4);
AT(kmonitor_info, stream_events, 4, 4);
AT(kmonitor_info, targets, 8, 4);
AT(kmonitor_info, filter_flags, 12, 4);
AT(kmonitor_info, init_flags, 16, 4);
AT(kmonitor_info, report, 20, 4);
AT(kmonitor_info, features, 24, 4);
AT(kmonitor_info, ioctls, 28, 4);
AT(kmonitor_info, record_size, 32, 4);
AT(kmonitor_info, ring_records, 36, 4);
AT(kmonitor_info, mmap_size, 40, 8);
AT(kmonitor_info, tail_offset, 48, 8);
AT(kmonitor_info, header_offset, 56, 8);
AT(kmonitor_info, records_offset, 64, 8);

SIZE(kmonitor_header, 128);
AT(kmonitor_header, size, 0, 4);
AT(kmonitor_header, record_size, 4, 4);
AT(kmonitor_header, ring_records, 8, 4);
AT(kmonitor_header, wakeup_records, 12, 4);
AT(kmonitor_header, waiting, 16, 4);
AT(kmonitor_header, reserved, 20, 44);
AT(kmonitor_header, state, 64, 8);
AT(kmonitor_header, reserved2, 72, 56);
NUMBER(KMONITOR_STATE_LOSS_SHIFT, 32);

SIZE(kmonitor_stats, 48);
AT(kmonitor_stats, matched, 0, 8);
AT(kmonitor_stats, recorded, 8, 8);
AT(kmonitor_stats, lost, 16, 8);
AT(kmonitor_stats, pending, 24, 8);
AT(kmonitor_stats, depth, 32, 4);
AT(kmonitor_stats, peak, 36, 4);
AT(kmonitor_stats, filters, 40, 4);
AT(kmonitor_stats, reserved, 44, 4);

SIZE(kmonitor_new, 16);
AT(kmonitor_new, attr, 0, 8);
AT(kmonitor_new, size, 8, 4);
AT(kmonitor_new, flags, 12, 4);

NUMBER(KMONITOR_IOC_FILTER_ADD, 0xc030de01U);
NUMBER(KMONITOR_IOC_FILTER_DEL, 0x4030de02U);
NUMBER(KMONITOR_IOC_FILTER_CLEAR, 0x0000de03U);
NUMBER(KMONITOR_IOC_SNAPSHOT, 0x4018de04U);
NUMBER(KMONITOR_IOC_KILL, 0xc018de05U);
NUMBER(KMONITOR_IOC_GET_PIDFD, 0x4010de06U);
NUMBER(KMONITOR_IOC_INFO, 0x8048de07U);
NUMBER(KMONITOR_IOC_STATS, 0x8030de08U);
NUMBER(KMONITOR_IOC_NEW, 0x4010de09U);

NUMBER(KMONITOR_CLOEXEC, 1U);
NUMBER(KMONITOR_NONBLOCK, 2U);
NUMBER(KMONITOR_TARGET_THREAD, 0);
NUMBER(KMONITOR_TARGET_PROCESS, 1);
NUMBER(KMONITOR_TARGET_TREE, 2);
NUMBER(KMONITOR_TARGET_CGROUP, 3);
NUMBER(KMONITOR_TARGET_UID, 4);
NUMBER(KMONITOR_TARGET_ALL, 5);
NUMBER(KMONITOR_THREAD_CREATE, 0x01U);
NUMBER(KMONITOR_THREAD_ABORT, 0x02U);
NUMBER(KMONITOR_THREAD_EXIT, 0x04U);
NUMBER(KMONITOR_PROCESS_FORK, 0x08U);
NUMBER(KMONITOR_PROCESS_ABORT, 0x10U);
NUMBER(KMONITOR_PROCESS_EXEC, 0x20U);
NUMBER(KMONITOR_PROCESS_EXIT, 0x40U);

FIXTURE(monitor)
{
	int fd;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_init(NULL, 0, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

TEST_F(monitor, info_reports_what_this_kernel_does)
{
	struct kmonitor_info info;

	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_INFO, &info));
	EXPECT_EQ(KM_LIFE, info.events & KM_LIFE);
	EXPECT_EQ(KMONITOR_LOST | KMONITOR_EMPTY,
		  info.stream_events & (KMONITOR_LOST | KMONITOR_EMPTY));
	EXPECT_EQ(0x27, info.targets & 0x27);
	EXPECT_EQ(KMONITOR_CLOEXEC | KMONITOR_NONBLOCK, info.init_flags);
	EXPECT_EQ(0x18e, info.ioctls & 0x18e);
	EXPECT_EQ(0, info.features & KMONITOR_FEATURE_EXIT_EARLY);
	EXPECT_EQ(128, info.record_size);
	EXPECT_EQ(4096, info.ring_records);
}

TEST_F(monitor, info_and_refusal_agree)
{
	struct kmonitor_filter filter = { .target = KMONITOR_TARGET_PROCESS };
	struct kmonitor_info info;
	int ret;

	ASSERT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_INFO, &info));
	for (int bit = 0; bit <= 12; bit++) {
		filter.events = 1U << bit;
		filter.handle = 0;
		ret = km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, &filter);
		EXPECT_EQ(info.events & filter.events ? 0 : -EOPNOTSUPP, ret)
		{
			TH_LOG("event 0x%x", filter.events);
		}
	}
}

TEST_F(monitor, records_have_the_promised_layout)
{
	struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_PROCESS,
		.events = KM_LIFE,
		.cookie = 0x0123456789abcdefULL,
	};
	unsigned char record[129];
	uint64_t seq, cookie;
	uint32_t type;
	int32_t pid, child;
	pid_t forked;

	ASSERT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, &filter));
	ASSERT_NE(0, filter.handle);
	forked = fork();
	if (!forked)
		_exit(0);
	ASSERT_EQ(forked, waitpid(forked, NULL, 0));

	ASSERT_EQ(128, read(self->fd, record, sizeof(record)));
	memcpy(&seq, record, 8);
	memcpy(&cookie, record + 16, 8);
	memcpy(&type, record + 24, 4);
	memcpy(&pid, record + 32, 4);
	memcpy(&child, record + 80, 4);
	EXPECT_EQ(1, seq);
	EXPECT_EQ(0x0123456789abcdefULL, cookie);
	EXPECT_EQ(8, type);
	EXPECT_EQ(getpid(), pid);
	EXPECT_EQ(forked, child);
}

TEST_F(monitor, stats_count_what_was_recorded)
{
	struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_PROCESS,
		.events = KMONITOR_PROCESS_FORK,
	};
	struct kmonitor_stats stats;
	pid_t forked;

	ASSERT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, &filter));
	forked = fork();
	if (!forked)
		_exit(0);
	ASSERT_EQ(forked, waitpid(forked, NULL, 0));

	memset(&stats, 0xff, sizeof(stats));
	ASSERT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_STATS, &stats));
	EXPECT_EQ(1, stats.matched);
	EXPECT_EQ(1, stats.recorded);
	EXPECT_EQ(0, stats.lost);
	EXPECT_EQ(0, stats.pending);
	EXPECT_EQ(1, stats.depth);
	EXPECT_EQ(1, stats.peak);
	EXPECT_EQ(1, stats.filters);
	EXPECT_EQ(0, stats.reserved);
}

TEST_HARNESS_MAIN
