// SPDX-License-Identifier: GPL-2.0-only
/* PROCESS_FORK and THREAD_CREATE: every field against the truth. */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <linux/sched.h>

#include "common.h"

#define TICK_NS 10000000
#define PIDFS_MAGIC 0x50494446

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
};

/* All life of the test and of what it starts. */
FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

/* The inode of a pidfd, 0 where pidfds are not of pidfs. */
static uint64_t pidfd_inode(pid_t pid)
{
	int pidfd = must(syscall(SYS_pidfd_open, pid, 0));
	struct statfs fs;
	struct stat info;

	must(fstatfs(pidfd, &fs));
	must(fstat(pidfd, &info));
	close(pidfd);
	return fs.f_type == PIDFS_MAGIC ? info.st_ino : 0;
}

TEST_F(monitor, fork_names_parent_and_child)
{
	const struct kmonitor_event *event;
	uint64_t before = km_boottime_ns();
	uint64_t inode, ticks, parent_ticks;
	int gate[2];
	pid_t child;

	km_gate(gate);
	must(prctl(PR_SET_NAME, "a parent's name"));
	child = km_fork_at_gate(gate);
	inode = pidfd_inode(child);
	ticks = km_start_ticks(child);
	parent_ticks = km_start_ticks(getpid());

	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_FORK, getpid());
	event = km_find_fork(&self->log, child);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(KMONITOR_PROCESS_FORK, event->type);
	EXPECT_EQ(42, event->cookie);
	EXPECT_EQ(0, event->flags);
	EXPECT_EQ(getpid(), event->pid);
	EXPECT_EQ(getpid(), event->tgid);
	EXPECT_EQ(getppid(), event->ppid);
	EXPECT_EQ(0, event->uid);
	EXPECT_EQ(parent_ticks, event->start_ns / TICK_NS);
	EXPECT_STREQ("a parent's name", event->comm);
	EXPECT_LE(before, event->time_ns);
	EXPECT_GE(km_boottime_ns(), event->time_ns);

	EXPECT_EQ(child, event->fork.tgid);
	EXPECT_EQ(getpid(), event->fork.ppid);
	EXPECT_EQ(ticks, event->fork.start_ns / TICK_NS);
	EXPECT_LE(before, event->fork.start_ns);
	EXPECT_GE(event->time_ns, event->fork.start_ns);
	EXPECT_EQ(CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID,
		  event->fork.clone_flags & ~CSIGNAL);
	EXPECT_EQ(inode, event->fork.pidfd_ino);
	EXPECT_EQ(0, event->fork.reserved);
	km_gate_open(gate);
	km_join(child);
}

TEST_F(monitor, the_cpu_is_the_one_it_happened_on)
{
	const struct kmonitor_event *event;
	pid_t child;

	for (int cpu = 0; cpu < km_cpus(); cpu++) {
		km_pin(cpu);
		child = km_fork();
		if (!child)
			_exit(0);
		km_join(child);
		km_drain(self->fd, &self->log);
		event = km_find_fork(&self->log, child);
		ASSERT_NE(NULL, event);
		EXPECT_EQ(cpu, event->cpu);
	}
}

static void *tell_tid(void *arg)
{
	*(pid_t *)arg = gettid();
	return NULL;
}

TEST_F(monitor, thread_create_names_the_thread_of_the_same_process)
{
	const struct kmonitor_event *event, *end;
	pthread_t thread;
	pid_t tid;

	ASSERT_EQ(0, pthread_create(&thread, NULL, tell_tid, &tid));
	pthread_join(thread, NULL);
	km_read_until(self->fd, &self->log, KMONITOR_THREAD_EXIT, tid);
	event = km_find_fork(&self->log, tid);
	end = km_find(&self->log, KMONITOR_THREAD_EXIT, tid);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(KMONITOR_THREAD_CREATE, event->type);
	EXPECT_EQ(getpid(), event->pid);
	EXPECT_EQ(getpid(), event->fork.tgid);
	EXPECT_EQ(getppid(), event->fork.ppid);
	EXPECT_EQ(event->start_ns, event->fork.start_ns);
	EXPECT_EQ(CLONE_THREAD | CLONE_VM,
		  event->fork.clone_flags & (CLONE_THREAD | CLONE_VM));
	EXPECT_EQ(pidfd_inode(getpid()), event->fork.pidfd_ino);
	EXPECT_GT(end, event);
	EXPECT_EQ(getpid(), end->tgid);
	EXPECT_EQ(event->start_ns, end->start_ns);
	EXPECT_EQ(0, end->flags & KMONITOR_EVENT_LAST_THREAD);
}

