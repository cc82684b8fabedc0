// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races that are lost on purpose: a thread is held up between two steps, and
 * what it relies on is taken away meanwhile.
 */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "window.h"

/*
 * FILTER_ADD has seen that the handle can be written, and is held up before it
 * changes anything.
 */

struct editor {
	int fd;
	struct kmonitor_filter *filter;
	pid_t tid;
	int ready[2];
	int go[2];
	int ret;
};

static void *add_when_asked(void *arg)
{
	struct editor *editor = arg;

	editor->tid = gettid();
	km_gate_open(editor->ready);
	km_gate_wait(editor->go);
	editor->ret =
		km_ioctl(editor->fd, KMONITOR_IOC_FILTER_ADD, editor->filter);
	return NULL;
}

static void take_write_permission(void *page)
{
	must(mprotect(page, KM_PAGE, PROT_READ));
}

static void take_mapping(void *page)
{
	must(munmap(page, KM_PAGE));
}

static void take_content(void *page)
{
	must(madvise(page, KM_PAGE, MADV_DONTNEED));
}

/* Adds the filter and takes its page away in the window; the result of the call. */
static int add_with_page_taken(int fd, const struct kmonitor_filter *filter,
			       struct kmonitor_filter *page,
			       void (*take)(void *page))
{
	struct editor editor = { .fd = fd, .filter = page };
	pthread_t thread;

	*page = *filter;
	km_gate(editor.ready);
	km_gate(editor.go);
	check(!pthread_create(&thread, NULL, add_when_asked, &editor),
	      "no thread");
	km_gate_wait(editor.ready);
	hold_in_window(editor.tid, 1, SLEEP_US);
	km_gate_open(editor.go);
	check(is_in_window(1, KM_TIMEOUT_MS), "not in the window");
	take(page);
	let_go();
	check(!pthread_join(thread, NULL), "no end of the thread");
	for (int i = 0; i < 2; i++) {
		close(editor.ready[i]);
		close(editor.go[i]);
	}
	return editor.ret;
}

FIXTURE(edit)
{
	int fd;
	struct kmonitor_filter *page;
};

FIXTURE_VARIANT(edit)
{
	uint32_t target;
	void (*take)(void *page);
};

/* clang-format off */
FIXTURE_VARIANT_ADD(edit, process_read_only) {
	KMONITOR_TARGET_PROCESS, take_write_permission
};
FIXTURE_VARIANT_ADD(edit, process_gone) {
	KMONITOR_TARGET_PROCESS, take_mapping
};
FIXTURE_VARIANT_ADD(edit, all_read_only) {
	KMONITOR_TARGET_ALL, take_write_permission
};
FIXTURE_VARIANT_ADD(edit, all_gone) { KMONITOR_TARGET_ALL, take_mapping };
/* clang-format on */

FIXTURE_SETUP(edit)
{
	self->fd = km_open(64);
	self->page = (void *)km_guarded_page();
}

FIXTURE_TEARDOWN(edit)
{
	let_go();
	close(self->fd);
}

TEST_F(edit, a_new_filter_whose_handle_cannot_be_written_is_none)
{
	const struct kmonitor_filter filter = {
		.target = variant->target,
		.events = KM_LIFE,
		.cookie = 2,
	};

	EXPECT_EQ(-EFAULT, add_with_page_taken(self->fd, &filter, self->page,
					       variant->take));
	EXPECT_EQ(0, km_stats(self->fd).filters);
	km_fork_and_join(0);
	EXPECT_EQ(0, km_stats(self->fd).matched);
}

TEST_F(edit, a_filter_whose_handle_cannot_be_written_is_not_extended)
{
	const struct kmonitor_filter filter = {
		.target = variant->target,
		.events = KM_LIFE,
		.cookie = 2,
	};
	struct kmonitor_event event[8];

	km_add(self->fd, variant->target, 0, KMONITOR_PROCESS_FORK, 1);
	EXPECT_EQ(-EFAULT, add_with_page_taken(self->fd, &filter, self->page,
					       variant->take));
	EXPECT_EQ(1, km_stats(self->fd).filters);
	km_fork_and_join(0);
	ASSERT_EQ(1, km_read(self->fd, event, 8));
	EXPECT_EQ(KMONITOR_PROCESS_FORK, event[0].type);
	EXPECT_EQ(1, event[0].cookie);
	EXPECT_EQ(1, km_stats(self->fd).matched);
}

