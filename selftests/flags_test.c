// SPDX-License-Identifier: GPL-2.0-only
/* The flags of a filter entry: IGNORE, FAILED_ONLY, PIDFD. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"
#include "monitor_fixture.h"

#define THREAD_TARGET KMONITOR_TARGET_THREAD
#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE
#define CGROUP KMONITOR_TARGET_CGROUP
#define UID KMONITOR_TARGET_UID
#define ALL KMONITOR_TARGET_ALL

#define IGNORE KMONITOR_FILTER_IGNORE
#define FAILED_ONLY KMONITOR_FILTER_FAILED_ONLY
#define PIDFD KMONITOR_FILTER_PIDFD

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

/* Every target there is. */
static const uint32_t all_targets[] = { THREAD_TARGET, PROCESS, TREE,
					CGROUP,	       UID,	ALL };

enum { NR_TARGETS = sizeof(all_targets) / sizeof(*all_targets) };

#define EXITS (KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_EXIT)

static int edit(int fd, unsigned int cmd, uint32_t target, uint64_t id,
		uint32_t events, uint32_t flags)
{
	struct kmonitor_filter filter = {
		.target = target,
		.id = id,
		.events = events,
		.flags = flags,
		.cookie = flags,
	};

	return km_ioctl(fd, cmd, &filter);
}

static int add(int fd, uint32_t target, uint64_t id, uint32_t events,
	       uint32_t flags)
{
	return edit(fd, KMONITOR_IOC_FILTER_ADD, target, id, events, flags);
}

static int del(int fd, uint32_t target, uint64_t id, uint32_t events,
	       uint32_t flags)
{
	return edit(fd, KMONITOR_IOC_FILTER_DEL, target, id, events, flags);
}

/* The process, or what is true of all: the root cgroup, root as user. */
static uint64_t id_for(uint32_t target, pid_t pid)
{
	struct stat info;

	if (target < CGROUP)
		return pid;
	if (target != CGROUP)
		return 0;
	must(stat("/sys/fs/cgroup", &info));
	return info.st_ino;
}

/* A process that waits, forks a child with this status, and ends with it. */
static pid_t fork_pair_at_gate(int gate[2], int status)
{
	pid_t child = km_fork();

	if (child)
		return child;
	km_gate_wait(gate);
	child = km_fork();
	if (!child)
		_exit(status);
	km_join(child);
	_exit(status);
}

static void let_live(int gate[2], pid_t pid)
{
	km_gate_open(gate);
	km_join(pid);
}

/* Every target can ignore what any other wants. */
TEST_F(monitor, ignore_wins_over_any_target)
{
	for (int wanting = 0; wanting < NR_TARGETS; wanting++) {
		for (int ignoring = 0; ignoring < NR_TARGETS; ignoring++) {
			struct km_log log = {};
			int fd = km_open(0);
			pid_t pid = fork_pair_at_gate(self->gate, 0);

			ASSERT_EQ(0, add(fd, all_targets[wanting],
					 id_for(all_targets[wanting], pid),
					 KM_LIFE, 0));
			ASSERT_EQ(0, add(fd, all_targets[ignoring],
					 id_for(all_targets[ignoring], pid), 0,
					 IGNORE));
			let_live(self->gate, pid);
			km_drain(fd, &log);
			EXPECT_EQ(0, km_count(&log, KMONITOR_PROCESS_FORK, pid))
			{
				TH_LOG("target %u ignores %u",
				       all_targets[ignoring],
				       all_targets[wanting]);
			}
			EXPECT_EQ(0, km_count(&log, KMONITOR_THREAD_EXIT, pid));
			/* A filter of a thread reports only what the thread does. */
			EXPECT_EQ(all_targets[ignoring] == THREAD_TARGET &&
					  all_targets[wanting] != THREAD_TARGET,
				  km_count(&log, KMONITOR_PROCESS_EXIT, pid));
			close(fd);
		}
	}
}

TEST_F(monitor, ignore_is_of_its_descriptor_only)
{
	int other = km_open(0);
	pid_t pid = fork_pair_at_gate(self->gate, 0);

	ASSERT_EQ(0, add(self->fd, ALL, 0, KM_LIFE, 0));
	ASSERT_EQ(0, add(other, ALL, 0, 0, IGNORE));
	ASSERT_EQ(0, add(other, PROCESS, pid, 0, IGNORE));
	let_live(self->gate, pid);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_FORK, pid));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXIT, pid));
	EXPECT_EQ(0, km_stats(other).matched);
	close(other);
}

