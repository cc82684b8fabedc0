// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library fed with made-up records, also with nonsense: needs no kmonitor,
 * and is run with tools that look for errors in the use of memory.
 */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "../../lib/kmon.h"
#include "../common.h"

#define PIDS 40

/* Always the same numbers: a failure can be repeated. */
static uint32_t number(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*seed >> 33) % below;
}

static void fill(uint64_t *seed, void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((unsigned char *)bytes)[i] = number(seed, 256);
}

static struct kmonitor_event make(uint32_t type, int32_t tgid, int32_t ppid)
{
	return (struct kmonitor_event){
		.type = type,
		.pid = tgid,
		.tgid = tgid,
		.ppid = ppid,
		.start_ns = 1000 + tgid,
	};
}

static struct kmonitor_event make_fork(int32_t tgid, int32_t child)
{
	struct kmonitor_event event = make(KMONITOR_PROCESS_FORK, tgid, 0);

	event.fork.pid = child;
	event.fork.tgid = child;
	event.fork.ppid = tgid;
	event.fork.start_ns = 1000 + child;
	return event;
}

/* Readers. */

/* Gives each of three batches, in order, and what was said of a loss. */
static void read_stream(struct __test_metadata *_metadata, unsigned int flags,
			int of_loss)
{
	const struct kmonitor_event *event;
	struct kmonitor_event batch[100];
	struct kmon_reader *reader;
	uint64_t seq = 0;
	int fds[2], ret;

	must(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
	ASSERT_EQ(0, kmon_reader_new(fds[0], KMON_METHOD_READ, flags, &reader));
	for (int round = 0; round < 3; round++) {
		EXPECT_EQ(0, kmon_reader_next(reader, &event));
		EXPECT_EQ(0, kmon_reader_wait(reader, 0));
		for (int i = 0; i < 100; i++) {
			batch[i] = make(i % 9 ? KMONITOR_PROCESS_EXIT :
						KMONITOR_LOST,
					i + 1, 0);
			batch[i].seq = 100 * round + i + 1;
		}
		ASSERT_EQ(sizeof(batch), write(fds[1], batch, sizeof(batch)));
		EXPECT_EQ(1, kmon_reader_wait(reader, 0));
		for (int i = 0; i < 100; i++) {
			ret = kmon_reader_next(reader, &event);
			EXPECT_EQ(i % 9 ? 1 : of_loss, ret);
			EXPECT_EQ(++seq, event->seq);
		}
	}
	kmon_reader_free(reader);
	close(fds[0]);
	close(fds[1]);
}

TEST(a_reader_gives_a_stream_in_order)
{
	read_stream(_metadata, 0, -EOVERFLOW);
}

TEST(a_reader_passes_losses_on)
{
	read_stream(_metadata, KMON_READER_PASS_LOST, 1);
}

TEST(what_is_at_its_end_is_no_monitor)
{
	const struct kmonitor_event *event;
	struct kmon_reader *reader;
	int fds[2];

	must(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
	ASSERT_EQ(0, kmon_reader_new(fds[0], KMON_METHOD_READ, 0, &reader));
	close(fds[1]);
	EXPECT_EQ(-EIO, kmon_reader_next(reader, &event));
	EXPECT_EQ(-EIO, kmon_reader_next(reader, &event));
	kmon_reader_free(reader);
	close(fds[0]);
}

/* The table. */

TEST(a_table_claims_nothing_of_whom_it_has_not_seen)
{
	struct kmonitor_event event = make_fork(1, 2);
	struct kmon_process process;
	struct kmon_table *table;

	ASSERT_EQ(0, kmon_table_new(-1, 0, &table));
	EXPECT_EQ(-ESRCH, kmon_table_find(table, 0, 0, &process));
	event.flags = KMONITOR_EVENT_REDACTED;
	event.uid = -1;
	ASSERT_EQ(0, kmon_table_update(table, &event));
	ASSERT_EQ(0, kmon_table_find(table, 2, 0, &process));
	EXPECT_EQ(UINT32_MAX, process.uid);
	EXPECT_EQ(1, kmon_table_depth(table, 2));
	kmon_table_free(table);
}

TEST(a_table_follows_forks_and_exits)
{
	struct kmonitor_event events[] = {
		make_fork(1, 2),
		make_fork(2, 3),
		make(KMONITOR_PROCESS_EXIT, 2, 1),
	};
	struct kmon_process process;
	struct kmon_table *table;

	events[1].ppid = 1;
	ASSERT_EQ(0, kmon_table_new(-1, 0, &table));
	EXPECT_EQ(0, kmon_table_update(table, &events[0]));
	EXPECT_EQ(0, kmon_table_update(table, &events[1]));
	EXPECT_EQ(3, kmon_table_count(table));
	EXPECT_EQ(2, kmon_table_depth(table, 3));
	events[2].exit.status = 7 << 8;
	EXPECT_EQ(0, kmon_table_update(table, &events[2]));
	EXPECT_EQ(2, kmon_table_count(table));
	EXPECT_EQ(0, kmon_table_find(table, 2, 1002, &process));
	EXPECT_EQ(KMON_STATE_ENDED, process.state);
	EXPECT_EQ(7 << 8, process.status);
	EXPECT_EQ(0, kmon_table_find(table, 3, 0, &process));
	EXPECT_EQ(KMON_STATE_ALIVE, process.state);
	EXPECT_EQ(-ESRCH, kmon_table_find(table, 4, 0, &process));
	kmon_table_free(table);
}

static int count_visit(const struct kmon_process *process, unsigned int depth,
		       void *arg)
{
	check(process->state == KMON_STATE_ALIVE && depth < PIDS, "bad visit");
	++*(unsigned int *)arg;
	return 0;
}

static int deepest_visit(const struct kmon_process *process, unsigned int depth,
			 void *arg)
{
	unsigned int *deepest = arg;

	(void)process;
	if (depth > *deepest)
		*deepest = depth;
	return 0;
}

/* Whatever comes, each process is in the tree once. */
TEST(a_table_bears_any_order_of_records)
{
	static const uint32_t types[] = {
		KMONITOR_PROCESS_FORK, KMONITOR_PROCESS_FORK,
		KMONITOR_PROCESS_EXEC, KMONITOR_PROCESS_EXIT,
		KMONITOR_TASK,	       KMONITOR_THREAD_CREATE,
	};
	struct kmonitor_event event;
	struct kmon_process process;
	struct kmon_table *table;
	uint64_t seed = 1;
	unsigned int seen;

	ASSERT_EQ(0, kmon_table_new(-1, 0, &table));
	for (int i = 0; i < 5000; i++) {
		uint32_t type = types[number(&seed, ARRAY_SIZE(types))];
		int32_t tgid = 1 + number(&seed, PIDS - 1);

		event = make(type, tgid, number(&seed, PIDS));
		if (type == KMONITOR_PROCESS_FORK)
			event = make_fork(tgid, 1 + number(&seed, PIDS - 1));
		/* The pid may be another's by now. */
		if (!number(&seed, 10))
			event.start_ns++;
		ASSERT_EQ(0, kmon_table_update(table, &event));
		seen = 0;
		ASSERT_EQ(0, kmon_table_walk(table, 0, count_visit, &seen));
		ASSERT_EQ(kmon_table_count(table), seen);
		kmon_table_find(table, tgid, event.start_ns, &process);
	}
	kmon_table_free(table);
}

/* A chain of forks: no recursion. */
TEST(a_table_may_be_as_deep_as_there_are_processes)
{
	const int32_t nr = 150000;
	struct kmonitor_event event;
	struct kmon_table *table;
	unsigned int deepest = 0;

	ASSERT_EQ(0, kmon_table_new(-1, 0, &table));
	for (int32_t pid = 1; pid < nr; pid++) {
		event = make_fork(pid, pid + 1);
		event.ppid = pid - 1;
		ASSERT_EQ(0, kmon_table_update(table, &event));
	}
	EXPECT_EQ(nr - 1, kmon_table_depth(table, nr));
	EXPECT_EQ(0, kmon_table_walk(table, 1, deepest_visit, &deepest));
	EXPECT_EQ(nr - 1, deepest);
	event = make(KMONITOR_LOST, 0, 0);
	EXPECT_EQ(0, kmon_table_update(table, &event));
	EXPECT_EQ(0, kmon_table_count(table));
	kmon_table_free(table);
}

/* Recordings. */

static void write_recording(FILE *file, int nr)
{
	struct kmonitor_info info = { .record_size = 128 };
	struct kmonitor_event event = make(KMONITOR_PROCESS_EXIT, 1, 0);
	struct kmon_recording *recording;

	check(!kmon_recording_create(file, &info, &recording), "create");
	for (int i = 0; i < nr; i++)
		check(!kmon_recording_write(recording, &event, i), "write");
	kmon_recording_free(recording);
	check(!fflush(file), "fflush");
}

/* Gives what opening said. */
static int read_recording(FILE *file, int64_t *nr)
{
	const struct kmonitor_event *event;
	struct kmon_recording *recording;
	int64_t offset;
	int ret;

	*nr = 0;
	rewind(file);
	ret = kmon_recording_open(file, &recording);
	if (ret)
		return ret;
	while (kmon_recording_next(recording, &event, &offset) == 1)
		++*nr;
	kmon_recording_free(recording);
	return 0;
}

TEST(a_damaged_recording_is_refused_or_read)
{
	FILE *file = tmpfile();
	uint64_t seed = 2;
	int64_t nr;
	long size;

	ASSERT_NE(NULL, file);
	setvbuf(file, NULL, _IONBF, 0);
	write_recording(file, 20);
	ASSERT_EQ(0, read_recording(file, &nr));
	EXPECT_EQ(20, nr);
	size = lseek(fileno(file), 0, SEEK_END);
	for (int i = 0; i < 300; i++) {
		long at = number(&seed, i % 2 ? size : 256);
		char old, bad = number(&seed, 256);

		ASSERT_EQ(1, pread(fileno(file), &old, 1, at));
		ASSERT_EQ(1, pwrite(fileno(file), &bad, 1, at));
		read_recording(file, &nr);
		EXPECT_GE(40, nr);
		ASSERT_EQ(1, pwrite(fileno(file), &old, 1, at));
	}
	ASSERT_EQ(0, read_recording(file, &nr));
	EXPECT_EQ(20, nr);
	fclose(file);
}

/* Text. */

/* Each buffer is just as large as is said to suffice. */
TEST(any_bytes_of_a_record_become_text)
{
	struct kmonitor_event event;
	struct json_object *object;
	char *line = malloc(KMON_LINE_MAX);
	uint64_t seed = 3;

	for (int i = 0; i < 2000; i++) {
		fill(&seed, &event, sizeof(event));
		event.type = 1U << number(&seed, 32);
		EXPECT_LT(0, kmon_format_event(&event, 0, number(&seed, 4),
					       line, KMON_LINE_MAX));
		EXPECT_LE(0,
			  kmon_format_details(&event, 0, line, KMON_LINE_MAX));
		object = kmon_json_event(&event, 0);
		ASSERT_NE(NULL, object);
		EXPECT_NE(NULL, json_object_to_json_string(object));
		json_object_put(object);
	}
	free(line);
}

TEST(any_bytes_become_harmless)
{
	char bytes[64], *text;
	uint64_t seed = 4;
	size_t len;
	int ret;

	for (int i = 0; i < 3000; i++) {
		len = number(&seed, sizeof(bytes));
		fill(&seed, bytes, len);
		/* No byte beyond: there is none. */
		text = malloc(KMON_ESCAPE_MAX(len));
		ret = kmon_escape(bytes, len, i % 2, text,
				  KMON_ESCAPE_MAX(len));
		ASSERT_EQ(strlen(text), ret);
		for (int j = 0; j < ret; j++)
			EXPECT_LE(0x20, (unsigned char)text[j]);
		ret = kmon_format_args(bytes, len, 0, text,
				       number(&seed, KMON_ESCAPE_MAX(len)));
		EXPECT_TRUE(ret >= 0 || ret == -ENOSPC);
		free(text);
	}
}

/* Cgroups: those that this system has. */

TEST(many_ids_without_a_cgroup_are_asked_for)
{
	struct kmon_cgroups *cgroups;
	const char *path;
	uint64_t root;

	if (kmon_cgroups_new(NULL, &cgroups))
		SKIP(return, "no cgroup v2 is mounted");
	ASSERT_EQ(0, kmon_cgroup_id(cgroups, "/", &root));
	for (int i = 0; i < 4200; i++) {
		EXPECT_EQ(-ENOENT,
			  kmon_cgroup_path(cgroups, (1ULL << 50) + i, &path));
		ASSERT_EQ(0, kmon_cgroup_path(cgroups, root, &path));
		EXPECT_STREQ("/", path);
	}
	EXPECT_EQ(-ENOENT, kmon_cgroup_by_unit(cgroups, "-.swap", &root));
	kmon_cgroups_free(cgroups);
}

TEST_HARNESS_MAIN