/* A page that can be faulted in again is no error. */
TEST_F(edit, a_page_that_comes_back_gets_the_handle)
{
	const struct kmonitor_filter filter = {
		.target = variant->target,
		.events = KMONITOR_PROCESS_FORK,
		.cookie = 2,
	};

	EXPECT_EQ(0, add_with_page_taken(self->fd, &filter, self->page,
					 take_content));
	EXPECT_EQ(1, km_stats(self->fd).filters);
	EXPECT_NE(0, self->page->handle);
	EXPECT_EQ(0, km_del(self->fd, self->page->handle));
}

/*
 * PTRACE_TRACEME: the subject of the record is the parent, which ends meanwhile.
 * The tracee is held up before it looks whether the tracer has ended, or then.
 */

#define BEFORE_THE_LOOK 1
#define BEHIND_THE_LOOK 2

struct tracing {
	int ready[2];
	int trace[2];
	int leave[2];
	pid_t tracee;
};

static void be_traced(const struct tracing *tracing)
{
	pid_t pid = getpid();

	must(write(tracing->ready[1], &pid, sizeof(pid)));
	km_gate_wait((int *)tracing->trace);
	must(ptrace(PTRACE_TRACEME, 0, 0, 0));
	_exit(0);
}

/* A process with a child that asks to be traced when its gate opens. */
static pid_t fork_tracer(struct tracing *tracing)
{
	pid_t tracer;

	km_gate(tracing->ready);
	km_gate(tracing->trace);
	km_gate(tracing->leave);
	tracer = km_fork();
	if (!tracer) {
		if (!km_fork())
			be_traced(tracing);
		km_gate_wait(tracing->leave);
		_exit(0);
	}
	check(must(read(tracing->ready[0], &tracing->tracee,
			sizeof(tracing->tracee))) == sizeof(tracing->tracee),
	      "no tracee");
	return tracer;
}

/*
 * Lets the tracer end while the tracee is in the window: before the look until
 * it has ended, behind the look for as long as it would take, as it can't.
 */
static void end_tracer_in_window(struct tracing *tracing, pid_t tracer,
				 unsigned int nr)
{
	siginfo_t info;

	hold_in_window(tracing->tracee, nr,
		       nr == BEFORE_THE_LOOK ? 10 * SPIN_US : SPIN_US);
	km_gate_open(tracing->trace);
	check(is_in_window(nr, KM_TIMEOUT_MS), "not in the window");
	km_gate_open(tracing->leave);
	must(waitid(P_PID, tracer, &info, WEXITED | WNOWAIT));
	let_go();
}

FIXTURE(tracer)
{
	int fd;
	struct km_log log;
};

FIXTURE_VARIANT(tracer)
{
	unsigned int window;
	size_t records;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(tracer, before_the_look) { BEFORE_THE_LOOK, 0 };
FIXTURE_VARIANT_ADD(tracer, behind_the_look) { BEHIND_THE_LOOK, 1 };
/* clang-format on */

FIXTURE_SETUP(tracer)
{
	/* A process that has ended has no filters of its own any more. */
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_ALL, 0,
	       KMONITOR_PROCESS_EXIT | KMONITOR_PTRACE, 1);
}

FIXTURE_TEARDOWN(tracer)
{
	let_go();
	close(self->fd);
}

TEST_F(tracer, no_attach_follows_its_exit)
{
	const struct kmonitor_event *exit, *attach;
	struct tracing tracing;
	pid_t tracer;

	for (int i = 0; i < 5; i++) {
		self->log.nr = 0;
		tracer = fork_tracer(&tracing);
		end_tracer_in_window(&tracing, tracer, variant->window);
		km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT,
			      tracer);
		km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT,
			      tracing.tracee);
		exit = km_find(&self->log, KMONITOR_PROCESS_EXIT, tracer);
		attach = km_find(&self->log, KMONITOR_PTRACE, tracer);
		ASSERT_NE(NULL, exit);
		if (attach)
			EXPECT_LT(attach, exit);
		/* One processor can't do anything while the tracee spins. */
		if (km_cpus() > 1)
			EXPECT_EQ(variant->records, !!attach);
		EXPECT_EQ(0, km_join(tracer));
	}
}

