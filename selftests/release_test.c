// SPDX-License-Identifier: GPL-2.0-only
/*
 * PROCESS_EXIT comes when the process holds nothing any more.
 *
 * A process has two threads.  The sibling leaves first: signal->live falls to
 * one, and on its way through exit_mm() it clears its tid word and wakes the
 * futex there.  The waiter has a higher real-time priority and is bound to the
 * same CPU, as all are: the wake-up puts the sibling aside right there, behind
 * its decrement of signal->live and before exit_files().  The waiter wakes the
 * test, whose priority is above the sibling's too, and which does not sleep
 * until it has seen enough.  It lets the leader leave, its equal, which takes
 * signal->live to zero, passes all of do_exit() and becomes a zombie.  The
 * memory, the socket and the lock of the process live on with the sibling.
 *
 * If the record came with the end of the thread that found group_dead, it
 * would be there before the leader is a zombie, and the test that nothing has
 * come by then would fail; so would bind() after the record.
 */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

/* Real-time priorities; the test and the leader have the same. */
#define SIBLING 10
#define TEST_AND_LEADER 15
#define WAITER 20

/* Shared by all: the sibling's tid word, and how far the others have come. */
struct stage {
	int tid_word;
	int waiting;
	in_port_t port;
	int ready[2];
	int sibling_leaves[2];
	int stalled[2];
	int leader_leaves[2];
};

FIXTURE(process)
{
	int fd;
	int memfd;
	int lock;
	pid_t pid;
	pid_t waiter;
	struct stage *stage;
	struct km_log log;
};

static void set_priority(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	must(sched_setscheduler(0, SCHED_FIFO, &param));
}

/* Takes the CPU from the sibling as soon as its tid word is cleared. */
static void wait_for_sibling(struct stage *stage)
{
	set_priority(WAITER);
	stage->waiting = 1;
	while (__atomic_load_n(&stage->tid_word, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &stage->tid_word, FUTEX_WAIT, 1, NULL, NULL,
			0);
	km_gate_open(stage->stalled);
	_exit(0);
}

static void *sibling(void *arg)
{
	struct stage *stage = arg;

	set_priority(SIBLING);
	syscall(SYS_set_tid_address, &stage->tid_word);
	__atomic_store_n(&stage->tid_word, 1, __ATOMIC_RELEASE);
	km_gate_open(stage->ready);
	km_gate_wait(stage->sibling_leaves);
	syscall(SYS_exit, 0);
	return NULL;
}

/* Holds a listening socket, a lock and a writable mapping until it ends. */
static void hold_and_leave(struct stage *stage, int memfd, const char *lock)
{
	pthread_t thread;
	int fd;

	check(km_listen(&stage->port) >= 0, "no port");
	fd = must(open(lock, O_RDWR | O_CLOEXEC));
	must(flock(fd, LOCK_EX));
	must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0));
	check(!pthread_create(&thread, NULL, sibling, stage), "no thread");
	km_gate_wait(stage->leader_leaves);
	syscall(SYS_exit, 0);
}

FIXTURE_SETUP(process)
{
	char lock[] = "/tmp/release_test.XXXXXX";

	self->fd = km_open(0);
	self->memfd =
		must(memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	must(ftruncate(self->memfd, KM_PAGE));
	self->lock = must(mkstemp(lock));
	self->stage = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	km_gate(self->stage->ready);
	km_gate(self->stage->sibling_leaves);
	km_gate(self->stage->stalled);
	km_gate(self->stage->leader_leaves);

	km_pin(0);
	set_priority(TEST_AND_LEADER);
	self->pid = km_fork();
	if (!self->pid)
		hold_and_leave(self->stage, self->memfd, lock);
	km_gate_wait(self->stage->ready);
	must(unlink(lock));
	self->waiter = km_fork();
	if (!self->waiter)
		wait_for_sibling(self->stage);
	while (!__atomic_load_n(&self->stage->waiting, __ATOMIC_ACQUIRE) ||
	       km_state(self->waiter) != 'S')
		sched_yield();
}

FIXTURE_TEARDOWN(process)
{
	close(self->lock);
	close(self->memfd);
	close(self->fd);
}

/* The process's resources, as errors of another that wants them. */
static void expect_held(struct __test_metadata *_metadata,
			FIXTURE_DATA(process) * self, bool held)
{
	int ret = km_listen(&self->stage->port);

	EXPECT_EQ(held ? -EADDRINUSE : 0, ret < 0 ? ret : 0);
	ret = flock(self->lock, LOCK_EX | LOCK_NB) ? errno : 0;
	EXPECT_EQ(held ? EWOULDBLOCK : 0, ret);
	ret = fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE) ? errno : 0;
	EXPECT_EQ(held ? EBUSY : 0, ret);
}

