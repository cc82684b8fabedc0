// SPDX-License-Identifier: GPL-2.0-only
/* Promise 9: an fd shows what its creator may see, whoever holds it. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"

#define NOBODY 65534
#define OTHER 1234

#define THREAD_TARGET KMONITOR_TARGET_THREAD
#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE
#define ALL KMONITOR_TARGET_ALL

static const uint32_t task_targets[] = { THREAD_TARGET, PROCESS, TREE };

static int add(int fd, uint32_t target, pid_t id)
{
	uint64_t handle;

	return km_try_add(fd, target, id, KM_LIFE, 1, &handle);
}

FIXTURE(user)
{
	int gate[2];
	pid_t root;
	pid_t other_user;
	pid_t other_group;
	pid_t own;
	int root_fd;
	int fd;
	struct km_log log;
};

/* The test goes on as nobody, with a descriptor of its own and one of root. */
FIXTURE_SETUP(user)
{
	km_gate(self->gate);
	self->root = km_fork_as(0, 0, self->gate);
	self->other_user = km_fork_as(OTHER, NOBODY, self->gate);
	self->other_group = km_fork_as(NOBODY, OTHER, self->gate);
	self->root_fd = km_open(0);
	km_become(NOBODY, NOBODY);
	self->own = km_fork();
	if (!self->own) {
		km_gate_wait(self->gate);
		_exit(3);
	}
	self->fd = km_open(0);
}

FIXTURE_TEARDOWN(user)
{
	for (int i = 0; i < 4; i++)
		km_gate_open(self->gate);
	while (wait(NULL) > 0)
		;
	close(self->fd);
	close(self->root_fd);
}

TEST_F(user, own_trees_need_no_root)
{
	const struct kmonitor_event *event;
	pid_t child;

	km_add(self->fd, TREE, 0, KM_LIFE, 1);
	child = km_fork();
	if (!child)
		_exit(4);
	km_join(child);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(3, self->log.nr);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, child);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(4 << 8, event->exit.status);
	EXPECT_EQ(NOBODY, event->uid);
	EXPECT_EQ(0, event->flags);
	EXPECT_STREQ("permission_test", event->comm);
}

TEST_F(user, all_and_cgroups_are_refused)
{
	EXPECT_EQ(-EPERM, add(self->fd, ALL, 0));
	/* The root cgroup, and one that nobody has: the errors do not show which exist. */
	EXPECT_EQ(-EPERM, add(self->fd, KMONITOR_TARGET_CGROUP, 1));
	EXPECT_EQ(-EPERM, add(self->fd, KMONITOR_TARGET_CGROUP, 1 << 30));
	EXPECT_EQ(0, km_stats(self->fd).filters);
}

/* Nor does a user namespace of one's own help in a pid namespace of others. */
TEST(all_is_for_the_owner_of_the_pid_namespace)
{
	static const int flags[] = { CLONE_NEWUSER,
				     CLONE_NEWUSER | CLONE_NEWPID };
	static const int expected[] = { EPERM, 0 };

	for (int i = 0; i < 2; i++) {
		pid_t child = km_fork();

		if (!child) {
			km_become(NOBODY, NOBODY);
			must(unshare(flags[i]));
			child = km_fork();
			if (child)
				_exit(km_join(child) >> 8);
			_exit(-add(km_open(2), ALL, 0));
		}
		EXPECT_EQ(expected[i] << 8, km_join(child));
	}
}

TEST_F(user, tasks_of_others_are_refused)
{
	const pid_t others[] = { 1, self->root, self->other_user,
				 self->other_group };

	for (int i = 0; i < 3; i++) {
		for (int who = 0; who < 4; who++) {
			EXPECT_EQ(-EPERM,
				  add(self->fd, task_targets[i], others[who]))
			{
				TH_LOG("target %u, process %d", task_targets[i],
				       who);
			}
		}
		EXPECT_EQ(0, add(self->fd, task_targets[i], self->own));
	}
	EXPECT_EQ(3, km_stats(self->fd).filters);
}

TEST_F(user, a_process_that_is_not_dumpable_is_refused)
{
	int gate[2], ready[2];
	pid_t child;

	km_gate(gate);
	km_gate(ready);
	child = km_fork();
	if (!child) {
		must(prctl(PR_SET_DUMPABLE, 0));
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	km_gate_wait(ready);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(-EPERM, add(self->fd, task_targets[i], child));
	EXPECT_EQ(0, km_stats(self->fd).filters);
	km_gate_open(gate);
	km_join(child);
}

/* Promise 9: reading needs only the descriptor, adding both entitlements. */
TEST_F(user, a_descriptor_of_root_can_be_read_but_not_aimed)
{
	EXPECT_EQ(-EPERM, add(self->root_fd, ALL, 0));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-EPERM,
			  add(self->root_fd, task_targets[i], self->root));
		EXPECT_EQ(-EPERM, add(self->root_fd, task_targets[i],
				      self->other_user));
	}
	EXPECT_EQ(0, km_stats(self->root_fd).filters);
	km_add(self->root_fd, PROCESS, self->own, KM_LIFE, 1);
	must(kill(self->own, SIGKILL));
	km_read_until(self->root_fd, &self->log, KMONITOR_PROCESS_EXIT,
		      self->own);
}

