// SPDX-License-Identifier: GPL-2.0-only
/* How records come out: read, blocking and not, shared, passed on, closed. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "common.h"

#define RECORD sizeof(struct kmonitor_event)

FIXTURE(monitor)
{
	int fd;
};

/* The forks of this process, and nothing else. */
FIXTURE_SETUP(monitor)
{
	self->fd = km_open(4096);
	km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static void set_blocking(int fd)
{
	int flags = must(fcntl(fd, F_GETFL));

	must(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

TEST_F(monitor, one_read_can_be_told_not_to_wait)
{
	struct kmonitor_event event;
	const struct iovec to = { &event, sizeof(event) };
	pid_t child;

	set_blocking(self->fd);
	EXPECT_EQ(-1, preadv2(self->fd, &to, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(EAGAIN, errno);
	child = km_fork_and_join(0);
	EXPECT_EQ((ssize_t)RECORD, preadv2(self->fd, &to, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(child, event.fork.pid);
}

TEST_F(monitor, read_gives_whole_records_in_order)
{
	struct kmonitor_event event[8];
	pid_t child[8];

	for (int i = 0; i < 8; i++)
		child[i] = km_fork_and_join(0);
	ASSERT_EQ(8, km_read(self->fd, event, 8));
	for (int i = 0; i < 8; i++) {
		EXPECT_EQ(i + 1, event[i].seq);
		EXPECT_EQ(child[i], event[i].fork.pid);
	}
	EXPECT_EQ(-EAGAIN, km_read(self->fd, event, 8));
}

TEST_F(monitor, read_never_splits_a_record)
{
	static const struct {
		size_t size;
		ssize_t expected;
	} reads[] = { { 128, 128 }, { 129, 128 }, { 255, 128 },
		      { 256, 256 }, { 300, 256 }, { 1000, 128 } };
	unsigned char buffer[1024];

	for (int i = 0; i < 8; i++)
		km_fork_and_join(0);
	for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
		memset(buffer, 0xa5, sizeof(buffer));
		EXPECT_EQ(reads[i].expected,
			  read(self->fd, buffer, reads[i].size));
		for (size_t at = reads[i].expected; at < sizeof(buffer); at++)
			ASSERT_EQ(0xa5, buffer[at]);
	}
}

TEST_F(monitor, a_buffer_below_a_record_is_invalid)
{
	unsigned char buffer[128];

	for (int full = 0; full < 2; full++) {
		EXPECT_EQ(-1, read(self->fd, buffer, 0));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, read(self->fd, buffer, 127));
		EXPECT_EQ(EINVAL, errno);
		km_fork_and_join(0);
	}
	EXPECT_EQ(2, km_stats(self->fd).depth);
}

TEST_F(monitor, a_fault_consumes_nothing)
{
	char *page = km_guarded_page();
	struct kmonitor_event event[3];

	for (int i = 0; i < 3; i++)
		km_fork_and_join(0);
	EXPECT_EQ(-1, read(self->fd, page + KM_PAGE, RECORD));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(self->fd, page + KM_PAGE - RECORD + 1, RECORD));
	EXPECT_EQ(EFAULT, errno);
	/* Records that fit come, the record that faults stays. */
	EXPECT_EQ((ssize_t)RECORD,
		  read(self->fd, page + KM_PAGE - RECORD, 2 * RECORD));
	ASSERT_EQ(2, km_read(self->fd, event, 3));
	EXPECT_EQ(2, event[0].seq);
	EXPECT_EQ(3, event[1].seq);
}

TEST_F(monitor, poll_tells_whether_there_is_a_record)
{
	struct kmonitor_event event;

	EXPECT_FALSE(km_readable(self->fd, 0));
	km_fork_and_join(0);
	EXPECT_TRUE(km_readable(self->fd, 0));
	km_fork_and_join(0);
	ASSERT_EQ(1, km_read(self->fd, &event, 1));
	EXPECT_TRUE(km_readable(self->fd, 0));
	ASSERT_EQ(1, km_read(self->fd, &event, 1));
	EXPECT_FALSE(km_readable(self->fd, 0));
}

/* Threads of the test: they fork nothing, so they make no records. */

struct reader {
	pthread_t thread;
	int fd;
	pid_t tid;
	int result;
	struct kmonitor_event event;
};

static void *read_one(void *arg)
{
	struct reader *reader = arg;

	__atomic_store_n(&reader->tid, gettid(), __ATOMIC_RELEASE);
	reader->result = km_read(reader->fd, &reader->event, 1);
	return NULL;
}

/* Starts a thread that reads a record and waits until it sleeps there. */
static void start_reader(struct reader *reader, int fd)
{
	pid_t tid;

	*reader = (struct reader){ .fd = fd };
	check(!pthread_create(&reader->thread, NULL, read_one, reader),
	      "no thread");
	while (!(tid = __atomic_load_n(&reader->tid, __ATOMIC_ACQUIRE)) ||
	       km_state(tid) != 'S')
		sched_yield();
}

TEST_F(monitor, a_blocking_read_waits_for_a_record)
{
	struct reader reader;
	pid_t child;

	set_blocking(self->fd);
	start_reader(&reader, self->fd);
	child = km_fork_and_join(0);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(1, reader.result);
	EXPECT_EQ(child, reader.event.fork.pid);
}

static void do_nothing(int signo)
{
	(void)signo;
}

TEST_F(monitor, a_signal_interrupts_a_blocking_read)
{
	struct sigaction action = { .sa_handler = do_nothing };
	struct reader reader;

	sigaction(SIGUSR1, &action, NULL);
	set_blocking(self->fd);
	start_reader(&reader, self->fd);
	pthread_kill(reader.thread, SIGUSR1);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(-EINTR, reader.result);
}

TEST_F(monitor, restartable_signals_restart_a_blocking_read)
{
	struct sigaction action = { .sa_handler = do_nothing,
				    .sa_flags = SA_RESTART };
	struct reader reader;

	sigaction(SIGUSR1, &action, NULL);
	set_blocking(self->fd);
	start_reader(&reader, self->fd);
	pthread_kill(reader.thread, SIGUSR1);
	km_fork_and_join(0);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(1, reader.result);
}

TEST_F(monitor, each_blocked_reader_gets_a_record_of_its_own)
{
	struct reader reader[4];
	uint64_t seen = 0;

	set_blocking(self->fd);
	for (int i = 0; i < 4; i++)
		start_reader(&reader[i], self->fd);
	for (int i = 0; i < 4; i++)
		km_fork_and_join(0);
	for (int i = 0; i < 4; i++) {
		pthread_join(reader[i].thread, NULL);
		ASSERT_EQ(1, reader[i].result);
		seen |= 1ULL << reader[i].event.seq;
	}
	EXPECT_EQ(0x1e, seen);
}

/* The file lives on for whoever is in a read of it. */
TEST_F(monitor, close_leaves_a_blocked_reader_alone)
{
	struct reader reader;
	int copy = must(dup(self->fd));

	set_blocking(copy);
	start_reader(&reader, copy);
	close(copy);
	close(self->fd);
	km_fork_and_join(0);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(1, reader.result);
	self->fd = -1;
}

TEST_F(monitor, close_beside_readers_and_writers_is_safe)
{
	struct reader reader[2];

	for (unsigned int i = 0; i < km_scale(50, 10); i++) {
		int fd = km_open(2);

		km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK,
		       1);
		set_blocking(fd);
		start_reader(&reader[0], fd);
		start_reader(&reader[1], fd);
		close(fd);
		km_fork_and_join(0);
		km_fork_and_join(0);
		for (int r = 0; r < 2; r++) {
			pthread_join(reader[r].thread, NULL);
			ASSERT_EQ(1, reader[r].result);
		}
	}
}

TEST_F(monitor, a_duplicate_is_the_same_stream)
{
	struct kmonitor_event event;
	int copy = must(dup(self->fd));

	km_fork_and_join(0);
	km_fork_and_join(0);
	ASSERT_EQ(1, km_read(copy, &event, 1));
	EXPECT_EQ(1, event.seq);
	ASSERT_EQ(1, km_read(self->fd, &event, 1));
	EXPECT_EQ(2, event.seq);
	close(self->fd);
	km_fork_and_join(0);
	ASSERT_EQ(1, km_read(copy, &event, 1));
	EXPECT_EQ(3, event.seq);
	self->fd = copy;
}

TEST_F(monitor, a_passed_descriptor_reads_the_same_stream)
{
	struct kmonitor_event event;
	int sockets[2];
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	km_fork_and_join(0);
	child = km_fork();
	if (!child) {
		int fd;

		close(self->fd);
		fd = km_receive_fd(sockets[1]);
		check(km_read(fd, &event, 1) == 1 && event.seq == 1,
		      "expected the record with seq 1");
		_exit(0);
	}
	km_send_fd(sockets[0], self->fd);
	EXPECT_EQ(0, km_join(child));
	/* Left: the fork of that child. */
	ASSERT_EQ(1, km_read(self->fd, &event, 1));
	EXPECT_EQ(2, event.seq);
	EXPECT_EQ(child, event.fork.pid);
}

TEST_F(monitor, each_descriptor_gets_the_full_stream)
{
	struct kmonitor_event event[2][16];
	int fds[8];

	for (int i = 0; i < 8; i++) {
		fds[i] = km_open(64);
		km_add(fds[i], KMONITOR_TARGET_PROCESS, 0,
		       KMONITOR_PROCESS_FORK, 1);
	}
	for (int i = 0; i < 16; i++)
		km_fork_and_join(0);
	ASSERT_EQ(16, km_read(self->fd, event[0], 16));
	for (int i = 0; i < 8; i++) {
		ASSERT_EQ(16, km_read(fds[i], event[1], 16));
		/* The same view of the same events: the very same records. */
		EXPECT_EQ(0, memcmp(event[0], event[1], sizeof(event[0])));
		close(fds[i]);
	}
}

#define SHARED_RECORDS 400

static void count_seqs(int fd, unsigned char *seen, int done)
{
	struct kmonitor_event event[3];
	int nr;

	for (;;) {
		nr = km_read(fd, event, 3);
		if (nr == -EAGAIN) {
			if (km_readable(done, 0) && !km_readable(fd, 0))
				return;
			km_readable(fd, 10);
			continue;
		}
		check(nr > 0, "read: %s", km_error(nr));
		while (nr--)
			__atomic_add_fetch(&seen[event[nr].seq], 1,
					   __ATOMIC_RELAXED);
	}
}

TEST_F(monitor, two_readers_share_without_loss_or_duplicates)
{
	unsigned char *seen = must(mmap(NULL, KM_PAGE, PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	int fd = km_open(1024);
	pid_t reader[2];
	int done[2];

	km_gate(done);
	for (int i = 0; i < 2; i++) {
		reader[i] = km_fork();
		if (!reader[i]) {
			count_seqs(fd, seen, done[0]);
			_exit(0);
		}
	}
	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	for (int i = 0; i < SHARED_RECORDS; i++)
		km_fork_and_join(0);
	km_gate_open(done);
	EXPECT_EQ(0, km_join(reader[0]));
	EXPECT_EQ(0, km_join(reader[1]));
	for (int i = 1; i <= SHARED_RECORDS; i++) {
		ASSERT_EQ(1, seen[i])
		{
			TH_LOG("record %d", i);
		}
	}
	EXPECT_EQ(0, seen[SHARED_RECORDS + 1]);
}

TEST_HARNESS_MAIN