static void *fork_from_thread(void *arg)
{
	pid_t *ids = arg;

	ids[0] = gettid();
	ids[1] = km_fork();
	if (!ids[1])
		_exit(0);
	km_join(ids[1]);
	return NULL;
}

TEST_F(monitor, the_subject_of_a_fork_is_the_thread_that_called)
{
	const struct kmonitor_event *event;
	pthread_t thread;
	pid_t ids[2];

	ASSERT_EQ(0, pthread_create(&thread, NULL, fork_from_thread, ids));
	pthread_join(thread, NULL);
	km_drain(self->fd, &self->log);
	event = km_find_fork(&self->log, ids[1]);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(ids[0], event->pid);
	EXPECT_EQ(getpid(), event->tgid);
	EXPECT_EQ(getpid(), event->fork.ppid);
}

TEST_F(monitor, clone_parent_is_the_parent_and_the_caller_the_subject)
{
	const struct kmonitor_event *event;
	pid_t child, sibling, *answer;
	int gate[2];

	km_gate(gate);
	child = km_fork();
	if (!child) {
		/* The child of a clone with CLONE_PARENT has our parent. */
		sibling = km_raw_clone(CLONE_PARENT | SIGCHLD);
		if (sibling)
			must(write(gate[1], &sibling, sizeof(sibling)));
		_exit(0);
	}
	answer = &sibling;
	must(read(gate[0], answer, sizeof(*answer)));
	km_join(child);
	km_join(sibling);
	km_drain(self->fd, &self->log);
	event = km_find_fork(&self->log, sibling);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(child, event->pid);
	EXPECT_EQ(getpid(), event->fork.ppid);
	/* Membership follows the caller: the tree saw all of its life. */
	EXPECT_NE(NULL, km_find(&self->log, KMONITOR_PROCESS_EXIT, sibling));
}

TEST_F(monitor, vfork_says_so)
{
	const struct kmonitor_event *event;
	pid_t child = vfork();

	if (!child)
		_exit(0);
	km_join(child);
	km_drain(self->fd, &self->log);
	event = km_find_fork(&self->log, child);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(CLONE_VFORK | CLONE_VM, event->fork.clone_flags & ~CSIGNAL);
}

/* A fork that fails late: the process limit is tested inside copy_process(). */
TEST_F(monitor, a_failed_fork_leaves_nothing)
{
	const struct rlimit none = { 0, 0 };
	pid_t child = km_fork();

	if (!child) {
		must(setrlimit(RLIMIT_NPROC, &none));
		must(setresuid(65534, 65534, 65534));
		check(fork() == -1 && errno == EAGAIN, "expected EAGAIN");
		/* No such combination: refused at the start. */
		check(syscall(SYS_clone, CLONE_THREAD, NULL, NULL, NULL,
			      NULL) == -1,
		      "expected EINVAL");
		_exit(0);
	}
	ASSERT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_FORK, 0));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_THREAD_CREATE, 0));
}

TEST_F(monitor, the_user_is_the_real_one)
{
	const struct kmonitor_event *event;
	pid_t child = km_fork(), grandchild;

	if (!child) {
		must(setresuid(1234, 0, 0));
		grandchild = km_fork();
		if (grandchild)
			km_join(grandchild);
		_exit(0);
	}
	km_join(child);
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&self->log, KMONITOR_PROCESS_FORK, child);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(1234, event->uid);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(1234, event->uid);
}