TEST(what_root_aimed_is_read_by_whoever_holds_it)
{
	struct km_log log = {};
	int fd = km_open(0);
	pid_t reader, subject;
	int sockets[2];
	int gate[2];

	km_gate(gate);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	subject = km_fork_as(OTHER, OTHER, gate);
	km_add(fd, PROCESS, subject, KM_LIFE, 1);
	reader = km_fork();
	if (!reader) {
		close(fd);
		km_become(NOBODY, NOBODY);
		fd = km_receive_fd(sockets[0]);
		km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, subject);
		check(log.event[log.nr - 1].uid == OTHER, "expected uid %d",
		      OTHER);
		check(!log.event[log.nr - 1].flags, "expected no flags");
		_exit(0);
	}
	km_send_fd(sockets[1], fd);
	km_gate_open(gate);
	EXPECT_EQ(0, km_join(reader));
	km_join(subject);
	close(fd);
}

/* The caller is root, the creator is not. */
TEST(root_cannot_aim_a_descriptor_beyond_its_creator)
{
	int sockets[2], gate[2];
	pid_t creator, subject;
	int fd;

	km_gate(gate);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	subject = km_fork_as(OTHER, OTHER, gate);
	creator = km_fork();
	if (!creator) {
		km_become(NOBODY, NOBODY);
		km_send_fd(sockets[0], km_open(0));
		km_gate_wait(gate);
		_exit(0);
	}
	fd = km_receive_fd(sockets[1]);
	EXPECT_EQ(-EPERM, add(fd, ALL, 0));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-EPERM, add(fd, task_targets[i], 0));
		EXPECT_EQ(-EPERM, add(fd, task_targets[i], subject));
		EXPECT_EQ(0, add(fd, task_targets[i], creator));
	}
	km_gate_open(gate);
	km_gate_open(gate);
	km_join(creator);
	km_join(subject);
	close(fd);
}

/* A descriptor of nobody's, who has gone. */
static int open_as_nobody(void)
{
	int sockets[2], fd;
	pid_t creator;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	creator = km_fork();
	if (!creator) {
		km_become(NOBODY, NOBODY);
		km_send_fd(sockets[0], km_open(0));
		_exit(0);
	}
	fd = km_receive_fd(sockets[1]);
	km_join(creator);
	close(sockets[0]);
	close(sockets[1]);
	return fd;
}

enum { RUID, EUID, SUID, RGID, EGID, SGID, IDS, DUMPABLE = IDS, NOTHING };

