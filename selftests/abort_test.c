// SPDX-License-Identifier: GPL-2.0-only
/* PROCESS_ABORT and THREAD_ABORT: who ended what by which signal. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common.h"

#define ABORTS (KMONITOR_PROCESS_ABORT | KMONITOR_THREAD_ABORT)

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
	uint64_t own_ticks;
};

FIXTURE_SETUP(monitor)
{
	const struct rlimit no_core = { 0, 0 };

	must(setrlimit(RLIMIT_CORE, &no_core));
	self->own_ticks = km_start_ticks(getpid());
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE | ABORTS, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

/*
 * The one PROCESS_ABORT of a process that has died with this status, which is
 * what waitpid() gave.
 */
static const struct kmonitor_event *abort_of(int fd, struct km_log *log,
					     pid_t pid, int status)
{
	const struct kmonitor_event *event, *end;

	km_read_until(fd, log, KMONITOR_PROCESS_EXIT, pid);
	check(km_count(log, KMONITOR_PROCESS_ABORT, pid) == 1,
	      "expected one PROCESS_ABORT of %d, got %zu", pid,
	      km_count(log, KMONITOR_PROCESS_ABORT, pid));
	event = km_find(log, KMONITOR_PROCESS_ABORT, pid);
	end = km_find(log, KMONITOR_PROCESS_EXIT, pid);
	check(end->exit.status == status, "expected status %d, got %d", status,
	      end->exit.status);
	check(WIFSIGNALED(status) && event->abort.signo == WTERMSIG(status),
	      "expected signal %d, got %d", WTERMSIG(status),
	      event->abort.signo);
	check(km_find(log, KMONITOR_THREAD_ABORT, pid) <
		      km_find(log, KMONITOR_THREAD_EXIT, pid),
	      "expected THREAD_ABORT, THREAD_EXIT");
	/* If several threads end at once, one reports for the process. */
	check(event < end && (km_count(log, KMONITOR_THREAD_ABORT, 0) > 1 ||
			      event < km_find(log, KMONITOR_THREAD_ABORT, pid)),
	      "expected PROCESS_ABORT, THREAD_ABORT, PROCESS_EXIT");
	return event;
}

static pid_t sleeper(void)
{
	pid_t child = km_fork();

	if (child)
		return child;
	for (;;)
		pause();
}

static void expect_sender(struct __test_metadata *_metadata,
			  const struct kmonitor_event *event, pid_t pid,
			  int code)
{
	EXPECT_EQ(code, event->abort.code);
	EXPECT_EQ(pid, event->abort.sender_pid);
	EXPECT_EQ(0, event->abort.sender_uid);
	EXPECT_EQ(0, event->abort.flags & KMONITOR_ABORT_SENDER_UNKNOWN);
	if (!pid)
		EXPECT_EQ(0, event->abort.sender_start_ns);
}

TEST_F(monitor, each_fatal_signal_names_its_sender)
{
	const int signals[] = { SIGKILL, SIGTERM, SIGHUP,	SIGUSR1,
				SIGALRM, SIGPIPE, SIGRTMIN + 1, SIGQUIT };
	const struct kmonitor_event *event;
	uint64_t before, after;
	pid_t child;
	int status;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		child = sleeper();
		before = km_boottime_ns();
		must(kill(child, signals[i]));
		after = km_boottime_ns();
		status = km_join(child);
		event = abort_of(self->fd, &self->log, child, status);
		EXPECT_EQ(signals[i], event->abort.signo);
		expect_sender(_metadata, event, getpid(), SI_USER);
		EXPECT_EQ(self->own_ticks,
			  event->abort.sender_start_ns / 10000000);
		EXPECT_EQ(signals[i] == SIGQUIT ? KMONITOR_ABORT_CORE : 0,
			  event->abort.flags);
		EXPECT_EQ(child, event->tgid);
		EXPECT_EQ(42, event->cookie);
		EXPECT_LE(before, event->time_ns);
		EXPECT_GE(after, event->time_ns);
		EXPECT_EQ(0, memcmp(&event->abort, &event[1].abort,
				    sizeof(event->abort)));
	}
}