/* Whether a task can be preempted in the kernel, which says so in its version. */
static bool kernel_preempts(void)
{
	struct utsname name;

	must(uname(&name));
	return strstr(name.version, "PREEMPT");
}

TEST_F(process, exit_waits_for_a_stalled_sibling)
{
	const struct kmonitor_event *leader;

	if (!kernel_preempts()) {
		must(kill(self->waiter, SIGKILL));
		must(kill(self->pid, SIGKILL));
		SKIP(return, "no thread stalls in this kernel");
	}
	km_add(self->fd, KMONITOR_TARGET_PROCESS, self->pid, KM_LIFE, 1);
	km_gate_open(self->stage->sibling_leaves);
	check(km_readable(self->stage->stalled[0], KM_TIMEOUT_MS),
	      "the sibling doesn't stall");
	/* From here on the sibling runs when the test sleeps. */
	km_gate_open(self->stage->leader_leaves);
	while (km_state(self->pid) != 'Z')
		sched_yield();

	/* Both threads have had their record, one as the last. */
	km_drain(self->fd, &self->log);
	EXPECT_EQ(2, km_count(&self->log, KMONITOR_THREAD_EXIT, 0));
	leader = km_find(&self->log, KMONITOR_THREAD_EXIT, self->pid);
	ASSERT_NE(NULL, leader);
	EXPECT_EQ(KMONITOR_EVENT_LAST_THREAD, leader->flags);
	/* But the process holds all that it held, and has not ended. */
	expect_held(_metadata, self, true);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_FALSE(km_readable(self->fd, 0));
	EXPECT_EQ(1, km_stats(self->fd).filters);

	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, self->pid);
	expect_held(_metadata, self, false);
	EXPECT_EQ(0, km_join(self->pid));
	EXPECT_EQ(0, km_join(self->waiter));
	EXPECT_EQ(3, self->log.nr);
}

/*
 * The same without a stall, as a supervisor restarts a service.  The
 * supervisor has the highest priority of all: it looks at once.
 */
TEST_F(process, what_it_held_is_free_when_the_record_is_read)
{
	km_add(self->fd, KMONITOR_TARGET_PROCESS, self->pid,
	       KMONITOR_PROCESS_EXIT, 1);
	must(kill(self->waiter, SIGKILL));
	EXPECT_EQ(SIGKILL, km_join(self->waiter));
	set_priority(WAITER);
	must(kill(self->pid, SIGKILL));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, self->pid);
	expect_held(_metadata, self, false);
	EXPECT_EQ(SIGKILL, km_join(self->pid));
}

/* A supervisor that waits finds the record when wait() has returned. */
TEST(exit_comes_before_wait_returns)
{
	struct km_log log = {};
	int fd = km_open(4096);
	pid_t child;

	km_add(fd, KMONITOR_TARGET_TREE, 0, KMONITOR_PROCESS_EXIT, 1);
	for (int i = 0; i < 200; i++) {
		child = vfork();
		if (!child)
			_exit(0);
		km_join(child);
		km_drain(fd, &log);
		ASSERT_EQ(i + 1, log.nr);
		ASSERT_EQ(child, log.event[i].pid);
	}
	close(fd);
}

TEST_HARNESS_MAIN