/*
 * A snapshot that reads the arguments of a process that is ending: the memory
 * is held beyond the exit, as kmonitor(7) has it, and no longer than that.
 */

FIXTURE(memory)
{
	int fd;
	int file;
	int leave[2];
	pid_t pid;
	struct km_log log;
};

FIXTURE_SETUP(memory)
{
	struct kmonitor_attr attr = { .report = KMONITOR_REPORT_EXEC_ARGS };
	int ready[2];

	self->fd = km_init(&attr, sizeof(attr),
			   KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	check(self->fd >= 0, "kmonitor_init: %s", km_error(self->fd));
	self->file =
		must(memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	must(ftruncate(self->file, KM_PAGE));
	km_gate(ready);
	km_gate(self->leave);
	self->pid = km_fork();
	if (!self->pid) {
		check(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			   self->file, 0) != MAP_FAILED,
		      "no mapping");
		km_gate_open(ready);
		km_gate_wait(self->leave);
		_exit(0);
	}
	km_gate_wait(ready);
	km_add(self->fd, KMONITOR_TARGET_PROCESS, self->pid, KM_LIFE, 1);
}

FIXTURE_TEARDOWN(memory)
{
	let_go();
	close(self->fd);
	close(self->file);
}

struct snapshot_taker {
	int fd;
	pid_t tid;
	int ready[2];
	int go[2];
};

static void *take_snapshot(void *arg)
{
	struct snapshot_taker *taker = arg;

	taker->tid = gettid();
	km_gate_open(taker->ready);
	km_gate_wait(taker->go);
	km_list(taker->fd, 0, 1, NULL);
	return NULL;
}

/* Fails with EBUSY as long as somebody can write to the file by a mapping. */
static int seal(int file)
{
	return fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) ? -errno : 0;
}

TEST_F(memory, it_is_held_by_a_snapshot_with_arguments_and_then_released)
{
	const uint64_t deadline = km_boottime_ns() + KM_TIMEOUT_MS * 1000000ULL;
	struct snapshot_taker taker = { .fd = self->fd };
	pthread_t thread;

	km_gate(taker.ready);
	km_gate(taker.go);
	check(!pthread_create(&thread, NULL, take_snapshot, &taker),
	      "no thread");
	km_gate_wait(taker.ready);
	hold_in_window(taker.tid, 1, SLEEP_US);
	km_gate_open(taker.go);
	ASSERT_TRUE(is_in_window(1, KM_TIMEOUT_MS));
	km_gate_open(self->leave);
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, self->pid);
	EXPECT_EQ(-EBUSY, seal(self->file));
	let_go();
	check(!pthread_join(thread, NULL), "no end of the thread");
	while (seal(self->file) == -EBUSY && km_boottime_ns() < deadline)
		usleep(1000);
	EXPECT_EQ(0, seal(self->file));
	EXPECT_EQ(0, km_join(self->pid));
	km_read_until(self->fd, &self->log, KMONITOR_SNAPSHOT_END, 0);
	EXPECT_EQ(NULL, km_find(&self->log, KMONITOR_TASK, self->pid));
}

/* A fork that is held up, as by a quota of its cgroup, holds up no snapshot. */
TEST(a_snapshot_does_not_wait_for_a_fork_without_end)
{
	struct kmonitor_snapshot snapshot = { .token = 1 };
	int fd = km_open(0);
	int go[2];
	pid_t forker;
	int ret;

	km_add(fd, KMONITOR_TARGET_ALL, 0, KMONITOR_PROCESS_FORK, 1);
	km_gate(go);
	forker = km_fork();
	if (!forker) {
		km_gate_wait(go);
		km_fork_and_join(0);
		_exit(0);
	}
	hold_in_window(forker, 1, SLEEP_US);
	km_gate_open(go);
	ASSERT_TRUE(is_in_window(1, KM_TIMEOUT_MS));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(1, km_ioctl(fd, KMONITOR_IOC_SNAPSHOT, &snapshot));
	EXPECT_EQ(1, count_windows());
	let_go();
	do {
		ret = km_ioctl(fd, KMONITOR_IOC_SNAPSHOT, &snapshot);
	} while (ret == 1);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, km_join(forker));
	close(fd);
}

TEST_HARNESS_MAIN