TEST_F(monitor, the_sender_has_its_own_real_user_id)
{
	const struct kmonitor_event *event;
	pid_t victim, killer;
	int gate[2], status;

	km_gate(gate);
	victim = km_fork();
	if (!victim) {
		must(setresuid(1234, 1234, 1234));
		km_gate_open(gate);
		for (;;)
			pause();
	}
	km_gate_wait(gate);
	killer = km_fork();
	if (!killer) {
		must(setresuid(1234, 0, 0));
		must(kill(victim, SIGKILL));
		_exit(0);
	}
	EXPECT_EQ(0, km_join(killer));
	status = km_join(victim);
	event = abort_of(self->fd, &self->log, victim, status);
	EXPECT_EQ(killer, event->abort.sender_pid);
	EXPECT_EQ(1234, event->abort.sender_uid);
	EXPECT_EQ(km_find_fork(&self->log, killer)->fork.start_ns,
		  event->abort.sender_start_ns);
}

/* siginfo would tell the victim pid and user of a sender, but nothing else. */
TEST(the_start_of_a_sender_is_for_those_who_may_see_it)
{
	int leave[2], ready[2];
	pid_t victim, creator;

	km_gate(leave);
	km_gate(ready);
	victim = km_fork_as(1234, 1234, leave);
	creator = km_fork();
	if (!creator) {
		const struct kmonitor_event *event;
		struct km_log log = {};
		int fd;

		km_become(1234, 1234);
		fd = km_open(0);
		km_add(fd, KMONITOR_TARGET_PROCESS, victim,
		       KMONITOR_PROCESS_ABORT | KMONITOR_PROCESS_EXIT, 1);
		km_gate_open(ready);
		km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, victim);
		event = km_find(&log, KMONITOR_PROCESS_ABORT, victim);
		check(event && event->abort.sender_pid == getppid() &&
			      !event->abort.sender_uid &&
			      !event->abort.sender_start_ns,
		      "expected pid and user, and no start");
		_exit(0);
	}
	km_gate_wait(ready);
	must(kill(victim, SIGTERM));
	EXPECT_EQ(0, km_join(creator));
	EXPECT_EQ(SIGTERM, km_join(victim));
}

static void *wait_for_ever(void *arg)
{
	km_gate_open(arg);
	for (;;)
		pause();
	return arg;
}

static void add_threads(int gate[2], int nr)
{
	pthread_t thread;

	for (int i = 0; i < nr; i++) {
		check(!pthread_create(&thread, NULL, wait_for_ever, gate),
		      "no thread");
		km_gate_wait(gate);
	}
}

TEST_F(monitor, a_killed_process_reports_once_and_each_of_its_threads)
{
	const struct kmonitor_event *event;
	int gate[2], ready[2], status;
	pid_t child;

	km_gate(gate);
	km_gate(ready);
	child = km_fork();
	if (!child) {
		add_threads(gate, 7);
		km_gate_open(ready);
		for (;;)
			pause();
	}
	km_gate_wait(ready);
	must(kill(child, SIGKILL));
	status = km_join(child);
	event = abort_of(self->fd, &self->log, child, status);
	EXPECT_EQ(8, km_count(&self->log, KMONITOR_THREAD_ABORT, 0));
	EXPECT_EQ(8, km_count(&self->log, KMONITOR_THREAD_EXIT, 0));
	for (size_t i = 0; i < self->log.nr; i++) {
		if (self->log.event[i].type == KMONITOR_THREAD_ABORT)
			EXPECT_EQ(0, memcmp(&event->abort,
					    &self->log.event[i].abort,
					    sizeof(event->abort)));
	}
}

