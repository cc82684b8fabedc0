// SPDX-License-Identifier: GPL-2.0-only
/* KILL: each member, by the caller's right, and none escapes SIGKILL. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

#define NOBODY 65534

#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE

static void become(uid_t uid)
{
	must(setgroups(0, NULL));
	must(setresgid(uid, uid, uid));
	must(setresuid(uid, uid, uid));
	must(prctl(PR_SET_DUMPABLE, 1));
}

static int send_to(int fd, uint64_t handle, int signo,
		   struct kmonitor_kill *result)
{
	*result = (struct kmonitor_kill){
		.handle = handle,
		.signo = signo,
		.signalled = 99,
		.refused = 99,
	};
	return km_ioctl(fd, KMONITOR_IOC_KILL, result);
}

static unsigned int signalled(int fd, uint64_t handle, int signo)
{
	struct kmonitor_kill result;
	int ret = send_to(fd, handle, signo, &result);

	check(!ret, "KILL: %s", km_error(ret));
	check(!result.refused, "%u members refused", result.refused);
	return result.signalled;
}

static pid_t fork_to_wait(void)
{
	pid_t child = km_fork();

	if (!child) {
		pause();
		_exit(0);
	}
	return child;
}

/* A root with that many children, all of which wait for a signal. */
static pid_t family(unsigned int children)
{
	int ready[2];
	pid_t root;

	km_gate(ready);
	root = km_fork();
	if (!root) {
		while (children--)
			fork_to_wait();
		km_gate_open(ready);
		pause();
		_exit(0);
	}
	km_gate_wait(ready);
	close(ready[0]);
	close(ready[1]);
	return root;
}

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
	struct kmonitor_kill result;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

