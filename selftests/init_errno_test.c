// SPDX-License-Identifier: GPL-2.0-only
/* Every errno of kmonitor_init(2), INFO, STATS, and of ioctls that are not there. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common.h"

#define SYSCTL "/proc/sys/kernel/kmonitor/"

FIXTURE(monitor)
{
	int fd;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(64);
	km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, 0, 1);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

struct init_case {
	const char *what;
	uint32_t attr[10];
	size_t size;
	unsigned int flags;
	int expected;
};

/* Words: ring_records, wakeup_records, wakeup_delay_us, report, reserved. */
static const struct init_case init_cases[] = {
	{ "defaults", {}, 32, 0, 0 },
	{ "close on exec", {}, 32, KMONITOR_CLOEXEC, 0 },
	{ "non-blocking", {}, 32, KMONITOR_NONBLOCK, 0 },
	{ "size 0 with a pointer", {}, 0, 0, -EINVAL },
	{ "size 1", {}, 1, 0, -EINVAL },
	{ "size 31", {}, 31, 0, -EINVAL },
	{ "a zero tail", {}, 40, 0, 0 },
	{ "a nonzero tail", { [8] = 1 }, 40, 0, -E2BIG },
	{ "a nonzero last byte", { [9] = 1U << 24 }, 40, 0, -E2BIG },
	{ "more than a page", {}, KM_PAGE + 1, 0, -E2BIG },
	{ "a huge size", {}, SIZE_MAX, 0, -E2BIG },
	{ "ring of 1", { 1 }, 32, 0, 0 },
	{ "ring of 3", { 3 }, 32, 0, 0 },
	{ "ring too large", { (1U << 20) + 1 }, 32, 0, -EINVAL },
	{ "ring of 2^32 - 1", { UINT_MAX }, 32, 0, -EINVAL },
	{ "watermark 1", { 64, 1 }, 32, 0, 0 },
	{ "watermark 1, ring of 1", { 1, 1 }, 32, 0, 0 },
	{ "watermark without a delay", { 64, 2 }, 32, 0, -EINVAL },
	{ "watermark above half", { 64, 33, 1 }, 32, 0, -EINVAL },
	{ "watermark above half of 4096", { 0, 2049, 1 }, 32, 0, -EINVAL },
	{ "watermark of 2^32 - 1", { 64, UINT_MAX, 1 }, 32, 0, -EINVAL },
	{ "watermark of half", { 64, 32, 1 }, 32, 0, 0 },
	{ "a delay alone", { 64, 0, 1000 }, 32, 0, 0 },
	{ "arguments", { [3] = 1 }, 32, 0, 0 },
};

TEST_F(monitor, init_answers_each_attribute_as_documented)
{
	unsigned char page[KM_PAGE + 8];
	const struct init_case *c;
	int ret;

	for (size_t i = 0; i < sizeof(init_cases) / sizeof(*c); i++) {
		c = &init_cases[i];
		memset(page, 0, sizeof(page));
		memcpy(page, c->attr, sizeof(c->attr));
		ret = km_init(page, c->size, c->flags);
		EXPECT_EQ(c->expected, ret < 0 ? ret : 0)
		{
			TH_LOG("%s: %s", c->what, km_error(ret));
		}
		if (ret >= 0)
			close(ret);
	}
}

/* Each bit of a word alone; the bits in known are left out. */
static void expect_init_refuses_bits(struct __test_metadata *_metadata,
				     int word, uint32_t known)
{
	uint32_t attr[8] = {};

	for (int bit = 0; bit < 32; bit++) {
		if (known & 1U << bit)
			continue;
		attr[word] = 1U << bit;
		EXPECT_EQ(-EINVAL, km_init(attr, sizeof(attr), 0))
		{
			TH_LOG("word %d bit %d", word, bit);
		}
	}
}

TEST_F(monitor, init_refuses_each_unknown_bit)
{
	for (int bit = 2; bit < 32; bit++) {
		EXPECT_EQ(-EINVAL, km_init(NULL, 0, 1U << bit))
		{
			TH_LOG("flag bit %d", bit);
		}
	}
	expect_init_refuses_bits(_metadata, 3, KMONITOR_REPORT_EXEC_ARGS);
	for (int word = 4; word < 8; word++)
		expect_init_refuses_bits(_metadata, word, 0);
}

TEST_F(monitor, init_refuses_bad_pointers)
{
	char *page = km_guarded_page();
	int fd;

	EXPECT_EQ(-EFAULT, km_init(NULL, 32, 0));
	EXPECT_EQ(-EFAULT, km_init((void *)-1L, 32, 0));
	EXPECT_EQ(-EFAULT, km_init(page + KM_PAGE, 32, 0));
	EXPECT_EQ(-EFAULT, km_init(page + KM_PAGE - 31, 32, 0));
	EXPECT_EQ(-EFAULT, km_init(page + KM_PAGE - 32, 40, 0));
	fd = km_init(page + KM_PAGE - 32, 32, 0);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(monitor, init_rounds_the_ring_up)
{
	static const uint32_t sizes[][2] = {
		{ 0, 4096 }, { 1, 2 }, { 2, 2 }, { 3, 4 }, { 1000, 1024 },
	};
	struct kmonitor_info info;
	int fd;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		fd = km_open(sizes[i][0]);
		ASSERT_EQ(0, km_ioctl(fd, KMONITOR_IOC_INFO, &info));
		EXPECT_EQ(sizes[i][1], info.ring_records);
		close(fd);
	}
}