/* The threads that an exit or exec takes along were killed by the kernel. */
static void expect_taken_along(struct __test_metadata *_metadata,
			       const struct km_log *log, size_t nr)
{
	EXPECT_EQ(0, km_count(log, KMONITOR_PROCESS_ABORT, 0));
	EXPECT_EQ(nr, km_count(log, KMONITOR_THREAD_ABORT, 0));
	for (size_t i = 0; i < log->nr; i++) {
		if (log->event[i].type == KMONITOR_THREAD_ABORT) {
			EXPECT_EQ(SIGKILL, log->event[i].abort.signo);
			expect_sender(_metadata, &log->event[i], 0, SI_KERNEL);
		}
	}
}

TEST_F(monitor, an_exit_aborts_the_other_threads_only)
{
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		add_threads(gate, 3);
		_exit(3);
	}
	EXPECT_EQ(3 << 8, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	expect_taken_along(_metadata, &self->log, 3);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_THREAD_ABORT, child));
}

TEST_F(monitor, an_exec_aborts_the_other_threads_only)
{
	char *argv[] = { "quick", NULL };
	char *quick = km_helper("quick");
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		add_threads(gate, 3);
		execv(quick, argv);
		_exit(127);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	expect_taken_along(_metadata, &self->log, 3);
	EXPECT_LT(km_find(&self->log, KMONITOR_THREAD_ABORT, 0),
		  km_find(&self->log, KMONITOR_PROCESS_EXEC, child));
}

TEST_F(monitor, an_exit_is_no_abort)
{
	pid_t child = km_fork();

	if (!child)
		_exit(9);
	km_join(child);
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, ABORTS, 0));
}

TEST_F(monitor, a_fault_has_no_sender)
{
	char *nothing = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	const struct kmonitor_event *event;
	pid_t child;

	must(munmap(nothing, KM_PAGE));
	child = km_fork();
	if (!child) {
		*(volatile char *)nothing = 0;
		_exit(0);
	}
	event = abort_of(self->fd, &self->log, child, km_join(child));
	EXPECT_EQ(SIGSEGV, event->abort.signo);
	expect_sender(_metadata, event, 0, SEGV_MAPERR);
	EXPECT_EQ(KMONITOR_ABORT_CORE, event->abort.flags);
}

TEST_F(monitor, who_aborts_itself_is_the_sender)
{
	const struct kmonitor_event *event;
	pid_t child = km_fork();

	if (!child)
		abort();
	event = abort_of(self->fd, &self->log, child, km_join(child));
	EXPECT_EQ(SIGABRT, event->abort.signo);
	expect_sender(_metadata, event, child, SI_TKILL);
}

TEST_F(monitor, a_queued_signal_names_its_sender_whatever_it_claims)
{
	const struct kmonitor_event *event;
	pid_t child = sleeper();
	siginfo_t info = { .si_signo = SIGTERM, .si_code = SI_QUEUE };

	info.si_pid = 1;
	info.si_uid = 4321;
	must(syscall(SYS_rt_sigqueueinfo, child, SIGTERM, &info));
	event = abort_of(self->fd, &self->log, child, km_join(child));
	expect_sender(_metadata, event, getpid(), SI_QUEUE);
}

TEST_F(monitor, a_timer_is_the_kernels)
{
	const struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	struct sigevent signal = { .sigev_notify = SIGEV_SIGNAL,
				   .sigev_signo = SIGTERM };
	const struct kmonitor_event *event;
	pid_t child = km_fork();
	timer_t timer;

	if (!child) {
		must(timer_create(CLOCK_MONOTONIC, &signal, &timer));
		must(timer_settime(timer, 0, &soon, NULL));
		for (;;)
			pause();
	}
	event = abort_of(self->fd, &self->log, child, km_join(child));
	expect_sender(_metadata, event, 0, SI_TIMER);
}

