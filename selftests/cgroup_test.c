// SPDX-License-Identifier: GPL-2.0-only
/* CGROUP: checked at each event, along the ancestors of the task's cgroup. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

#define TREE KMONITOR_TARGET_TREE
#define CGROUP KMONITOR_TARGET_CGROUP
#define UID KMONITOR_TARGET_UID
#define ALL KMONITOR_TARGET_ALL

#define OUTER "/sys/fs/cgroup/cgroup_test"
#define INNER OUTER "/inner"
#define OTHER "/sys/fs/cgroup/cgroup_test_other"

FIXTURE(cgroups)
{
	uint64_t outer;
	uint64_t inner;
	uint64_t other;
	int fd;
	int gate[2];
	struct km_log log;
};

static uint64_t make_cgroup(const char *path)
{
	struct stat info;

	must(mkdir(path, 0755));
	must(stat(path, &info));
	return info.st_ino;
}

static void join_cgroup(const char *path)
{
	char *file;
	int fd;

	must(asprintf(&file, "%s/cgroup.procs", path));
	fd = must(open(file, O_WRONLY | O_CLOEXEC));
	must(write(fd, "0", 1));
	close(fd);
	free(file);
}

FIXTURE_SETUP(cgroups)
{
	self->outer = make_cgroup(OUTER);
	self->inner = make_cgroup(INNER);
	self->other = make_cgroup(OTHER);
	self->fd = km_open(0);
	km_gate(self->gate);
}

/* Also what a test has removed. */
FIXTURE_TEARDOWN(cgroups)
{
	close(self->fd);
	join_cgroup("/sys/fs/cgroup");
	while (wait(NULL) > 0)
		;
	rmdir(INNER);
	rmdir(OUTER);
	rmdir(OTHER);
}

static int try_add(int fd, uint32_t target, uint64_t id, uint64_t cookie)
{
	struct kmonitor_filter filter = {
		.target = target,
		.id = id,
		.events = KM_LIFE,
		.cookie = cookie,
	};

	return km_ioctl(fd, KMONITOR_IOC_FILTER_ADD, &filter);
}

static void add(int fd, uint32_t target, uint64_t id, uint64_t cookie)
{
	int ret = try_add(fd, target, id, cookie);

	check(!ret, "FILTER_ADD: %s", km_error(ret));
}

/* A process that forks in a cgroup and ends there. */
static pid_t live_in(const char *path, pid_t *child)
{
	pid_t pid;
	int answer[2];

	must(pipe(answer));
	pid = km_fork();
	if (!pid) {
		join_cgroup(path);
		*child = km_fork_and_join(0);
		must(write(answer[1], child, sizeof(*child)));
		_exit(0);
	}
	km_join(pid);
	check(must(read(answer[0], child, sizeof(*child))) == sizeof(*child),
	      "no pid");
	close(answer[0]);
	close(answer[1]);
	return pid;
}

TEST_F(cgroups, members_and_those_of_descendants_match)
{
	static const char *const paths[] = { OUTER, INNER };
	const struct kmonitor_event *event;
	pid_t pid[2], child[2], foreign;

	add(self->fd, CGROUP, self->outer, 5);
	live_in(OTHER, &foreign);
	for (int i = 0; i < 2; i++)
		pid[i] = live_in(paths[i], &child[i]);
	km_drain(self->fd, &self->log);
	for (int i = 0; i < 2; i++) {
		event = km_find(&self->log, KMONITOR_PROCESS_FORK, pid[i]);
		ASSERT_NE(NULL, event);
		EXPECT_EQ(child[i], event->fork.pid);
		EXPECT_EQ(i ? self->inner : self->outer, event->cgroup_id);
		EXPECT_EQ(2,
			  km_count(&self->log,
				   KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_EXIT,
				   child[i]));
		EXPECT_EQ(2,
			  km_count(&self->log,
				   KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_EXIT,
				   pid[i]));
	}
	/* Nothing else came, and nothing of children born outside. */
	EXPECT_EQ(10, self->log.nr);
	for (size_t i = 0; i < self->log.nr; i++)
		EXPECT_EQ(5, self->log.event[i].cookie);
}

TEST_F(cgroups, an_inner_cgroup_does_not_match_its_parents_members)
{
	pid_t child;

	add(self->fd, CGROUP, self->inner, 5);
	live_in(OUTER, &child);
	EXPECT_EQ(0, km_stats(self->fd).matched);
	live_in(INNER, &child);
	EXPECT_EQ(5, km_stats(self->fd).matched);
}

TEST_F(cgroups, the_root_cgroup_has_everyone)
{
	struct stat info;
	pid_t child;

	must(stat("/sys/fs/cgroup", &info));
	add(self->fd, CGROUP, info.st_ino, 5);
	live_in(INNER, &child);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXIT, child));
	/* By two ways, once. */
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_FORK, getpid()));
}

TEST_F(cgroups, membership_is_judged_at_each_event)
{
	pid_t child[3];

	add(self->fd, CGROUP, self->outer, 5);
	child[0] = km_fork_and_join(0);
	join_cgroup(INNER);
	child[1] = km_fork_and_join(0);
	join_cgroup("/sys/fs/cgroup");
	child[2] = km_fork_and_join(0);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(3, self->log.nr);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(i == 1, !!km_find_fork(&self->log, child[i]));
}

/* CLONE_INTO_CGROUP: the forker stays outside. */
TEST_F(cgroups, a_fork_matches_by_its_child_too)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = must(open(INNER, O_RDONLY | O_CLOEXEC)),
	};
	const struct kmonitor_event *fork;
	pid_t child;

	add(self->fd, CGROUP, self->outer, 5);
	child = must(syscall(SYS_clone3, &args, sizeof(args)));
	if (!child)
		_exit(0);
	km_join(child);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(3, self->log.nr);
	fork = km_find_fork(&self->log, child);
	ASSERT_NE(NULL, fork);
	EXPECT_EQ(getpid(), fork->pid);
	EXPECT_NE(self->inner, fork->cgroup_id);
	EXPECT_EQ(self->inner, fork->fork.cgroup_id);
	close(args.cgroup);
}