TEST_F(monitor, init_flags_do_what_they_say)
{
	for (unsigned int flags = 0; flags < 4; flags++) {
		int fd = km_init(NULL, 0, flags);

		ASSERT_LE(0, fd);
		EXPECT_EQ(flags & KMONITOR_CLOEXEC ? FD_CLOEXEC : 0,
			  fcntl(fd, F_GETFD));
		EXPECT_EQ(flags & KMONITOR_NONBLOCK ? O_NONBLOCK : 0,
			  fcntl(fd, F_GETFL) & O_NONBLOCK);
		close(fd);
	}
}

TEST_F(monitor, init_obeys_the_limit_of_descriptors)
{
	int lowest = must(dup(self->fd));
	struct rlimit old, none;

	close(lowest);
	must(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = lowest;
	must(setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, km_init(NULL, 0, 0));
	must(setrlimit(RLIMIT_NOFILE, &old));
}

TEST_F(monitor, init_obeys_the_limit_of_instances)
{
	long old = km_sysctl(SYSCTL "max_user_instances", 3);
	int fds[3];

	fds[0] = km_init(NULL, 0, 0);
	fds[1] = km_init(NULL, 0, 0);
	fds[2] = km_init(NULL, 0, 0);
	km_sysctl(SYSCTL "max_user_instances", old);
	EXPECT_LE(0, fds[0]);
	EXPECT_LE(0, fds[1]);
	EXPECT_EQ(-EMFILE, fds[2]);
	close(fds[0]);
	close(fds[1]);
}

TEST_F(monitor, a_closed_descriptor_counts_no_more)
{
	long old = km_sysctl(SYSCTL "max_user_instances", 4);
	int failed = 0;

	for (int i = 0; i < 64 && !failed; i++) {
		int fd = km_init(NULL, 0, 0);

		if (fd < 0)
			failed = fd;
		else
			close(fd);
	}
	km_sysctl(SYSCTL "max_user_instances", old);
	EXPECT_EQ(0, failed);
}

TEST_F(monitor, init_obeys_the_limit_of_ring_records)
{
	struct kmonitor_attr attr = { .ring_records = 1025 };
	long old = km_sysctl(SYSCTL "max_ring_records", 1024);
	int ret = km_init(&attr, sizeof(attr), 0);

	km_sysctl(SYSCTL "max_ring_records", old);
	EXPECT_EQ(-EINVAL, ret);
}

TEST_F(monitor, init_obeys_the_limit_of_files)
{
	long old = km_sysctl("/proc/sys/fs/file-max", 0);
	pid_t child = fork();
	int status;

	if (!child) {
		must(setresuid(65534, 65534, 65534));
		_exit(-km_init(NULL, 0, 0));
	}
	waitpid(child, &status, 0);
	km_sysctl("/proc/sys/fs/file-max", old);
	EXPECT_EQ(ENFILE, WEXITSTATUS(status));
}

TEST_F(monitor, info_and_stats_fit_any_size)
{
	static const struct {
		unsigned int nr;
		size_t known;
	} calls[] = { { 7, sizeof(struct kmonitor_info) },
		      { 8, sizeof(struct kmonitor_stats) } };
	unsigned char full[256], part[256];
	char *page = km_guarded_page();

	for (size_t i = 0; i < 2; i++) {
		const unsigned int nr = calls[i].nr;
		const size_t known = calls[i].known;

#define OUT(size) _IOC(_IOC_READ, KMONITOR_IOC_MAGIC, nr, size)
		EXPECT_EQ(-EINVAL, km_ioctl(self->fd, OUT(0), part));
		EXPECT_EQ(-EFAULT, km_ioctl(self->fd, OUT(known), NULL));
		EXPECT_EQ(-EFAULT, km_ioctl(self->fd, OUT(known),
					    page + KM_PAGE - known + 1));
		EXPECT_EQ(-EFAULT, km_ioctl(self->fd, OUT(known + 1),
					    page + KM_PAGE - known));
		ASSERT_EQ(0, km_ioctl(self->fd, OUT(known), full));
		for (size_t size = 1; size < sizeof(part); size++) {
			size_t copied = size < known ? size : known;

			memset(part, 0xff, sizeof(part));
			ASSERT_EQ(0, km_ioctl(self->fd, OUT(size), part));
			ASSERT_EQ(0, memcmp(part, full, copied));
			for (size_t at = copied; at < size; at++)
				ASSERT_EQ(0, part[at]);
			ASSERT_EQ(0xff, part[size]);
		}
#undef OUT
	}
}

TEST_F(monitor, other_ioctls_are_refused)
{
	char arg[64] = {};

	EXPECT_EQ(-ENOTTY, km_ioctl(self->fd, KMONITOR_IOC_NEW, arg));
	for (unsigned int nr = 0; nr < 256; nr++) {
		if (nr >= 1 && nr <= 8)
			continue;
		EXPECT_EQ(-ENOTTY,
			  km_ioctl(self->fd,
				   _IOC(_IOC_READ | _IOC_WRITE, 0xDE, nr, 48),
				   arg))
		{
			TH_LOG("nr %u", nr);
		}
	}
	EXPECT_EQ(-ENOTTY, km_ioctl(self->fd, _IOC(3, 0xDF, 1, 48), arg));
	EXPECT_EQ(-ENOTTY, km_ioctl(self->fd, _IOC(3, 0, 1, 48), arg));
	EXPECT_EQ(1, km_stats(self->fd).filters);
}

TEST_HARNESS_MAIN