TEST_F(monitor, every_member_gets_the_signal)
{
	pid_t root = family(2);
	uint64_t handle = km_add(self->fd, TREE, root, KM_LIFE, 1);

	EXPECT_EQ(3, signalled(self->fd, handle, 0));
	EXPECT_NE('T', km_state(root));
	EXPECT_EQ(3, signalled(self->fd, handle, SIGSTOP));
	while (km_state(root) != 'T')
		sched_yield();
	EXPECT_EQ(3, signalled(self->fd, handle, SIGCONT));
	while (km_state(root) == 'T')
		sched_yield();
	EXPECT_EQ(3, signalled(self->fd, handle, SIGTERM));
	km_read_until(self->fd, &self->log, KMONITOR_EMPTY, root);
	ASSERT_EQ(3, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	for (size_t i = 0; i < self->log.nr; i++) {
		if (self->log.event[i].type == KMONITOR_PROCESS_EXIT)
			EXPECT_EQ(SIGTERM, self->log.event[i].exit.status);
	}
	while (wait(NULL) > 0)
		;
	EXPECT_EQ(-ENOENT, send_to(self->fd, handle, 0, &self->result));
	EXPECT_EQ(0, self->result.signalled);
	EXPECT_EQ(0, self->result.refused);
}

TEST_F(monitor, a_process_entry_is_that_process_alone)
{
	pid_t root = family(1);
	uint64_t handle = km_add(self->fd, PROCESS, root, 0, 1);

	km_add(self->fd, TREE, root, KMONITOR_PROCESS_EXIT, 1);
	EXPECT_EQ(1, signalled(self->fd, handle, SIGKILL));
	EXPECT_EQ(SIGKILL, km_join(root));
	EXPECT_EQ(-ENOENT, send_to(self->fd, handle, SIGKILL, &self->result));
	/* The child lives. */
	EXPECT_EQ(0, waitpid(-1, NULL, WNOHANG));
	km_drain(self->fd, &self->log);
	EXPECT_EQ(1, self->log.nr);
}

static volatile sig_atomic_t caught;

static void count_signal(int signo)
{
	(void)signo;
	caught++;
}

TEST_F(monitor, the_caller_is_a_member_like_others)
{
	uint64_t tree = km_add(self->fd, TREE, 0, 0, 1);
	uint64_t process = km_add(self->fd, PROCESS, 0, 0, 1);

	signal(SIGUSR1, count_signal);
	EXPECT_EQ(1, signalled(self->fd, tree, SIGUSR1));
	EXPECT_EQ(1, caught);
	EXPECT_EQ(1, signalled(self->fd, process, SIGUSR1));
	EXPECT_EQ(2, caught);
}

TEST_F(monitor, zombies_are_not_members)
{
	siginfo_t info;
	uint64_t handle;
	pid_t zombie;

	handle = km_add(self->fd, TREE, 0, 0, 1);
	zombie = km_fork();
	if (!zombie)
		_exit(0);
	must(waitid(P_PID, zombie, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(1, signalled(self->fd, handle, 0));
	km_join(zombie);
}

/* As with kill(2): who sent it, and that a user did. */
TEST_F(monitor, the_caller_is_the_sender)
{
	int ready[2];
	siginfo_t info;
	uint64_t handle;
	sigset_t set;
	pid_t root;

	km_gate(ready);
	root = km_fork();
	if (!root) {
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		km_gate_open(ready);
		must(sigwaitinfo(&set, &info));
		_exit(info.si_code == SI_USER && info.si_pid == getppid() &&
				      info.si_uid == NOBODY ?
			      3 :
			      4);
	}
	km_gate_wait(ready);
	handle = km_add(self->fd, TREE, root, 0, 1);
	must(setresuid(NOBODY, 0, 0));
	EXPECT_EQ(1, signalled(self->fd, handle, SIGUSR1));
	EXPECT_EQ(3 << 8, km_join(root));
}

/* The right to signal is the caller's, whoever made the descriptor. */
TEST_F(monitor, members_are_judged_by_the_callers_credentials)
{
	uint64_t tree, process;
	int ready[2];
	pid_t root;

	km_gate(ready);
	root = km_fork();
	if (!root) {
		if (!km_fork()) {
			become(NOBODY);
			km_gate_open(ready);
		}
		pause();
		_exit(0);
	}
	km_gate_wait(ready);
	tree = km_add(self->fd, TREE, root, 0, 1);
	process = km_add(self->fd, PROCESS, root, 0, 1);
	EXPECT_EQ(2, signalled(self->fd, tree, 0));

	become(NOBODY);
	EXPECT_EQ(0, send_to(self->fd, process, SIGKILL, &self->result));
	EXPECT_EQ(0, self->result.signalled);
	EXPECT_EQ(1, self->result.refused);
	EXPECT_EQ(0, send_to(self->fd, tree, SIGKILL, &self->result));
	EXPECT_EQ(1, self->result.signalled);
	EXPECT_EQ(1, self->result.refused);
	EXPECT_NE('T', km_state(root));
}

/* As with a pidfd, nobody outside the caller's pid namespace can be signalled. */
TEST_F(monitor, a_member_outside_the_callers_pid_namespace_refuses)
{
	pid_t root = family(1);
	uint64_t tree = km_add(self->fd, TREE, root, 0, 1);
	uint64_t process = km_add(self->fd, PROCESS, root, 0, 1);
	int pidfd = must(syscall(__NR_pidfd_open, root, 0));
	pid_t init = km_raw_clone(CLONE_NEWPID | SIGCHLD);

	if (!init) {
		struct kmonitor_kill *result = &self->result;
		int ret = syscall(__NR_pidfd_send_signal, pidfd, SIGKILL, NULL,
				  0);

		check(ret < 0 && errno == EINVAL, "the pidfd was accepted");
		check(!send_to(self->fd, process, SIGKILL, result) &&
			      !result->signalled && result->refused == 1,
		      "process: %u, %u", result->signalled, result->refused);
		check(!send_to(self->fd, tree, SIGKILL, result) &&
			      !result->signalled && result->refused == 2,
		      "tree: %u, %u", result->signalled, result->refused);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(init));
	EXPECT_EQ(2, signalled(self->fd, tree, SIGKILL));
	EXPECT_EQ(SIGKILL, km_join(root));
	close(pidfd);
}

TEST(a_member_that_gained_privileges_refuses)
{
	char *argv[] = { "wait", NULL };
	int fd, program, ready[2], gate[2];
	struct kmonitor_kill result;
	uint64_t handle;
	pid_t root;

	program = km_open_suid("wait", 0);
	become(NOBODY);
	fd = km_open(0);
	handle = km_add(fd, TREE, 0, 0, 1);
	km_gate(ready);
	km_gate(gate);
	root = km_fork();
	if (!root) {
		must(dup2(gate[0], 0));
		must(dup2(ready[1], 1));
		fexecve(program, argv, environ);
		_exit(127);
	}
	km_gate_wait(ready);
	EXPECT_EQ(0, send_to(fd, handle, 0, &result));
	EXPECT_EQ(1, result.signalled);
	EXPECT_EQ(1, result.refused);
	close(gate[1]);
	EXPECT_EQ(0, km_join(root));
}

struct errno_case {
	const char *what;
	uint32_t target;
	uint64_t bad_handle;
	int signo;
	uint32_t reserved;
	int expected;
};

static const struct errno_case errno_cases[] = {
	{ "no handle", TREE, UINT64_MAX, 0, 0, -ENOENT },
	{ "handle of none", TREE, 1ULL << 40, SIGKILL, 0, -ENOENT },
	{ "signal -1", TREE, 0, -1, 0, -EINVAL },
	{ "signal 65", TREE, 0, 65, 0, -EINVAL },
	{ "signal INT_MIN", PROCESS, 0, INT_MIN, 0, -EINVAL },
	{ "reserved", TREE, 0, 0, 1, -EINVAL },
	{ "reserved, high bit", TREE, 0, 0, 1U << 31, -EINVAL },
	{ "THREAD", KMONITOR_TARGET_THREAD, 0, 0, 0, -EINVAL },
	{ "ALL", KMONITOR_TARGET_ALL, 0, 0, 0, -EINVAL },
	{ "TREE", TREE, 0, 0, 0, 0 },
	{ "PROCESS", PROCESS, 0, 0, 0, 0 },
};

TEST_F(monitor, each_argument_is_answered_as_documented)
{
	const struct errno_case *c;
	int ret;

	for (size_t i = 0; i < sizeof(errno_cases) / sizeof(*c); i++) {
		c = &errno_cases[i];
		self->result = (struct kmonitor_kill){
			.handle = c->bad_handle ?:
					  km_add(self->fd, c->target, 0, 0, 1),
			.signo = c->signo,
			.reserved = c->reserved,
			.signalled = 99,
			.refused = 99,
		};
		ret = km_ioctl(self->fd, KMONITOR_IOC_KILL, &self->result);
		EXPECT_EQ(c->expected, ret)
		{
			TH_LOG("%s: %s", c->what, km_error(ret));
		}
		EXPECT_EQ(!ret, self->result.signalled);
		EXPECT_EQ(0, self->result.refused);
	}
}

TEST_F(monitor, nothing_is_sent_if_the_counts_cant_be_returned)
{
	char *page = km_guarded_page();
	struct kmonitor_kill *arg = (struct kmonitor_kill *)page;

	arg->handle = km_add(self->fd, TREE, 0, 0, 1);
	arg->signo = SIGKILL;
	must(mprotect(page, KM_PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, km_ioctl(self->fd, KMONITOR_IOC_KILL, arg));
	EXPECT_EQ(-EFAULT, km_ioctl(self->fd, KMONITOR_IOC_KILL, NULL));
	EXPECT_EQ(-EINVAL, km_ioctl(self->fd, _IOC(3, 0xDE, 5, 23), arg));
	EXPECT_EQ(-E2BIG, km_ioctl(self->fd, _IOC(3, 0xDE, 5, 8192), arg));
}

static void leave(int signo)
{
	_exit(signo);
}

/* A handler leaves a fork time to end, with a child that is to have the signal. */
TEST_F(monitor, a_child_that_is_being_forked_gets_a_caught_signal)
{
	const unsigned int rounds = km_scale(60, 20);
	struct kmonitor_event event;
	uint64_t handle;
	int gate[2];
	pid_t root;

	km_gate(gate);
	for (unsigned int i = 0; i < rounds; i++) {
		root = km_fork();
		if (!root) {
			signal(SIGTERM, leave);
			km_gate_wait(gate);
			for (int nr = 0; nr < 200; nr++) {
				if (!km_fork())
					break;
			}
			for (;;)
				pause();
		}
		handle = km_add(self->fd, TREE, root, 0, 0);
		km_gate_open(gate);
		while (signalled(self->fd, handle, 0) < 2 + i % 8)
			sched_yield();
		signalled(self->fd, handle, SIGTERM);
		EXPECT_TRUE(km_readable(self->fd, 10000))
		{
			TH_LOG("round %u: %u are left", i,
			       signalled(self->fd, handle, SIGKILL));
		}
		km_next(self->fd, &event);
		EXPECT_EQ(KMONITOR_EMPTY, event.type);
		while (waitpid(-1, NULL, 0) > 0)
			;
	}
	close(gate[0]);
	close(gate[1]);
}

#define BOMB_SIZE 24

static void explode(void)
{
	for (;;) {
		if (fork() < 0)
			sched_yield();
	}
}

/* As an ordinary user: a fork bomb in full swing, killed at once. */
static void defuse(unsigned int round)
{
	struct rlimit limit = { BOMB_SIZE, BOMB_SIZE };
	struct kmonitor_event event;
	struct kmonitor_kill result;
	uint64_t handle;
	int gate[2], fd;
	pid_t root;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	become(NOBODY);
	must(setrlimit(RLIMIT_NPROC, &limit));
	fd = km_open(64);
	km_gate(gate);
	root = km_fork();
	if (!root) {
		km_gate_wait(gate);
		explode();
	}
	handle = km_add(fd, TREE, root, 0, round);
	km_gate_open(gate);
	/* Sometimes at the limit, sometimes while it grows. */
	while (signalled(fd, handle, 0) < 2 + round % (BOMB_SIZE - 4))
		sched_yield();
	check(!send_to(fd, handle, SIGKILL, &result), "KILL failed");
	check(result.signalled && !result.refused, "%u signalled, %u refused",
	      result.signalled, result.refused);
	km_next(fd, &event);
	check(event.type == KMONITOR_EMPTY && event.cookie == round &&
		      event.empty.handle == handle,
	      "expected EMPTY, got %s", km_type_name(event.type));
	/* All came here when they became orphans, dead or alive. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	check(errno == ECHILD, "wait: %s", km_error(errno));
	_exit(0);
}

TEST(no_child_of_a_fork_bomb_survives)
{
	const unsigned int rounds = km_scale(100, 30);
	pid_t child;

	for (unsigned int i = 0; i < rounds; i++) {
		child = km_fork();
		if (!child)
			defuse(i);
		ASSERT_EQ(0, km_join(child))
		{
			TH_LOG("round %u", i);
		}
	}
}

TEST_HARNESS_MAIN
