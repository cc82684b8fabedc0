// SPDX-License-Identifier: GPL-2.0-only
/* KILL_ON_CLOSE: a tree dies with the last reference to its descriptor. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <liburing.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

#define NOBODY 65534

#define TREE KMONITOR_TARGET_TREE
#define KILL KMONITOR_FILTER_KILL_ON_CLOSE

static uint64_t add(int fd, pid_t id, uint32_t flags)
{
	struct kmonitor_filter filter = {
		.target = TREE,
		.flags = flags,
		.id = id,
	};
	int ret = km_ioctl(fd, KMONITOR_IOC_FILTER_ADD, &filter);

	check(!ret, "FILTER_ADD: %s", km_error(ret));
	return filter.handle;
}

/* A process with a child, both waiting at the gate. */
static pid_t fork_pair(int gate[2])
{
	int ready[2];
	pid_t root;

	km_gate(ready);
	root = km_fork();
	if (!root) {
		km_fork();
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	km_gate_wait(ready);
	km_gate_wait(ready);
	close(ready[0]);
	close(ready[1]);
	return root;
}

/* Where a descriptor can be without a number: the last to be closed. */

static int register_file(int fd)
{
	struct io_uring_params params = {};
	int ring = must(syscall(__NR_io_uring_setup, 4, &params));

	must(syscall(__NR_io_uring_register, ring, IORING_REGISTER_FILES, &fd,
		     1));
	return ring;
}

/* Leaves a read that waits for a record. */
static void start_read(int fd, struct io_uring *ring)
{
	static struct kmonitor_event event;
	int ret = io_uring_queue_init(4, ring, 0);

	check(!ret, "io_uring_setup: %s", km_error(ret));
	must(fcntl(fd, F_SETFL, 0));
	io_uring_prep_read(io_uring_get_sqe(ring), fd, &event, sizeof(event),
			   0);
	check(io_uring_submit(ring) == 1, "not submitted");
}

FIXTURE(trees)
{
	int gate[2];
	pid_t doomed;
	pid_t other;
	int fd;
};

/*
 * The doomed tree would end with status 0 at the gate.  The descriptor is
 * opened behind the forks, so that the test has the one reference.
 */
FIXTURE_SETUP(trees)
{
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	km_gate(self->gate);
	self->doomed = fork_pair(self->gate);
	self->other = fork_pair(self->gate);
	self->fd = km_open(0);
}

/* Its state once it doesn't run: one that has been killed runs until it is a zombie. */
static char state_at_rest(pid_t pid)
{
	char state;

	while ((state = km_state(pid)) == 'R')
		sched_yield();
	return state;
}

static void open_gate(int gate[2])
{
	for (int i = 0; i < 4; i++)
		km_gate_open(gate);
}

/* Both of the doomed die, and nobody else; then the others end by themselves. */
static void expect_doom(struct __test_metadata *_metadata, pid_t doomed,
			int gate[2])
{
	unsigned int killed = 0, ended = 0;
	int status;

	EXPECT_EQ(SIGKILL, km_join(doomed));
	must(wait(&status));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(0, waitpid(-1, NULL, WNOHANG));
	open_gate(gate);
	while (wait(&status) > 0) {
		if (status)
			killed++;
		else
			ended++;
	}
	EXPECT_EQ(0, killed);
	EXPECT_EQ(2, ended);
}

static void expect_no_doom(struct __test_metadata *_metadata, int gate[2])
{
	int status;

	open_gate(gate);
	while (wait(&status) > 0)
		EXPECT_EQ(0, status);
}

FIXTURE_TEARDOWN(trees)
{
	close(self->fd);
}

TEST_F(trees, close_kills_what_is_flagged)
{
	add(self->fd, self->doomed, KILL);
	add(self->fd, self->other, 0);
	close(self->fd);
	expect_doom(_metadata, self->doomed, self->gate);
}

TEST_F(trees, what_another_descriptor_flags_lives_on)
{
	int other = km_open(0);

	add(self->fd, self->doomed, KILL);
	add(other, self->other, KILL);
	close(self->fd);
	expect_doom(_metadata, self->doomed, self->gate);
	close(other);
}

TEST_F(trees, del_and_clear_spare)
{
	uint64_t handle = add(self->fd, self->doomed, KILL);

	add(self->fd, self->other, KILL);
	EXPECT_EQ(0, km_del(self->fd, handle));
	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_FILTER_CLEAR, NULL));
	close(self->fd);
	expect_no_doom(_metadata, self->gate);
}

