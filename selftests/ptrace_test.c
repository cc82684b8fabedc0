// SPDX-License-Identifier: GPL-2.0-only
/* PTRACE: who traces whom, from when and until when. */

#include "kselftest_harness.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE | KMONITOR_PTRACE,
	       42);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static void expect_next(struct __test_metadata *_metadata, int fd,
			struct km_log *log, pid_t peer, uint32_t op)
{
	const struct kmonitor_event *event;

	km_drain(fd, log);
	event = &log->event[log->nr - 1];
	EXPECT_EQ(KMONITOR_PTRACE, event->type);
	EXPECT_EQ(getpid(), event->pid);
	EXPECT_EQ(getpid(), event->tgid);
	EXPECT_EQ(42, event->cookie);
	EXPECT_EQ(peer, event->ptrace.peer_pid);
	EXPECT_EQ(peer, event->ptrace.peer_tgid);
	EXPECT_EQ(km_find_fork(log, peer)->fork.start_ns,
		  event->ptrace.peer_start_ns);
	EXPECT_EQ(op, event->ptrace.op);
	EXPECT_EQ(0, event->ptrace.reserved);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, event->ptrace.reserved2[i]);
}

static pid_t sleeper(void)
{
	pid_t child = km_fork();

	if (child)
		return child;
	for (;;)
		pause();
}

TEST_F(monitor, attach_and_detach_are_told_to_the_tracer)
{
	pid_t child = sleeper();

	must(ptrace(PTRACE_ATTACH, child, 0, 0));
	expect_next(_metadata, self->fd, &self->log, child,
		    KMONITOR_PTRACE_ATTACH);
	must(waitpid(child, NULL, 0));
	must(ptrace(PTRACE_DETACH, child, 0, 0));
	expect_next(_metadata, self->fd, &self->log, child,
		    KMONITOR_PTRACE_DETACH);
	EXPECT_EQ(2, km_count(&self->log, KMONITOR_PTRACE, 0));
	must(kill(child, SIGKILL));
	km_join(child);
}

TEST_F(monitor, seize_is_an_attach)
{
	pid_t child = sleeper();

	must(ptrace(PTRACE_SEIZE, child, 0, 0));
	expect_next(_metadata, self->fd, &self->log, child,
		    KMONITOR_PTRACE_ATTACH);
	must(kill(child, SIGKILL));
	km_join(child);
}

TEST_F(monitor, who_asks_to_be_traced_is_the_peer)
{
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		must(ptrace(PTRACE_TRACEME, 0, 0, 0));
		check(ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 && errno == EPERM,
		      "expected EPERM");
		km_gate_open(gate);
		_exit(0);
	}
	km_gate_wait(gate);
	km_join(child);
	km_drain(self->fd, &self->log);
	ASSERT_EQ(1, km_count(&self->log, KMONITOR_PTRACE, 0));
	self->log.nr =
		km_find(&self->log, KMONITOR_PTRACE, 0) - self->log.event + 1;
	expect_next(_metadata, self->fd, &self->log, child,
		    KMONITOR_PTRACE_ATTACH);
}

/* A process that creates another at the gate, and both wait. */
static pid_t clone_at_gate(int gate[2], unsigned long flags)
{
	pid_t child = km_fork();

	if (child)
		return child;
	km_gate_wait(gate);
	km_raw_clone(flags);
	for (;;)
		pause();
}

/* The tracer learns of it by ptrace(2), and its monitor by the FORK. */
TEST_F(monitor, who_is_traced_from_its_birth_is_not_attached_to)
{
	static const struct {
		long options;
		unsigned long flags;
	} ways[] = {
		{ PTRACE_O_TRACEFORK, SIGCHLD },
		{ PTRACE_O_TRACEVFORK, CLONE_VFORK | SIGCHLD },
		{ PTRACE_O_TRACECLONE, 0 },
		{ 0, CLONE_PTRACE | SIGCHLD },
	};
	pid_t child, tracee;
	int gate[2];

	km_gate(gate);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		child = clone_at_gate(gate, ways[i].flags);
		must(ptrace(PTRACE_SEIZE, child, 0, ways[i].options));
		expect_next(_metadata, self->fd, &self->log, child,
			    KMONITOR_PTRACE_ATTACH);
		km_gate_open(gate);
		do {
			tracee = must(waitpid(-1, NULL, __WALL));
		} while (tracee == child);
		km_drain(self->fd, &self->log);
		EXPECT_NE(NULL, km_find_fork(&self->log, tracee));
		EXPECT_EQ(2 * i + 1, km_count(&self->log, KMONITOR_PTRACE, 0));
		must(ptrace(PTRACE_DETACH, tracee, 0, 0));
		expect_next(_metadata, self->fd, &self->log, tracee,
			    KMONITOR_PTRACE_DETACH);
		must(kill(tracee, SIGKILL));
		must(kill(child, SIGKILL));
		while (waitpid(-1, NULL, __WALL) > 0)
			;
		/* No child of this process: its end comes when it comes. */
		km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT,
			      tracee);
	}
}