/* Promise 6: one record, with the cookie of the most specific entry. */
TEST_F(cgroups, the_most_specific_condition_gives_the_cookie)
{
	const struct {
		uint32_t target;
		uint64_t id;
	} entries[] = {
		{ ALL, 0 },
		{ UID, 0 },
		{ CGROUP, self->outer },
		{ CGROUP, self->inner },
		{ TREE, 0 },
	};
	const int nr = sizeof(entries) / sizeof(*entries);

	for (int forward = 0; forward < 2; forward++) {
		/* With all of them, without the last, ... */
		for (int with = nr; with; with--) {
			struct km_log log = {};
			int fd = km_open(0);
			pid_t pid = km_fork(), child;

			if (!pid) {
				join_cgroup(INNER);
				km_gate_wait(self->gate);
				km_fork_and_join(0);
				_exit(0);
			}
			for (int i = 0; i < with; i++) {
				int at = forward ? i : with - 1 - i;

				add(fd, entries[at].target,
				    entries[at].target == TREE ? (uint64_t)pid :
								 entries[at].id,
				    at + 1);
			}
			km_gate_open(self->gate);
			km_join(pid);
			km_drain(fd, &log);
			EXPECT_EQ(1,
				  km_count(&log, KMONITOR_PROCESS_FORK, pid));
			EXPECT_EQ(1, km_count(&log, KMONITOR_THREAD_EXIT, pid));
			EXPECT_EQ(1,
				  km_count(&log, KMONITOR_PROCESS_EXIT, pid));
			child = km_find(&log, KMONITOR_PROCESS_FORK, pid)
					->fork.pid;
			for (size_t i = 0; i < log.nr; i++) {
				if (log.event[i].tgid == pid ||
				    log.event[i].tgid == child)
					EXPECT_EQ(with, log.event[i].cookie);
			}
			close(fd);
		}
	}
}

/* More descriptors than the fan-out remembers. */
TEST_F(cgroups, each_of_many_descriptors_gets_one_record)
{
	enum { FDS = 50 };
	pid_t pid, child;
	int fd[FDS];

	for (int i = 0; i < FDS; i++) {
		fd[i] = km_open(64);
		add(fd[i], ALL, 0, 1);
		add(fd[i], UID, 0, 2);
		add(fd[i], CGROUP, self->inner, 4);
		add(fd[i], CGROUP, self->outer, 3);
	}
	pid = live_in(INNER, &child);
	for (int i = 0; i < FDS; i++) {
		struct km_log log = {};

		km_drain(fd[i], &log);
		EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_FORK, pid));
		EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_EXIT, child));
		EXPECT_EQ(4,
			  km_find(&log, KMONITOR_PROCESS_EXIT, child)->cookie);
		EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_EXIT, pid));
		free(log.event);
		close(fd[i]);
	}
}

TEST_F(cgroups, the_entry_of_a_removed_cgroup_stays_and_is_quiet)
{
	struct kmonitor_filter filter = {
		.target = CGROUP,
		.id = self->other,
		.events = KM_LIFE,
	};
	pid_t child;

	add(self->fd, CGROUP, self->other, 5);
	must(rmdir(OTHER));
	EXPECT_EQ(1, km_stats(self->fd).filters);
	EXPECT_EQ(-ESTALE, try_add(self->fd, CGROUP, self->other, 5));
	live_in(INNER, &child);
	EXPECT_EQ(0, km_stats(self->fd).matched);
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_DEL, &filter));
	EXPECT_EQ(0, km_stats(self->fd).filters);
	EXPECT_EQ(-ENOENT,
		  km_ioctl(self->fd, KMONITOR_IOC_FILTER_DEL, &filter));
}

/* Each wants another type; what one deletes the others keep. */
TEST_F(cgroups, conditions_come_and_go_apart)
{
	uint64_t handle[2];
	pid_t child;

	for (int i = 0; i < 2; i++)
		handle[i] = km_add(
			self->fd, CGROUP, i ? self->inner : self->outer,
			i ? KMONITOR_PROCESS_EXIT : KMONITOR_PROCESS_FORK, i);
	live_in(INNER, &child);
	EXPECT_EQ(3, km_stats(self->fd).matched);
	EXPECT_EQ(0, km_del(self->fd, handle[0]));
	live_in(INNER, &child);
	EXPECT_EQ(5, km_stats(self->fd).matched);
	EXPECT_EQ(0, km_del(self->fd, handle[1]));
	live_in(INNER, &child);
	EXPECT_EQ(5, km_stats(self->fd).matched);
}

TEST_F(cgroups, a_thousand_entries_are_found_and_forgotten)
{
	const unsigned int nr = km_scale(1000, 200);
	char path[64];
	pid_t child;

	for (unsigned int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), OTHER "/%u", i);
		add(self->fd, CGROUP, make_cgroup(path), i);
	}
	EXPECT_EQ(nr, km_stats(self->fd).filters);
	live_in(path, &child);
	km_drain(self->fd, &self->log);
	ASSERT_EQ(5, self->log.nr);
	EXPECT_EQ(nr - 1, self->log.event[0].cookie);
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_CLEAR, NULL));
	live_in(path, &child);
	EXPECT_EQ(5, km_stats(self->fd).matched);
	for (unsigned int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), OTHER "/%u", i);
		must(rmdir(path));
	}
}

TEST_HARNESS_MAIN