/* Adding again sets the flag, and never takes it away. */
TEST_F(trees, the_flag_stays)
{
	uint64_t handle = add(self->fd, self->doomed, 0);

	EXPECT_EQ(handle, add(self->fd, self->doomed, KILL));
	EXPECT_EQ(handle, add(self->fd, self->doomed, 0));
	close(self->fd);
	expect_doom(_metadata, self->doomed, self->gate);
}

TEST_F(trees, a_duplicate_keeps_the_tree_alive)
{
	int duplicate = must(dup(self->fd));

	add(self->fd, self->doomed, KILL);
	close(self->fd);
	EXPECT_EQ(0, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ('S', state_at_rest(self->doomed));
	close(duplicate);
	expect_doom(_metadata, self->doomed, self->gate);
}

/* The mapping keeps the descriptor, but a child does not get it. */
TEST_F(trees, a_fork_does_not_keep_a_mapped_descriptor)
{
	void *map =
		must(mmap(NULL, KM_PAGE, PROT_READ, MAP_SHARED, self->fd, 0));
	int hold[2];

	add(self->fd, self->doomed, KILL);
	km_gate(hold);
	if (!km_fork()) {
		close(self->fd);
		close(hold[1]);
		km_gate_wait(hold);
		_exit(0);
	}
	must(munmap(map, KM_PAGE));
	close(self->fd);
	EXPECT_EQ(SIGKILL, km_join(self->doomed));
	km_gate_open(hold);
	open_gate(self->gate);
}

TEST_F(trees, a_descriptor_in_flight_kills_when_its_socket_goes)
{
	int sockets[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	add(self->fd, self->doomed, KILL);
	km_send_fd(sockets[0], self->fd);
	close(self->fd);
	EXPECT_EQ('S', state_at_rest(self->doomed));
	close(sockets[0]);
	EXPECT_EQ('S', state_at_rest(self->doomed));
	close(sockets[1]);
	expect_doom(_metadata, self->doomed, self->gate);
}

/* Only the garbage collector finds sockets that are in flight in each other. */
TEST_F(trees, a_descriptor_in_a_cycle_of_sockets_kills)
{
	int sockets[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	add(self->fd, self->doomed, KILL);
	km_send_fd(sockets[0], self->fd);
	km_send_fd(sockets[0], sockets[0]);
	km_send_fd(sockets[0], sockets[1]);
	close(self->fd);
	close(sockets[0]);
	EXPECT_EQ('S', state_at_rest(self->doomed));
	close(sockets[1]);
	/* The end of any socket makes the kernel look for cycles. */
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	close(sockets[0]);
	close(sockets[1]);
	expect_doom(_metadata, self->doomed, self->gate);
}

TEST_F(trees, a_file_of_io_uring_kills_with_the_ring)
{
	int ring;

	add(self->fd, self->doomed, KILL);
	ring = register_file(self->fd);
	close(self->fd);
	EXPECT_EQ('S', state_at_rest(self->doomed));
	close(ring);
	expect_doom(_metadata, self->doomed, self->gate);
}

TEST_F(trees, a_request_in_flight_kills_with_the_ring)
{
	struct io_uring ring;

	add(self->fd, self->doomed, KILL);
	start_read(self->fd, &ring);
	close(self->fd);
	EXPECT_EQ(0, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ('S', state_at_rest(self->doomed));
	io_uring_queue_exit(&ring);
	expect_doom(_metadata, self->doomed, self->gate);
}

/* Adds a tree as nobody to a descriptor that root has made. */
static void add_as_nobody(int fd, pid_t id)
{
	pid_t child = km_fork();

	if (!child) {
		must(setresgid(NOBODY, NOBODY, NOBODY));
		must(setresuid(NOBODY, NOBODY, NOBODY));
		add(fd, id, KILL);
		_exit(0);
	}
	check(!km_join(child), "not added");
}

/* The adder's right to kill counts, not that of who drops the last reference. */
TEST_F(trees, who_asked_must_be_allowed_to_kill)
{
	pid_t root;
	int ready[2];

	/* The root of the tree is nobody's, its child stays root's. */
	km_gate(ready);
	root = km_fork();
	if (!root) {
		close(self->fd);
		if (!km_fork()) {
			km_gate_wait(self->gate);
			_exit(0);
		}
		must(setresgid(NOBODY, NOBODY, NOBODY));
		must(setresuid(NOBODY, NOBODY, NOBODY));
		must(prctl(PR_SET_DUMPABLE, 1));
		km_gate_open(ready);
		pause();
	}
	km_gate_wait(ready);
	add_as_nobody(self->fd, root);
	close(self->fd);
	EXPECT_EQ(SIGKILL, km_join(root));
	km_gate_open(self->gate);
	expect_no_doom(_metadata, self->gate);
}

/* What the adder's kill(2) can't reach or kill, close doesn't kill either. */

TEST(a_member_outside_the_adders_pid_namespace_lives_on)
{
	int fd = km_open(0);
	int gate[2];
	pid_t other, init;

	km_gate(gate);
	other = km_fork();
	if (!other) {
		close(fd);
		km_gate_wait(gate);
		_exit(3);
	}
	init = km_raw_clone(CLONE_NEWPID | SIGCHLD);
	if (!init) {
		add(fd, other, KILL);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(init));
	close(fd);
	km_gate_open(gate);
	EXPECT_EQ(3 << 8, km_join(other));
}

TEST(the_init_of_the_adders_pid_namespace_lives_on)
{
	pid_t init = km_raw_clone(CLONE_NEWPID | SIGCHLD);

	if (!init) {
		int fd = km_open(0);
		pid_t child;

		add(fd, 0, KILL);
		child = km_fork();
		if (!child) {
			close(fd);
			pause();
			_exit(0);
		}
		/* The rule that close keeps. */
		must(kill(1, SIGKILL));
		close(fd);
		_exit(km_join(child) != SIGKILL);
	}
	EXPECT_EQ(0, km_join(init));
}

TEST(the_init_of_an_inner_pid_namespace_dies)
{
	int fd = km_open(0);
	pid_t init = km_raw_clone(CLONE_NEWPID | SIGCHLD);

	if (!init) {
		close(fd);
		pause();
		_exit(0);
	}
	add(fd, init, KILL);
	close(fd);
	EXPECT_EQ(SIGKILL, km_join(init));
}

FIXTURE(supervisor)
{
	int gate[2];
	pid_t doomed;
	pid_t other;
};

FIXTURE_VARIANT(supervisor)
{
	void (*hide)(int fd);
};

static void keep(int fd)
{
	(void)fd;
}

static void send_to_itself(int fd)
{
	int sockets[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	km_send_fd(sockets[0], fd);
	close(fd);
}

static void hide_in_table(int fd)
{
	register_file(fd);
	close(fd);
}

static void hide_in_request(int fd)
{
	static struct io_uring ring;

	start_read(fd, &ring);
	close(fd);
}

/* clang-format off */
FIXTURE_VARIANT_ADD(supervisor, plain) { .hide = keep };
FIXTURE_VARIANT_ADD(supervisor, in_flight_in_a_socket) {
	.hide = send_to_itself
};
FIXTURE_VARIANT_ADD(supervisor, registered_file) { .hide = hide_in_table };
FIXTURE_VARIANT_ADD(supervisor, read_in_flight) { .hide = hide_in_request };
/* clang-format on */

FIXTURE_SETUP(supervisor)
{
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	km_gate(self->gate);
	self->doomed = fork_pair(self->gate);
	self->other = fork_pair(self->gate);
}

FIXTURE_TEARDOWN(supervisor)
{
	close(self->gate[0]);
	close(self->gate[1]);
}

/* It alone has the descriptor, wherever; a tree without the flag lives on. */
TEST_F(supervisor, a_killed_supervisor_takes_its_tree_along)
{
	int ready[2];
	pid_t pid;
	int fd;

	km_gate(ready);
	pid = km_fork();
	if (!pid) {
		fd = km_open(0);
		add(fd, self->doomed, KILL);
		add(fd, self->other, 0);
		variant->hide(fd);
		km_gate_open(ready);
		for (;;)
			pause();
	}
	km_gate_wait(ready);
	EXPECT_EQ(0, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ('S', state_at_rest(self->doomed));
	must(kill(pid, SIGKILL));
	EXPECT_EQ(SIGKILL, km_join(pid));
	expect_doom(_metadata, self->doomed, self->gate);
}

TEST_HARNESS_MAIN