TEST_F(monitor, the_signal_of_a_parents_death_is_the_parents)
{
	const struct kmonitor_event *event;
	pid_t parent, child;
	int gate[2];

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	km_gate(gate);
	parent = km_fork();
	if (!parent) {
		child = km_fork();
		if (!child) {
			must(prctl(PR_SET_PDEATHSIG, SIGTERM));
			km_gate_open(gate);
			for (;;)
				pause();
		}
		km_gate_wait(gate);
		_exit(0);
	}
	km_join(parent);
	child = waitpid(-1, NULL, 0);
	event = abort_of(self->fd, &self->log, child, SIGTERM);
	expect_sender(_metadata, event, parent, SI_USER);
}

TEST_F(monitor, cgroup_kill_names_who_wrote_it)
{
	const char *group = "/sys/fs/cgroup/abort_test";
	const struct kmonitor_event *event;
	pid_t child = sleeper();
	char path[64];
	int file;

	must(mkdir(group, 0755));
	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	file = must(open(path, O_WRONLY | O_CLOEXEC));
	check(dprintf(file, "%d", child) > 0, "can't move %d", child);
	close(file);
	snprintf(path, sizeof(path), "%s/cgroup.kill", group);
	file = must(open(path, O_WRONLY | O_CLOEXEC));
	must(write(file, "1", 1));
	close(file);
	event = abort_of(self->fd, &self->log, child, km_join(child));
	must(rmdir(group));
	EXPECT_EQ(SIGKILL, event->abort.signo);
	expect_sender(_metadata, event, getpid(), SI_USER);
}

/* Starts with SIGTERM blocked; lets it through when the gate opens. */
static pid_t late_victim(int gate[2], int ready[2], void (*handler)(int))
{
	sigset_t set;
	pid_t child = km_fork();

	if (child)
		return child;
	signal(SIGTERM, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	km_gate_open(ready);
	km_gate_wait(gate);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(0);
}

static void do_nothing(int signo)
{
	(void)signo;
}

TEST_F(monitor, a_blocked_signal_names_its_sender_when_it_kills)
{
	const struct kmonitor_event *event;
	int gate[2], ready[2];
	pid_t child;

	km_gate(gate);
	km_gate(ready);
	child = late_victim(gate, ready, SIG_DFL);
	km_gate_wait(ready);
	must(kill(child, SIGTERM));
	EXPECT_EQ(0, km_count(&self->log, ABORTS, 0));
	km_gate_open(gate);
	event = abort_of(self->fd, &self->log, child, km_join(child));
	expect_sender(_metadata, event, getpid(), SI_USER);
}

TEST_F(monitor, a_signal_that_was_not_fatal_when_sent_has_no_known_sender)
{
	const struct kmonitor_event *event;
	int gate[2], ready[2];
	pid_t child;

	km_gate(gate);
	km_gate(ready);
	child = late_victim(gate, ready, do_nothing);
	km_gate_wait(ready);
	must(kill(child, SIGTERM));
	km_gate_open(gate);
	event = abort_of(self->fd, &self->log, child, km_join(child));
	EXPECT_EQ(KMONITOR_ABORT_SENDER_UNKNOWN, event->abort.flags);
	EXPECT_EQ(0, event->abort.sender_pid);
	EXPECT_EQ(0, event->abort.sender_start_ns);
}

/* A task that a namespace can't see is not named there. */
TEST_F(monitor, a_sender_outside_of_the_namespace_is_unknown)
{
	struct kmonitor_event event;
	int answer[2], status, fd;
	struct km_log log = {};
	pid_t init, child;

	km_gate(answer);
	init = km_raw_clone(CLONE_NEWPID | SIGCHLD);
	if (!init) {
		fd = km_open(0);
		km_add(fd, KMONITOR_TARGET_TREE, 0, KM_LIFE | ABORTS, 1);
		child = sleeper();
		status = km_join(child);
		event = *abort_of(fd, &log, child, status);
		must(write(answer[1], &event, sizeof(event)));
		_exit(0);
	}
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_FORK, init);
	child = km_find(&self->log, KMONITOR_PROCESS_FORK, init)->fork.pid;
	must(kill(child, SIGKILL));
	must(read(answer[0], &event, sizeof(event)));
	EXPECT_EQ(SIGKILL, event.abort.signo);
	EXPECT_EQ(2, event.pid);
	EXPECT_EQ(KMONITOR_ABORT_SENDER_UNKNOWN, event.abort.flags);
	EXPECT_EQ(0, event.abort.sender_pid);
	EXPECT_EQ(0, event.abort.sender_start_ns);
	EXPECT_EQ(0, km_join(init));
	event = *abort_of(self->fd, &self->log, child, SIGKILL);
	expect_sender(_metadata, &event, getpid(), SI_USER);
}

