// SPDX-License-Identifier: GPL-2.0-only
/* The library: commands in a tree, the table of processes, recordings. */

#include "kselftest_harness.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>

#include "../lib/kmon.h"
#include "storm.h"

#define TREE KMONITOR_TARGET_TREE
#define ALL KMONITOR_TARGET_ALL

static char *const unused[] = { "unused", NULL };

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

/* The table. */

static void take_all(int fd, struct kmon_table *table)
{
	struct kmonitor_event event[64];
	int nr;

	while ((nr = km_read(fd, event, 64)) > 0) {
		for (int i = 0; i < nr; i++)
			check(!kmon_table_update(table, &event[i]),
			      "kmon_table_update failed");
	}
	check(nr == -EAGAIN, "read: %s", km_error(nr));
}

static void settle(int fd, struct kmon_table *table)
{
	int ret;

	do {
		take_all(fd, table);
		ret = kmon_table_sync(table);
		check(ret >= 0, "kmon_table_sync: %s", km_error(ret));
	} while (ret);
}

static int is_pid(const struct dirent *entry)
{
	return entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
}

static int is_alive(const struct kmon_process *process, unsigned int depth,
		    void *arg)
{
	const char state = km_state(process->tgid);

	(void)depth;
	(void)arg;
	return state && state != 'Z' ? 0 : process->tgid;
}

/*
 * The process in which the table and /proc differ, 0 if there is none: each
 * process of /proc is in the table, with its start, and no other is.
 */
static pid_t difference(const struct kmon_table *table)
{
	const uint64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
	struct kmon_process process;
	struct dirent **entry;
	int nr = must(scandir("/proc", &entry, is_pid, NULL));
	pid_t differs = 0;

	for (int i = 0; i < nr; i++) {
		pid_t pid = atoi(entry[i]->d_name);

		free(entry[i]);
		if (km_state(pid) != 'Z' &&
		    (kmon_table_find(table, pid, 0, &process) ||
		     process.state != KMON_STATE_ALIVE ||
		     process.start_ns / tick_ns != km_start_ticks(pid)))
			differs = pid;
	}
	free(entry);
	return differs ? differs : kmon_table_walk(table, 0, is_alive, NULL);
}

/* Workers of the kernel come and go: one of several looks must find all equal. */
static void compare_with_proc(struct __test_metadata *_metadata, int fd,
			      struct kmon_table *table)
{
	pid_t differs = 1;

	for (int i = 0; differs && i < 20; i++) {
		settle(fd, table);
		differs = difference(table);
		usleep(10000);
	}
	EXPECT_EQ(0, differs);
}

static pid_t storm(enum storm kind)
{
	pid_t pid = km_fork();

	if (pid)
		return pid;
	for (;;)
		storm_round(kind, unused);
}

static bool has_lost(int fd)
{
	const struct kmonitor_stats stats = km_stats(fd);

	return stats.lost || stats.pending;
}

/* A reader that is too slow for its ring: losses are repaired. */
TEST(the_table_is_as_proc_says_when_all_is_quiet)
{
	struct kmon_table *table;
	struct kmonitor_event event[4];
	struct kmon_process process;
	int fd = km_open(64);
	pid_t pid[2];

	km_add(fd, ALL, 0, KM_LIFE, 0);
	ASSERT_EQ(0, kmon_table_new(fd, 0, &table));
	compare_with_proc(_metadata, fd, table);
	pid[0] = storm(STORM_FORK);
	pid[1] = storm(STORM_GROUP);
	/* It reads little at first, then nothing until something is lost. */
	for (unsigned int i = 0; i < 100 || !has_lost(fd); i++) {
		int nr = i % 8 || i >= 100 ? 0 : km_read(fd, event, 4);

		usleep(2000);
		for (int j = 0; j < nr; j++)
			ASSERT_EQ(0, kmon_table_update(table, &event[j]));
		ASSERT_LE(0, kmon_table_sync(table));
	}
	settle(fd, table);
	EXPECT_LT(0, km_stats(fd).lost);
	EXPECT_EQ(0, kmon_table_find(table, pid[0], 0, &process));
	EXPECT_EQ(getpid(), process.ppid);
	for (int i = 0; i < 2; i++) {
		must(kill(pid[i], SIGKILL));
		km_join(pid[i]);
	}
	compare_with_proc(_metadata, fd, table);
	EXPECT_EQ(0, kmon_table_find(table, pid[0], 0, &process));
	EXPECT_NE(KMON_STATE_ALIVE, process.state);
	if (process.state == KMON_STATE_ENDED)
		EXPECT_EQ(SIGKILL, process.status);
	EXPECT_EQ(-ESRCH, kmon_table_find(table, INT32_MAX, 0, &process));
	kmon_table_free(table);
	close(fd);
}

static int count_visit(const struct kmon_process *process, unsigned int depth,
		       void *arg)
{
	unsigned int *depths = arg;

	check(process->state == KMON_STATE_ALIVE, "a dead one is visited");
	if (depth < 4)
		depths[depth]++;
	return 0;
}

TEST(a_walk_visits_parents_before_children)
{
	unsigned int depths[4] = {};
	struct kmon_table *table;
	int fd = km_open(0), gate[2], ready[2];
	pid_t root;

	km_gate(gate);
	km_gate(ready);
	root = km_fork();
	if (!root) {
		for (int i = 0; i < 3; i++) {
			if (!km_fork()) {
				km_gate_open(ready);
				km_gate_wait(gate);
				_exit(0);
			}
		}
		km_gate_wait(gate);
		_exit(0);
	}
	for (int i = 0; i < 3; i++)
		km_gate_wait(ready);
	km_add(fd, TREE, root, KM_LIFE, 0);
	ASSERT_EQ(0, kmon_table_new(fd, 0, &table));
	settle(fd, table);
	EXPECT_EQ(0, kmon_table_walk(table, root, count_visit, depths));
	EXPECT_EQ(1, depths[0]);
	EXPECT_EQ(3, depths[1]);
	EXPECT_EQ(-ESRCH, kmon_table_walk(table, 1, count_visit, depths));
	for (int i = 0; i < 4; i++)
		km_gate_open(gate);
	km_join(root);
	kmon_table_free(table);
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
