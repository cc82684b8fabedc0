// SPDX-License-Identifier: GPL-2.0-only
/* The library: commands in a tree, recordings. */

#include "kselftest_harness.h"

#include <signal.h>
#include <stdio.h>

#include "../lib/kmon.h"
#include "common.h"

#define TREE KMONITOR_TARGET_TREE

/* Commands. */

TEST(a_spawned_command_is_followed_from_its_start)
{
	char *argv[] = { km_helper("quick"), "one", NULL };
	struct kmon_command command = { .file = argv[0], .argv = argv };
	struct kmonitor_filter tree = { .events = KM_LIFE, .cookie = 3 };
	struct km_log log = {};
	int fd = km_open(0);
	pid_t pid;

	ASSERT_EQ(0, kmon_spawn(fd, &tree, &command, &pid));
	EXPECT_EQ(1 << 8, km_join(pid));
	km_read_until(fd, &log, KMONITOR_EMPTY, pid);
	EXPECT_EQ(KMONITOR_PROCESS_EXEC, log.event[0].type);
	EXPECT_EQ(tree.handle, log.event[log.nr - 1].empty.handle);
	EXPECT_EQ(3, log.event[0].cookie);
	close(fd);
	free(log.event);
}

static int refuse(void *arg)
{
	return *(int *)arg;
}

TEST(a_command_that_fails_to_start_leaves_nothing)
{
	char *argv[] = { "/nowhere", NULL };
	int error = -EACCES;
	struct kmon_command command = { .file = argv[0], .argv = argv };
	struct kmonitor_filter tree = { .events = KM_LIFE };
	int fd = km_open(0);
	pid_t pid = 0;

	EXPECT_EQ(-ENOENT, kmon_spawn(fd, &tree, &command, &pid));
	command.prepare = refuse;
	command.arg = &error;
	EXPECT_EQ(-EACCES, kmon_spawn(fd, &tree, &command, &pid));
	tree.events = 1U << 31;
	EXPECT_EQ(-EINVAL, kmon_spawn(fd, &tree, &command, &pid));
	EXPECT_EQ(0, pid);
	EXPECT_EQ(0, km_stats(fd).filters);
	EXPECT_EQ(-1, waitpid(-1, NULL, 0));
	close(fd);
}

/* Recordings. */

static void fill_recording(FILE *file, int nr)
{
	struct kmonitor_info info = { .record_size = 128, .ring_records = 77 };
	struct kmon_recording *recording;
	struct kmonitor_event event = { .type = KMONITOR_PROCESS_EXIT };

	check(!kmon_recording_create(file, &info, &recording), "create");
	for (int i = 0; i < nr; i++) {
		event.seq = i + 1;
		event.type = i % 7 ? KMONITOR_PROCESS_EXIT : KMONITOR_LOST;
		check(!kmon_recording_write(recording, &event, i / 100),
		      "write");
	}
	kmon_recording_free(recording);
	check(!fflush(file), "fflush");
	rewind(file);
}

static int count_recording(FILE *file)
{
	const struct kmonitor_event *event;
	struct kmon_recording *recording;
	int64_t wall_offset;
	int nr = 0, ret;

	ret = kmon_recording_open(file, &recording);
	if (ret)
		return ret;
	check(kmon_recording_info(recording)->ring_records == 77, "info");
	while ((ret = kmon_recording_next(recording, &event, &wall_offset)) ==
	       1) {
		check(event->seq == (uint64_t)nr + 1, "wrong seq");
		check(wall_offset == nr / 100, "wrong offset");
		nr++;
	}
	kmon_recording_free(recording);
	return ret ? ret : nr;
}

TEST(a_recording_gives_back_what_was_written)
{
	FILE *file = tmpfile();

	ASSERT_NE(NULL, file);
	fill_recording(file, 1000);
	EXPECT_EQ(1000, count_recording(file));
	fclose(file);
}

TEST(a_recording_that_was_cut_is_whole_up_to_there)
{
	FILE *file = tmpfile();
	long size;

	ASSERT_NE(NULL, file);
	fill_recording(file, 50);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	must(ftruncate(fileno(file), size - 1));
	rewind(file);
	EXPECT_EQ(49, count_recording(file));
	must(ftruncate(fileno(file), 2 * 128));
	rewind(file);
	EXPECT_EQ(0, count_recording(file));
	must(ftruncate(fileno(file), 200));
	rewind(file);
	EXPECT_EQ(-EBADMSG, count_recording(file));
	fclose(file);
}

TEST(what_is_no_recording_is_refused)
{
	FILE *file = tmpfile();
	char version = 9;

	ASSERT_NE(NULL, file);
	setvbuf(file, NULL, _IONBF, 0);
	EXPECT_EQ(-EBADMSG, count_recording(file));
	fill_recording(file, 1);
	must(pwrite(fileno(file), &version, 1, 8));
	EXPECT_EQ(-EPROTONOSUPPORT, count_recording(file));
	must(pwrite(fileno(file), "x", 1, 0));
	rewind(file);
	EXPECT_EQ(-EBADMSG, count_recording(file));
	fclose(file);
}

TEST_HARNESS_MAIN