TEST_F(monitor, ignore_suppresses_the_types_it_names)
{
	pid_t pid = fork_pair_at_gate(self->gate, 0);

	ASSERT_EQ(0, add(self->fd, TREE, pid, KM_LIFE, 0));
	ASSERT_EQ(0, add(self->fd, TREE, pid, KMONITOR_THREAD_EXIT, IGNORE));
	ASSERT_EQ(0, add(self->fd, UID, 0, KMONITOR_PROCESS_FORK, IGNORE));
	let_live(self->gate, pid);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, pid);
	EXPECT_EQ(2, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_EQ(0, km_count(&self->log,
			      KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_FORK, 0));
}

/* Membership and EMPTY are as without it; so is the tree around it. */
TEST_F(monitor, an_ignored_process_stays_a_member)
{
	pid_t pid = fork_pair_at_gate(self->gate, 1);
	const struct kmonitor_event *empty;

	ASSERT_EQ(0, add(self->fd, TREE, pid, KM_LIFE, 0));
	ASSERT_EQ(0, add(self->fd, PROCESS, pid, 0, IGNORE));
	let_live(self->gate, pid);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, pid);
	empty = km_find(&self->log, KMONITOR_EMPTY, pid);
	EXPECT_EQ(2, empty->empty.members);
	EXPECT_EQ(2, empty->empty.failed);
	EXPECT_EQ(1 << 8, empty->empty.root_status);
	EXPECT_EQ(0, km_count(&self->log, ~KMONITOR_EMPTY, pid));
	/* The child of the ignored one is not ignored. */
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

TEST_F(monitor, an_ignored_tree_says_only_its_end)
{
	pid_t pid = fork_pair_at_gate(self->gate, 0);

	ASSERT_EQ(0, add(self->fd, ALL, 0, KM_LIFE, 0));
	ASSERT_EQ(0, add(self->fd, TREE, pid, 0, IGNORE));
	let_live(self->gate, pid);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, pid);
	EXPECT_EQ(2, km_find(&self->log, KMONITOR_EMPTY, pid)->empty.members);
	EXPECT_EQ(0, km_count(&self->log, ~KMONITOR_EMPTY, pid));
	EXPECT_EQ(1, km_stats(self->fd).filters);
}

/* One that wants and one that ignores the same are two entries. */
TEST_F(monitor, ignore_is_a_part_of_the_name)
{
	for (int i = 0; i < NR_TARGETS; i++) {
		uint64_t id = id_for(all_targets[i], getpid());
		int fd = km_open(0);

		EXPECT_EQ(0, add(fd, all_targets[i], id, EXITS, IGNORE));
		EXPECT_EQ(0, add(fd, all_targets[i], id, EXITS, 0));
		EXPECT_EQ(0, add(fd, all_targets[i], id, EXITS, IGNORE));
		EXPECT_EQ(2, km_stats(fd).filters);
		EXPECT_EQ(0, del(fd, all_targets[i], id, EXITS, 0));
		EXPECT_EQ(-ENOENT, del(fd, all_targets[i], id, EXITS, 0));
		EXPECT_EQ(1, km_stats(fd).filters);
		EXPECT_EQ(0, del(fd, all_targets[i], id, KMONITOR_THREAD_EXIT,
				 IGNORE));
		EXPECT_EQ(1, km_stats(fd).filters);
		EXPECT_EQ(0, del(fd, all_targets[i], id, KMONITOR_PROCESS_EXIT,
				 IGNORE));
		EXPECT_EQ(0, km_stats(fd).filters);
		close(fd);
	}
}

TEST_F(monitor, ignore_ends_with_its_entry)
{
	pid_t pid = fork_pair_at_gate(self->gate, 0);

	ASSERT_EQ(0, add(self->fd, PROCESS, pid, KM_LIFE, 0));
	ASSERT_EQ(0, add(self->fd, UID, 0, 0, IGNORE));
	ASSERT_EQ(0, add(self->fd, PROCESS, pid, 0, IGNORE));
	ASSERT_EQ(0, del(self->fd, UID, 0, KM_LIFE, IGNORE));
	ASSERT_EQ(0, del(self->fd, PROCESS, pid, KM_LIFE, IGNORE));
	let_live(self->gate, pid);
	EXPECT_EQ(3, km_stats(self->fd).matched);
}

/* FAILED_ONLY */