/* Promise 8: the creator's pid namespace, and nothing from outside it. */
TEST_F(monitor, ids_are_of_the_creators_pid_namespace)
{
	struct km_log inner = {};
	const struct kmonitor_event *event;
	int gate[2], ready[2], fd;
	pid_t init, outsider;

	km_gate(gate);
	km_gate(ready);
	init = km_raw_clone(CLONE_NEWPID | CLONE_FILES | SIGCHLD);
	if (!init) {
		fd = km_open(0);
		km_add(fd, KMONITOR_TARGET_ALL, 0, KM_LIFE, 1);
		must(write(ready[1], &fd, sizeof(fd)));
		km_gate_wait(gate);
		init = km_fork();
		check(init == 0 || init == 2, "expected pid 2, got %d", init);
		if (init)
			km_join(init);
		_exit(0);
	}
	must(read(ready[0], &fd, sizeof(fd)));
	outsider = km_fork();
	if (!outsider)
		_exit(0);
	km_join(outsider);
	km_gate_open(gate);
	ASSERT_EQ(0, km_join(init));

	km_drain(fd, &inner);
	/* Two processes: a fork, and each its two exits; none from outside. */
	EXPECT_EQ(5, inner.nr);
	event = km_find(&inner, KMONITOR_PROCESS_FORK, 1);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(1, event->tgid);
	EXPECT_EQ(0, event->ppid);
	EXPECT_EQ(2, event->fork.pid);
	EXPECT_EQ(2, event->fork.tgid);
	EXPECT_EQ(1, event->fork.ppid);
	EXPECT_NE(NULL, km_find(&inner, KMONITOR_PROCESS_EXIT, 2));
	EXPECT_NE(NULL, km_find(&inner, KMONITOR_PROCESS_EXIT, 1));

	/* Outside, the same processes have other numbers. */
	km_drain(self->fd, &self->log);
	EXPECT_NE(NULL, km_find(&self->log, KMONITOR_PROCESS_FORK, init));
	EXPECT_NE(NULL, km_find(&self->log, KMONITOR_PROCESS_EXIT, init));
	close(fd);
}

static int end_with_6(void *arg)
{
	(void)arg;
	_exit(6);
}

/* Children that share what can be shared, or signal their end otherwise. */
TEST_F(monitor, each_kind_of_clone_is_one_fork_and_one_exit)
{
	static const unsigned int kinds[] = {
		SIGCHLD,
		0,
		SIGUSR1,
		CLONE_UNTRACED | SIGCHLD,
		CLONE_FILES | CLONE_FS | CLONE_IO | CLONE_SYSVSEM | SIGCHLD,
		CLONE_VM | SIGCHLD,
		CLONE_VM | CLONE_VFORK,
		CLONE_VM | CLONE_SIGHAND | SIGCHLD,
		CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD,
		CLONE_NEWPID | SIGCHLD,
		CLONE_NEWUSER | SIGCHLD,
	};
	const size_t nr = sizeof(kinds) / sizeof(*kinds);
	static char stack[65536] __attribute__((aligned(16)));
	const struct kmonitor_event *event;
	pid_t child;
	int status;

	signal(SIGUSR1, SIG_IGN);
	for (size_t i = 0; i < nr; i++) {
		child = must(clone(end_with_6, stack + sizeof(stack),
				   (int)kinds[i], NULL));
		must(waitpid(child, &status, __WALL));
		EXPECT_EQ(6 << 8, status);
		km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT,
			      child);
		event = km_find_fork(&self->log, child);
		ASSERT_NE(NULL, event);
		EXPECT_EQ(kinds[i] & ~CSIGNAL,
			  event->fork.clone_flags & ~CSIGNAL);
		EXPECT_EQ(getpid(), event->fork.ppid);
		event = km_find(&self->log, KMONITOR_PROCESS_EXIT, child);
		EXPECT_EQ(status, event->exit.status);
		EXPECT_EQ(1,
			  km_count(&self->log, KMONITOR_PROCESS_EXIT, child));
	}
	EXPECT_EQ(nr, km_count(&self->log, KMONITOR_PROCESS_FORK, 0));
	EXPECT_EQ(nr, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_THREAD_CREATE, 0));
}

/* Also with the id of a process that has just ended. */
TEST_F(monitor, a_child_has_the_id_that_was_asked_for)
{
	pid_t wanted = km_fork_and_join(3), child;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&wanted,
		.set_tid_size = 1,
	};
	const struct kmonitor_event *event;
	uint64_t start_ns;

	km_drain(self->fd, &self->log);
	start_ns = km_find_fork(&self->log, wanted)->fork.start_ns;
	self->log.nr = 0;
	child = must(syscall(SYS_clone3, &args, sizeof(args)));
	if (!child)
		_exit(4);
	EXPECT_EQ(wanted, child);
	EXPECT_EQ(4 << 8, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, wanted);
	event = km_find_fork(&self->log, wanted);
	ASSERT_NE(NULL, event);
	EXPECT_LT(start_ns, event->fork.start_ns);
	EXPECT_EQ(event->fork.start_ns,
		  km_find(&self->log, KMONITOR_PROCESS_EXIT, wanted)->start_ns);
	EXPECT_EQ(4 << 8, km_find(&self->log, KMONITOR_PROCESS_EXIT, wanted)
				  ->exit.status);
}

TEST_HARNESS_MAIN