TEST_F(monitor, a_refused_attach_is_not_told)
{
	check(ptrace(PTRACE_ATTACH, getpid(), 0, 0) == -1 && errno == EPERM,
	      "expected EPERM");
	km_drain(self->fd, &self->log);
	EXPECT_EQ(0, self->log.nr);
}

/*
 * Two descriptors hold the tracer; the creator of one may not see the tracee.
 * Both have the same namespaces, so that only the peer differs.
 */
TEST_F(monitor, a_peer_that_the_creator_may_not_see_is_not_named)
{
	struct kmonitor_event event;
	pid_t creator;
	int fd;

	creator = km_fork();
	if (!creator) {
		pid_t tracer;

		must(setresgid(5, 5, 5));
		must(setresuid(5, 5, 5));
		must(prctl(PR_SET_DUMPABLE, 1));
		fd = km_open(0);
		km_add(fd, KMONITOR_TARGET_TREE, 0, KMONITOR_PTRACE, 1);
		/* A tracee of its own, which hides itself at once. */
		tracer = km_fork();
		if (!tracer) {
			pid_t hidden = km_fork();

			if (!hidden) {
				must(prctl(PR_SET_DUMPABLE, 0));
				must(ptrace(PTRACE_TRACEME, 0, 0, 0));
				_exit(0);
			}
			km_join(hidden);
			_exit(0);
		}
		km_join(tracer);
		km_next(fd, &event);
		check(event.type == KMONITOR_PTRACE && event.tgid == tracer &&
			      event.ptrace.op == KMONITOR_PTRACE_ATTACH,
		      "expected the PTRACE of %d", tracer);
		check(!event.ptrace.peer_pid && !event.ptrace.peer_tgid &&
			      !event.ptrace.peer_start_ns,
		      "expected no peer, got %d", event.ptrace.peer_pid);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(creator));
	/* This one sees all. */
	km_drain(self->fd, &self->log);
	ASSERT_EQ(1, km_count(&self->log, KMONITOR_PTRACE, 0));
	EXPECT_LT(0, km_find(&self->log, KMONITOR_PTRACE, 0)->ptrace.peer_pid);
}

/* Lets all that it traces go on until nothing is left of it. */
static void attend_tracees(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status))
			continue;
		/* A signal is passed on; the stops of ptrace are none. */
		ptrace(PTRACE_CONT, pid, 0,
		       status >> 16 ? 0 : WSTOPSIG(status));
	}
}

/* A process that traces another, until that ends or it is killed. */
static pid_t trace(pid_t pid, bool attend)
{
	pid_t tracer;
	int ready[2];

	km_gate(ready);
	tracer = km_fork();
	if (!tracer) {
		must(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK));
		km_gate_open(ready);
		if (attend)
			attend_tracees();
		else
			for (;;)
				pause();
		_exit(0);
	}
	km_gate_wait(ready);
	return tracer;
}

TEST_F(monitor, the_parent_of_a_tracee_is_not_its_tracer)
{
	const struct kmonitor_event *event, *birth;
	pid_t child, tracer;
	int gate[2];

	km_gate(gate);
	child = km_fork();
	if (!child) {
		km_gate_wait(gate);
		km_fork_and_join(3);
		_exit(4);
	}
	tracer = trace(child, true);
	km_gate_open(gate);
	EXPECT_EQ(0, km_join(tracer));
	EXPECT_EQ(4 << 8, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	birth = km_find(&self->log, KMONITOR_PROCESS_FORK, child);
	ASSERT_NE(NULL, birth);
	EXPECT_EQ(getpid(), birth->ppid);
	EXPECT_EQ(child, birth->fork.ppid);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(getpid(), event->ppid);
	EXPECT_EQ(4 << 8, event->exit.status);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, birth->fork.pid);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(child, event->ppid);
	EXPECT_EQ(3 << 8, event->exit.status);
}

TEST_F(monitor, a_tracee_ends_whether_its_tracer_looks_or_not)
{
	const struct kmonitor_event *event;
	pid_t child = sleeper(), tracer = trace(child, false);

	must(kill(child, SIGKILL));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(SIGKILL, event->exit.status);
	/* Its parent can't reap it before the tracer did. */
	EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
	must(kill(tracer, SIGKILL));
	km_join(tracer);
	EXPECT_EQ(SIGKILL, km_join(child));
}

TEST_F(monitor, a_tracee_outlives_its_tracer)
{
	const struct kmonitor_event *event;
	pid_t child, tracer;
	int gate[2];

	km_gate(gate);
	child = km_fork_at_gate(gate);
	tracer = trace(child, false);
	must(kill(tracer, SIGKILL));
	EXPECT_EQ(SIGKILL, km_join(tracer));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, tracer);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_PROCESS_EXIT, child));
	km_gate_open(gate);
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(getpid(), event->ppid);
	EXPECT_EQ(0, event->exit.status);
}

TEST_HARNESS_MAIN