static void *break_the_rules(void *arg)
{
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	syscall(SYS_getpid);
	return arg;
}

TEST_F(monitor, a_thread_that_seccomp_kills_does_not_end_its_process)
{
	const struct kmonitor_event *event;
	pthread_t thread;
	pid_t child = km_fork();

	if (!child) {
		check(!pthread_create(&thread, NULL, break_the_rules, NULL),
		      "no thread");
		pthread_join(thread, NULL);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_PROCESS_ABORT, 0));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_THREAD_ABORT, 0));
	event = km_find(&self->log, KMONITOR_THREAD_ABORT, 0);
	ASSERT_NE(NULL, event);
	EXPECT_NE(child, event->pid);
	EXPECT_EQ(SIGKILL, event->abort.signo);
	expect_sender(_metadata, event, 0, SI_KERNEL);
	EXPECT_EQ(SIGKILL, event[1].exit.status);
}

TEST_F(monitor, a_process_that_seccomp_kills_says_so)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };
	const struct kmonitor_event *event;
	pid_t child = km_fork();

	if (!child) {
		must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
		syscall(SYS_getppid);
		_exit(0);
	}
	event = abort_of(self->fd, &self->log, child, km_join(child));
	EXPECT_EQ(SIGSYS, event->abort.signo);
	expect_sender(_metadata, event, 0, 1 /* SYS_SECCOMP */);
	EXPECT_EQ(KMONITOR_ABORT_CORE, event->abort.flags);
}

/* Kill and exit race; whichever wins, status and PROCESS_ABORT agree. */
TEST_F(monitor, an_abort_agrees_with_the_status)
{
	int status, gate[2];
	pid_t child;

	km_gate(gate);
	for (unsigned int i = 0; i < km_scale(300, 60); i++) {
		child = km_fork();
		if (!child) {
			km_gate_open(gate);
			_exit(0);
		}
		km_gate_wait(gate);
		kill(child, i % 2 ? SIGTERM : SIGSEGV);
		status = km_join(child);
		if (status)
			abort_of(self->fd, &self->log, child, status);
		km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT,
			      child);
		EXPECT_EQ(status ? 1 : 0,
			  km_count(&self->log, KMONITOR_PROCESS_ABORT, child));
		self->log.nr = 0;
	}
}

/* A process that nothing holds is watched for what conditions want. */
TEST(a_condition_that_wants_no_exits_gets_aborts)
{
	int fd = km_open(0), status;
	struct km_log log = {};
	pid_t child;

	km_add(fd, KMONITOR_TARGET_ALL, 0, ABORTS, 0);
	child = sleeper();
	must(kill(child, SIGTERM));
	status = km_join(child);
	EXPECT_TRUE(WIFSIGNALED(status));
	km_drain(fd, &log);
	EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_ABORT, child));
	EXPECT_EQ(1, km_count(&log, KMONITOR_THREAD_ABORT, child));
	close(fd);
}

TEST_HARNESS_MAIN