/* Nobody's process at the gate, of which one id is another's or no core is. */
static pid_t fork_with_odd(int odd, int gate[2])
{
	id_t id[IDS];
	int ready[2];
	pid_t child;

	km_gate(ready);
	child = km_fork();
	if (!child) {
		for (int i = 0; i < IDS; i++)
			id[i] = i == odd ? OTHER : NOBODY;
		must(setgroups(0, NULL));
		must(setresgid(id[RGID], id[EGID], id[SGID]));
		must(setresuid(id[RUID], id[EUID], id[SUID]));
		must(prctl(PR_SET_DUMPABLE, odd != DUMPABLE));
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	km_gate_wait(ready);
	close(ready[0]);
	close(ready[1]);
	return child;
}

/* The caller is root, so that it is the creator who is refused. */
TEST(each_id_of_a_task_counts_and_whether_it_is_dumpable)
{
	int fd = open_as_nobody();
	int gate[2];
	pid_t subject;

	km_gate(gate);
	for (int odd = 0; odd <= NOTHING; odd++) {
		subject = fork_with_odd(odd, gate);
		for (int i = 0; i < 3; i++) {
			EXPECT_EQ(odd < NOTHING ? -EPERM : 0,
				  add(fd, task_targets[i], subject))
			{
				TH_LOG("target %u, id %d", task_targets[i],
				       odd);
			}
		}
		km_gate_open(gate);
		km_join(subject);
	}
	close(fd);
}

/* Calls that show and do no more than the descriptor does. */
TEST(for_some_calls_the_descriptor_suffices)
{
	struct kmonitor_info info = {};
	struct kmonitor_get_pidfd process = {};
	struct kmonitor_event event;
	uint64_t handle;
	int fd = km_open(0);

	handle = km_add(fd, TREE, 0, KM_LIFE, 1);
	km_add(fd, PROCESS, 0, KM_LIFE, 1);
	km_fork_and_join(0);
	km_become(NOBODY, NOBODY);
	EXPECT_EQ(-EPERM, add(fd, TREE, getppid()));
	EXPECT_EQ(2, km_stats(fd).filters);
	EXPECT_EQ(0, km_ioctl(fd, KMONITOR_IOC_INFO, &info));
	km_next(fd, &event);
	EXPECT_EQ(KMONITOR_PROCESS_FORK, event.type);
	process.tgid = event.tgid;
	process.start_ns = event.start_ns;
	close(must(ioctl(fd, KMONITOR_IOC_GET_PIDFD, &process)));
	EXPECT_EQ(0, km_del(fd, handle));
	EXPECT_EQ(1, km_stats(fd).filters);
	EXPECT_EQ(0, km_ioctl(fd, KMONITOR_IOC_FILTER_CLEAR, NULL));
	EXPECT_EQ(0, km_stats(fd).filters);
	close(fd);
}

static void expect_redacted(struct __test_metadata *_metadata,
			    const struct kmonitor_event *event)
{
	static const struct kmonitor_exit nothing;

	EXPECT_EQ(KMONITOR_EVENT_REDACTED, event->flags);
	EXPECT_EQ((uint32_t)-1, event->uid);
	EXPECT_EQ(0, event->cgroup_id);
	EXPECT_STREQ("", event->comm);
	EXPECT_NE(0, event->start_ns);
	if (event->type == KMONITOR_PROCESS_EXIT)
		EXPECT_EQ(0, memcmp(&nothing, &event->exit, sizeof(nothing)));
	if (event->type == KMONITOR_PROCESS_FORK) {
		EXPECT_NE(0, event->fork.start_ns);
		EXPECT_NE(0, event->fork.tgid);
		EXPECT_EQ(0, event->fork.cgroup_id);
	}
}

/* A member that becomes another user stays a member, and says no more. */
TEST(a_set_uid_member_is_redacted_and_counted)
{
	char *argv[] = { "family", NULL };
	const struct kmonitor_event *event;
	struct km_log log = {};
	int gate[2], fd, program;
	pid_t root;

	program = km_open_suid("family", 0);
	km_become(NOBODY, NOBODY);
	fd = km_open(0);
	km_gate(gate);
	root = km_fork();
	if (!root) {
		km_gate_wait(gate);
		fexecve(program, argv, environ);
		_exit(127);
	}
	km_add(fd, TREE, root, KM_LIFE, 9);
	km_gate_open(gate);
	EXPECT_EQ(7 << 8, km_join(root));
	km_read_until(fd, &log, KMONITOR_EMPTY, root);

	/* The fork, the end of the child, the end of the root, EMPTY. */
	ASSERT_EQ(4, log.nr);
	event = log.event;
	EXPECT_EQ(KMONITOR_PROCESS_FORK, event[0].type);
	EXPECT_EQ(root, event[0].pid);
	EXPECT_EQ(KMONITOR_PROCESS_EXIT, event[1].type);
	EXPECT_EQ(event[0].fork.pid, event[1].pid);
	EXPECT_EQ(event[0].fork.start_ns, event[1].start_ns);
	EXPECT_EQ(KMONITOR_PROCESS_EXIT, event[2].type);
	EXPECT_EQ(root, event[2].pid);
	for (int i = 0; i < 3; i++)
		expect_redacted(_metadata, &event[i]);
	EXPECT_EQ(2, event[3].empty.members);
	/* Statuses that were not shown are not summed up either. */
	EXPECT_EQ(0, event[3].empty.failed);
	EXPECT_EQ(0, event[3].empty.root_status);
	EXPECT_EQ(0, event[3].empty.utime_ns + event[3].empty.stime_ns);
	close(fd);
}

/* Redaction is decided at each event: secrecy may begin and end. */
TEST_F(user, a_member_that_is_not_dumpable_is_redacted)
{
	int gate[2];
	pid_t root;

	km_gate(gate);
	root = km_fork();
	if (!root) {
		km_gate_wait(gate);
		must(prctl(PR_SET_DUMPABLE, 0));
		if (!km_fork())
			_exit(1);
		wait(NULL);
		_exit(2);
	}
	km_add(self->fd, TREE, root, KM_LIFE, 9);
	km_gate_open(gate);
	km_join(root);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, root);
	ASSERT_EQ(4, self->log.nr);
	for (int i = 0; i < 3; i++)
		expect_redacted(_metadata, &self->log.event[i]);
	EXPECT_EQ(2, self->log.event[3].empty.members);
}