TEST_F(monitor, failed_only_lets_failures_and_other_events_pass)
{
	for (int status = 0; status < 2; status++) {
		for (int i = 0; i < NR_TARGETS; i++) {
			struct km_log log = {};
			int fd = km_open(0);
			pid_t pid = fork_pair_at_gate(self->gate, status);
			uint64_t id = id_for(all_targets[i], pid);

			ASSERT_EQ(0, add(fd, all_targets[i], id, KM_LIFE,
					 FAILED_ONLY));
			let_live(self->gate, pid);
			km_drain(fd, &log);
			EXPECT_EQ(1,
				  km_count(&log, KMONITOR_PROCESS_FORK, pid));
			EXPECT_EQ(status,
				  km_count(&log, KMONITOR_THREAD_EXIT, pid));
			EXPECT_EQ(all_targets[i] == THREAD_TARGET ? 0 : status,
				  km_count(&log, KMONITOR_PROCESS_EXIT, pid));
			close(fd);
		}
	}
}

TEST_F(monitor, failed_only_knows_death_by_a_signal)
{
	pid_t pid = fork_pair_at_gate(self->gate, 0);

	ASSERT_EQ(0, add(self->fd, PROCESS, pid, EXITS, FAILED_ONLY));
	must(kill(pid, SIGKILL));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, pid);
	km_join(pid);
	EXPECT_EQ(SIGKILL,
		  km_find(&self->log, KMONITOR_PROCESS_EXIT, pid)->exit.status);
}

/* An event that the more specific filter does not want, the next may. */
TEST_F(monitor, failed_only_yields_to_other_entries)
{
	pid_t pid = fork_pair_at_gate(self->gate, 0);

	ASSERT_EQ(0, add(self->fd, PROCESS, pid, KM_LIFE, FAILED_ONLY));
	ASSERT_EQ(0, add(self->fd, TREE, pid, KMONITOR_PROCESS_EXIT, 0));
	let_live(self->gate, pid);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, pid);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXIT, pid));
	EXPECT_EQ(0, km_find(&self->log, KMONITOR_PROCESS_EXIT, pid)->cookie);
	EXPECT_EQ(FAILED_ONLY,
		  km_find(&self->log, KMONITOR_PROCESS_FORK, pid)->cookie);
}

TEST_F(monitor, adding_again_replaces_failed_only)
{
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		pid[i] = fork_pair_at_gate(self->gate, 0);
		ASSERT_EQ(0, add(self->fd, PROCESS, pid[i], EXITS,
				 i ? FAILED_ONLY : 0));
		ASSERT_EQ(0, add(self->fd, PROCESS, pid[i], EXITS,
				 i ? 0 : FAILED_ONLY));
	}
	EXPECT_EQ(2, km_stats(self->fd).filters);
	for (int i = 0; i < 2; i++)
		km_gate_open(self->gate);
	for (int i = 0; i < 2; i++)
		km_join(pid[i]);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(0, km_count(&self->log, EXITS, pid[0]));
	EXPECT_EQ(2, km_count(&self->log, EXITS, pid[1]));
}

/* Promise 9: silence does not show whether a hidden process failed. */
TEST_F(monitor, failed_only_does_not_tell_on_hidden_processes)
{
	pid_t user = km_fork();

	if (!user) {
		struct km_log log = {};
		pid_t pid;
		int fd;

		must(setresgid(1234, 1234, 1234));
		must(setresuid(1234, 1234, 1234));
		must(prctl(PR_SET_DUMPABLE, 1));
		fd = km_open(0);
		pid = km_fork();
		if (!pid) {
			km_gate_wait(self->gate);
			must(prctl(PR_SET_DUMPABLE, 0));
			_exit(1);
		}
		check(!add(fd, TREE, pid, EXITS, FAILED_ONLY), "no entry");
		let_live(self->gate, pid);
		km_read_until(fd, &log, KMONITOR_EMPTY, pid);
		check(log.nr == 1, "expected EMPTY only");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(user));
}

/* PIDFD */

static int open_pidfd(pid_t pid, unsigned int flags)
{
	return must(syscall(SYS_pidfd_open, pid, flags));
}