/* The creator sees all of a user namespace that it owns. */
TEST_F(user, the_owner_of_a_user_namespace_sees_into_it)
{
	const struct kmonitor_event *event;
	int gate[2];
	pid_t root;

	km_gate(gate);
	root = km_fork();
	if (!root) {
		km_gate_wait(gate);
		must(unshare(CLONE_NEWUSER));
		must(prctl(PR_SET_DUMPABLE, 0));
		_exit(2);
	}
	km_add(self->fd, TREE, root, KM_LIFE, 9);
	km_gate_open(gate);
	km_join(root);
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, root);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, root);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(0, event->flags);
	EXPECT_EQ(NOBODY, event->uid);
	EXPECT_EQ(2 << 8, event->exit.status);
	EXPECT_STREQ("permission_test", event->comm);
}

/* Promise 10: what an unprivileged fd can make another task pay. */
TEST_F(user, sixteen_unprivileged_entries_of_a_kind_hold_a_task_at_most)
{
	uint32_t target;
	int fds[17];

	for (int kind = 0; kind < 3; kind++) {
		target = task_targets[kind];
		for (int i = 0; i < 17; i++) {
			fds[i] = km_open(2);
			EXPECT_EQ(i < 16 ? 0 : -ENOSPC,
				  add(fds[i], target, self->own))
			{
				TH_LOG("target %u, entry %d", target, i);
			}
			EXPECT_EQ(i < 16, km_stats(fds[i]).filters);
		}
		/* One that goes makes room for another. */
		close(fds[0]);
		EXPECT_EQ(0, add(fds[16], target, self->own));
		/* The limit is for each target, and not for root. */
		EXPECT_EQ(0, add(self->fd, task_targets[(kind + 1) % 3],
				 self->own));
		EXPECT_EQ(0, add(self->root_fd, target, self->own));
		for (int i = 1; i < 17; i++)
			close(fds[i]);
		EXPECT_EQ(0,
			  km_ioctl(self->fd, KMONITOR_IOC_FILTER_CLEAR, NULL));
	}
}

/* Adds as many as one user may have, and one more. */
static void fill_limit(uint32_t target, pid_t id)
{
	for (int i = 0; i < 17; i++) {
		int ret = add(km_open(2), target, id);

		check(ret == (i < 16 ? 0 : -ENOSPC), "answer %d to %d", ret, i);
	}
}

/* As "sudo -u OTHER job" in a shell that is full of the trees of its user. */
TEST(users_do_not_share_their_limit)
{
	char *argv[] = { "sudo", km_helper("wait"), NULL };
	int gate[2], full[2], ready[2], end[2];
	int program = km_open_suid("sudo", OTHER);
	pid_t job, owner, other;

	km_gate(gate);
	km_gate(full);
	km_gate(ready);
	km_gate(end);
	job = km_fork();
	if (!job) {
		km_become(NOBODY, NOBODY);
		km_gate_open(full);
		km_gate_wait(gate);
		must(dup2(end[0], 0));
		must(dup2(ready[1], 1));
		fexecve(program, argv, environ);
		_exit(127);
	}
	km_gate_wait(full);
	owner = km_fork();
	if (!owner) {
		km_become(NOBODY, NOBODY);
		fill_limit(TREE, job);
		km_gate_open(full);
		pause();
	}
	km_gate_wait(full);
	km_gate_open(gate);
	km_gate_wait(ready);
	other = km_fork();
	if (!other) {
		km_become(OTHER, NOBODY);
		fill_limit(TREE, job);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(other));
	kill(owner, SIGKILL);
	km_join(owner);
	close(end[1]);
	EXPECT_EQ(0, km_join(job));
	close(program);
	free(argv[1]);
}

/* Its own root pays for a pid namespace, and so does who joins it. */
TEST(sixteen_descriptors_of_a_container_watch_all_of_it_at_most)
{
	static const uint32_t targets[] = { ALL, KMONITOR_TARGET_CGROUP,
					    KMONITOR_TARGET_UID };

	for (int i = 0; i < 3; i++) {
		pid_t child = km_fork();

		if (!child) {
			km_become(NOBODY, NOBODY);
			must(prctl(PR_SET_DUMPABLE, 1));
			must(unshare(CLONE_NEWUSER | CLONE_NEWPID));
			child = km_fork();
			if (child)
				_exit(km_join(child) >> 8);
			km_must_write("/proc/self/uid_map", "7 65534 1\n");
			fill_limit(targets[i],
				   targets[i] == ALL		     ? 0 :
				   targets[i] == KMONITOR_TARGET_UID ? 7 :
								       1);
			_exit(0);
		}
		EXPECT_EQ(0, km_join(child))
		{
			TH_LOG("target %u", targets[i]);
		}
	}
}

TEST_HARNESS_MAIN