TEST_F(monitor, a_pidfd_names_a_process)
{
	static const uint32_t targets[] = { THREAD_TARGET, PROCESS, TREE };

	for (int i = 0; i < 3; i++) {
		struct km_log log = {};
		int fd = km_open(0), pidfd;
		pid_t pid = fork_pair_at_gate(self->gate, 0);

		pidfd = open_pidfd(pid, 0);
		ASSERT_EQ(0, add(fd, targets[i], pidfd, KM_LIFE, PIDFD));
		/* By its pid it is the same entry. */
		ASSERT_EQ(0, add(fd, targets[i], pid, 0, 0));
		EXPECT_EQ(1, km_stats(fd).filters);
		let_live(self->gate, pid);
		km_drain(fd, &log);
		EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_FORK, pid));
		EXPECT_EQ(1, km_count(&log, KMONITOR_THREAD_EXIT, pid));
		EXPECT_EQ(targets[i] == TREE,
			  km_count(&log, KMONITOR_EMPTY, pid));
		/* It is dead. */
		EXPECT_EQ(-ESRCH, add(fd, targets[i], pidfd, KM_LIFE, PIDFD));
		EXPECT_EQ(-ENOENT, del(fd, targets[i], pidfd, KM_LIFE, PIDFD));
		close(pidfd);
		close(fd);
	}
}

TEST_F(monitor, del_takes_a_pidfd)
{
	int pidfd = open_pidfd(getpid(), 0);

	km_add(self->fd, PROCESS, 0, KM_LIFE, 0);
	EXPECT_EQ(0, del(self->fd, PROCESS, pidfd, KM_LIFE, PIDFD));
	EXPECT_EQ(-ENOENT, del(self->fd, PROCESS, pidfd, KM_LIFE, PIDFD));
	EXPECT_EQ(0, km_stats(self->fd).filters);
	close(pidfd);
}

static void *answer_and_stay(void *arg)
{
	pid_t tid = gettid();

	must(write(*(int *)arg, &tid, sizeof(tid)));
	pause();
	return NULL;
}

TEST_F(monitor, a_pidfd_names_a_thread)
{
	pthread_t thread;
	int answer[2], pidfd;
	pid_t tid;

	must(pipe(answer));
	check(!pthread_create(&thread, NULL, answer_and_stay, &answer[1]),
	      "no thread");
	must(read(answer[0], &tid, sizeof(tid)));
	pidfd = open_pidfd(tid, PIDFD_THREAD);
	EXPECT_EQ(-ESRCH, add(self->fd, PROCESS, pidfd, KM_LIFE, PIDFD));
	EXPECT_EQ(-ESRCH, add(self->fd, TREE, pidfd, KM_LIFE, PIDFD));
	EXPECT_EQ(0, add(self->fd, THREAD_TARGET, pidfd, KM_LIFE, PIDFD));
	EXPECT_EQ(0, add(self->fd, THREAD_TARGET, tid, KM_LIFE, 0));
	EXPECT_EQ(1, km_stats(self->fd).filters);
	close(pidfd);
	/* The leading thread's. */
	pidfd = open_pidfd(getpid(), PIDFD_THREAD);
	EXPECT_EQ(0, add(self->fd, PROCESS, pidfd, 0, PIDFD));
	EXPECT_EQ(2, km_stats(self->fd).filters);
	close(pidfd);
}

TEST_F(monitor, what_is_no_pidfd_is_ebadf)
{
	static const uint32_t conditions[] = { KMONITOR_TARGET_CGROUP, UID,
					       ALL };
	const uint64_t fds[] = { 1000000, INT32_MAX, self->fd, self->gate[0] };

	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(-EBADF, add(self->fd, TREE, fds[i], 1, PIDFD));
		EXPECT_EQ(-EBADF, del(self->fd, TREE, fds[i], 1, PIDFD));
	}
	EXPECT_EQ(-EINVAL, add(self->fd, TREE, 1ULL << 31, 1, PIDFD));
	EXPECT_EQ(-EINVAL, add(self->fd, TREE, -1ULL, 1, PIDFD));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-EINVAL, add(self->fd, conditions[i], 0, 1, PIDFD));
		EXPECT_EQ(-EINVAL, del(self->fd, conditions[i], 0, 1, PIDFD));
	}
	EXPECT_EQ(-EINVAL, add(self->fd, TREE, 0, 1, IGNORE | FAILED_ONLY));
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

/* A pidfd of a process that the creator's namespace doesn't show. */
TEST_F(monitor, a_pidfd_of_an_invisible_process_is_esrch)
{
	int sockets[2];
	pid_t init;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	init = km_raw_clone(CLONE_NEWPID | SIGCHLD);
	if (!init) {
		int pidfd = km_receive_fd(sockets[0]);
		int fd = km_open(0);

		check(add(fd, TREE, pidfd, KM_LIFE, PIDFD) == -ESRCH,
		      "expected ESRCH");
		_exit(0);
	}
	km_send_fd(sockets[1], open_pidfd(getpid(), 0));
	EXPECT_EQ(0, km_join(init));
}

TEST_HARNESS_MAIN
