// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's names, escaping, text and JSON, of given records.
 */

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "kmon.h"
#include "kselftest_harness.h"

/* A line of text for make(). */
#define LINE(name, comm, words) \
	("03:04:05.678 " name "            100      99   1000 " comm words)

/* 2026-01-02 03:04:05.678 UTC, when kmonitor's clock was at 5.678 s. */
#define WALL_OFFSET INT64_C(1767323040000000000)
#define TIME_NS 5678000000ULL

static struct kmonitor_event make(uint32_t type)
{
	return (struct kmonitor_event){
		.seq = 7,
		.time_ns = TIME_NS,
		.cookie = UINT64_MAX,
		.type = type,
		.cpu = 3,
		.pid = 100,
		.tgid = 100,
		.ppid = 99,
		.uid = 1000,
		.start_ns = 18014398509481985ULL,
		.cgroup_id = 42,
		.comm = "make",
	};
}

static struct kmonitor_event make_fork(void)
{
	struct kmonitor_event event = make(KMONITOR_PROCESS_FORK);

	event.fork.pid = 101;
	event.fork.tgid = 101;
	event.fork.ppid = 100;
	event.fork.clone_flags = SIGCHLD;
	event.fork.start_ns = 9007199254740993ULL;
	event.fork.pidfd_ino = 9007199254740995ULL;
	return event;
}

static struct kmonitor_event make_exit(int status)
{
	struct kmonitor_event event = make(KMONITOR_PROCESS_EXIT);

	event.exit.status = status;
	event.exit.utime_ns = 10000000;
	event.exit.stime_ns = 2000000;
	event.exit.maxrss_kib = 3482;
	return event;
}

/* The details of a record, valid until the next call. */
static const char *details(const struct kmonitor_event *event)
{
	static char buf[KMON_LINE_MAX];

	return kmon_format_details(event, 0, buf, sizeof(buf)) < 0 ? NULL : buf;
}

static const char *line(const struct kmonitor_event *event, unsigned int flags)
{
	static char buf[KMON_LINE_MAX];

	if (kmon_format_event(event, WALL_OFFSET, flags, buf, sizeof(buf)) < 0)
		return NULL;
	return buf;
}

static const char *escape(const char *bytes, unsigned int flags)
{
	static char buf[256];

	if (kmon_escape(bytes, strlen(bytes), flags, buf, sizeof(buf)) < 0)
		return NULL;
	return buf;
}

static const char *status_words(int status)
{
	static char buf[64];

	return kmon_format_status(status, buf, sizeof(buf)) < 0 ? NULL : buf;
}

/* The value at a path such as "fork.pid" as JSON text, or NULL. */
static const char *json_at(const struct kmonitor_event *event, const char *path)
{
	static char buf[256];
	struct json_object *object = kmon_json_event(event, WALL_OFFSET);
	struct json_object *at = object;
	char copy[64], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while (at && (key = strsep(&rest, ".")))
		at = json_object_object_get(at, key);
	if (at)
		snprintf(buf, sizeof(buf), "%s",
			 json_object_to_json_string_ext(at, 0));
	json_object_put(object);
	return at ? buf : NULL;
}

TEST(each_event_type_has_a_name_that_leads_back_to_it)
{
	uint32_t types = 0;

	for (int bit = 0; bit < 32; bit++) {
		const char *name = kmon_event_name(1U << bit);

		if (!name)
			continue;
		types |= 1U << bit;
		EXPECT_EQ(1U << bit, kmon_event_by_name(name));
	}
	EXPECT_EQ(0x003f1fffU, types);
}

TEST(seven_events_have_the_names_of_the_tool)
{
	EXPECT_EQ(KMONITOR_PROCESS_FORK, kmon_event_by_name("fork"));
	EXPECT_EQ(KMONITOR_THREAD_CREATE, kmon_event_by_name("thread"));
	EXPECT_EQ(KMONITOR_PROCESS_EXEC, kmon_event_by_name("exec"));
	EXPECT_EQ(KMONITOR_PROCESS_EXIT, kmon_event_by_name("exit"));
	EXPECT_EQ(KMONITOR_THREAD_EXIT, kmon_event_by_name("thread-exit"));
	EXPECT_EQ(KMONITOR_LOST, kmon_event_by_name("lost"));
	EXPECT_EQ(KMONITOR_EMPTY, kmon_event_by_name("empty"));
}

TEST(unknown_names_and_types_are_told_apart)
{
	EXPECT_EQ(0, kmon_event_by_name("forks"));
	EXPECT_EQ(0, kmon_event_by_name(""));
	EXPECT_EQ(NULL, kmon_event_name(0));
	EXPECT_EQ(NULL, kmon_event_name(KMONITOR_PROCESS_FORK | 1));
	EXPECT_EQ(NULL, kmon_event_name(1U << 31));
}

TEST(plain_text_is_left_alone)
{
	EXPECT_STREQ("tmux: server", escape("tmux: server", 0));
	EXPECT_STREQ("", escape("", 0));
	EXPECT_STREQ("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		     escape("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 0));
}

TEST(control_bytes_are_escaped)
{
	EXPECT_STREQ("\\x1b[2J", escape("\033[2J", 0));
	EXPECT_STREQ("a\\x0ab\\x0d\\x09\\x7f", escape("a\nb\r\t\x7f", 0));
	/* U+009B is an escape sequence's start to some terminals. */
	EXPECT_STREQ("\\xc2\\x9b[J", escape("\xc2\x9b[J", 0));
	/* A line separator and a reversal of the writing direction. */
	EXPECT_STREQ("\\xe2\\x80\\xa8", escape("\xe2\x80\xa8", 0));
	EXPECT_STREQ("\\xe2\\x80\\xae", escape("\xe2\x80\xae", 0));
}

TEST(what_is_no_utf8_is_escaped)
{
	EXPECT_STREQ("\\xff\\xfe", escape("\xff\xfe", 0));
	EXPECT_STREQ("\\x80", escape("\x80", 0));
	/* Cut short, in the middle and at the end. */
	EXPECT_STREQ("\\xe2\\x82-", escape("\xe2\x82-", 0));
	EXPECT_STREQ("x\\xe2\\x82", escape("x\xe2\x82", 0));
	/* Overlong, a surrogate, beyond Unicode. */
	EXPECT_STREQ("\\xc0\\xaf", escape("\xc0\xaf", 0));
	EXPECT_STREQ("\\xe0\\x80\\x9b", escape("\xe0\x80\x9b", 0));
	EXPECT_STREQ("\\xed\\xa0\\x80", escape("\xed\xa0\x80", 0));
	EXPECT_STREQ("\\xf4\\x90\\x80\\x80", escape("\xf4\x90\x80\x80", 0));
}

TEST(an_escape_cannot_be_forged)
{
	EXPECT_STREQ("\\\\x1b", escape("\\x1b", 0));
}

TEST(ascii_output_gets_ascii_only)
{
	EXPECT_STREQ("caf\\xc3\\xa9", escape("caf\xc3\xa9", KMON_TEXT_ASCII));
}

TEST(escaping_fits_the_buffer_or_says_so)
{
	char buf[KMON_ESCAPE_MAX(4)];

	EXPECT_EQ(16, kmon_escape("\1\2\3\4", 4, 0, buf, sizeof(buf)));
	EXPECT_EQ(-ENOSPC, kmon_escape("\1\2\3\4", 4, 0, buf, sizeof(buf) - 1));
	EXPECT_EQ(-ENOSPC, kmon_escape("", 0, 0, buf, 0));
	EXPECT_EQ(0, kmon_escape("", 0, 0, buf, 1));
	/* Bytes without a NUL at their end. */
	EXPECT_EQ(2, kmon_escape("abcd", 2, 0, buf, sizeof(buf)));
	EXPECT_STREQ("ab", buf);
}

TEST(statuses_are_words)
{
	EXPECT_STREQ("exit 0", status_words(0));
	EXPECT_STREQ("exit 1", status_words(1 << 8));
	EXPECT_STREQ("exit 255", status_words(255 << 8));
	EXPECT_STREQ("killed by SIGKILL", status_words(SIGKILL));
	EXPECT_STREQ("killed by SIGSEGV (core dumped)",
		     status_words(SIGSEGV | 0x80));
	EXPECT_STREQ("killed by SIGRTMIN+2", status_words(SIGRTMIN + 2));
	EXPECT_STREQ("killed by signal 32", status_words(32));
}

TEST(memory_has_the_unit_that_suits_it)
{
	char text[KMON_MEMORY_MAX];

	EXPECT_EQ(2, kmon_format_memory(0, text, sizeof(text)));
	EXPECT_STREQ("0K", text);
	kmon_format_memory(1023, text, sizeof(text));
	EXPECT_STREQ("1023K", text);
	kmon_format_memory(1536, text, sizeof(text));
	EXPECT_STREQ("1.5M", text);
	kmon_format_memory((1 << 20) - 53, text, sizeof(text));
	EXPECT_STREQ("1023.9M", text);
	kmon_format_memory((1 << 20) - 1, text, sizeof(text));
	EXPECT_STREQ("1.0G", text);
	kmon_format_memory(2 << 20, text, sizeof(text));
	EXPECT_STREQ("2.0G", text);
	EXPECT_LT(0, kmon_format_memory(UINT64_MAX, text, sizeof(text)));
	EXPECT_EQ(-ENOSPC, kmon_format_memory(1023, text, 5));
	EXPECT_EQ(-ENOSPC, kmon_format_memory(1023, text, 0));
}

TEST(a_fork_names_the_child)
{
	struct kmonitor_event event = make_fork();

	EXPECT_STREQ("child 101", details(&event));
	event.pid = 105;
	EXPECT_STREQ("child 101, by thread 105", details(&event));
	event.fork.ppid = 99;
	event.flags = KMONITOR_EVENT_REDACTED;
	EXPECT_STREQ("child 101 of parent 99, by thread 105, not yours to see",
		     details(&event));
}

TEST(a_thread_is_named)
{
	struct kmonitor_event event = make(KMONITOR_THREAD_CREATE);

	event.fork.pid = 124;
	event.fork.tgid = 100;
	event.flags = KMONITOR_EVENT_WORKER;
	EXPECT_STREQ("thread 124, kernel worker", details(&event));
}

TEST(an_exec_says_what_runs)
{
	static const char expected[] =
		"dev 8:1 inode 1234, args 3, set-id, script, memfd, unlinked, was thread 107";
	struct kmonitor_event event = make(KMONITOR_PROCESS_EXEC);

	event.exec = (struct kmonitor_exec){
		.old_pid = 100,
		.dev_major = 8,
		.dev_minor = 1,
		.ino = 1234,
		.nr_args = 3,
	};
	EXPECT_STREQ("dev 8:1 inode 1234, args 3", details(&event));
	event.exec.old_pid = 107;
	event.exec.flags = KMONITOR_EXEC_SETID | KMONITOR_EXEC_SCRIPT |
			   KMONITOR_EXEC_MEMFD | KMONITOR_EXEC_UNLINKED;
	EXPECT_STREQ(expected, details(&event));
}

TEST(an_exit_says_how_and_at_what_cost)
{
	struct kmonitor_event event = make_exit(1 << 8);

	EXPECT_STREQ("exit 1, cpu 0.012s, rss 3.4M", details(&event));
	event.exit.maxrss_kib = 1023;
	event.flags = KMONITOR_EVENT_OOM;
	EXPECT_STREQ("exit 1, cpu 0.012s, rss 1023K, out of memory",
		     details(&event));
	event.exit.maxrss_kib = 3 << 20;
	event.exit.utime_ns = 123456000000000ULL;
	event.flags = 0;
	EXPECT_STREQ("exit 1, cpu 123456s, rss 3.0G", details(&event));
}

TEST(a_redacted_exit_claims_no_status)
{
	struct kmonitor_event event = make_exit(0);

	event.flags = KMONITOR_EVENT_REDACTED;
	event.uid = -1;
	EXPECT_STREQ("ended, not yours to see", details(&event));
	EXPECT_EQ(NULL, json_at(&event, "exit"));
	EXPECT_EQ(NULL, json_at(&event, "uid"));
	EXPECT_EQ(NULL, json_at(&event, "comm"));
	EXPECT_STREQ("[\"redacted\"]", json_at(&event, "flags"));
}

TEST(a_thread_exit_names_the_thread)
{
	struct kmonitor_event event = make_exit(0);

	event.type = KMONITOR_THREAD_EXIT;
	event.pid = 103;
	event.flags = KMONITOR_EVENT_LAST_THREAD;
	EXPECT_STREQ("thread 103: exit 0, cpu 0.012s, rss 3.4M, last thread",
		     details(&event));
}

TEST(an_empty_tree_shows_its_totals)
{
	static const char expected[] =
		"tree ended: root exit 2, processes 12, failed 1, cpu 1.500s, rss 2.0M, INCOMPLETE";
	struct kmonitor_event event = make(KMONITOR_EMPTY);

	event.empty = (struct kmonitor_empty){
		.root_status = 2 << 8,
		.flags = KMONITOR_EMPTY_INCOMPLETE,
		.members = 12,
		.failed = 1,
		.handle = 5,
		.utime_ns = 1500000000,
		.maxrss_kib = 2048,
	};
	EXPECT_STREQ(expected, details(&event));
	event.uid = -1;
	EXPECT_NE(NULL, strstr(line(&event, 0), " 100      99      - "));
	EXPECT_EQ(NULL, json_at(&event, "uid"));
	EXPECT_STREQ("100", json_at(&event, "tgid"));
	EXPECT_STREQ("12", json_at(&event, "empty.members"));
	EXPECT_STREQ("\"5\"", json_at(&event, "empty.handle"));
	EXPECT_STREQ("2", json_at(&event, "empty.code"));
	EXPECT_STREQ("[\"incomplete\"]", json_at(&event, "empty.flags"));
}

TEST(a_death_names_its_sender)
{
	struct kmonitor_event event = make(KMONITOR_PROCESS_ABORT);

	event.abort = (struct kmonitor_abort){
		.signo = SIGTERM,
		.sender_pid = 33,
		.sender_uid = 1000,
		.sender_start_ns = 1ULL << 60,
	};
	EXPECT_STREQ("SIGTERM from process 33 of user 1000", details(&event));
	EXPECT_STREQ("\"SIGTERM\"", json_at(&event, "abort.signal"));
	EXPECT_STREQ("33", json_at(&event, "abort.sender_pid"));
	EXPECT_STREQ("\"1152921504606846976\"",
		     json_at(&event, "abort.sender_start_ns"));
	event.type = KMONITOR_COREDUMP;
	event.abort.sender_pid = 0;
	event.abort.flags = KMONITOR_ABORT_CORE;
	EXPECT_STREQ("SIGTERM from the kernel", details(&event));
	EXPECT_STREQ("[\"core\"]", json_at(&event, "abort.flags"));
	event.abort.flags = KMONITOR_ABORT_SENDER_UNKNOWN;
	EXPECT_STREQ("SIGTERM, sender unknown", details(&event));
}

TEST(a_failed_exec_has_its_error)
{
	struct kmonitor_event event = make(KMONITOR_EXEC_FAILED);

	event.exec_failed.error = ENOENT;
	EXPECT_STREQ("ENOENT", details(&event));
	event.exec_failed.error = 4000;
	event.exec_failed.dev_major = 8;
	event.exec_failed.dev_minor = 1;
	event.exec_failed.ino = 77;
	event.pid = 102;
	EXPECT_STREQ("error 4000, dev 8:1 inode 77, by thread 102",
		     details(&event));
}

TEST(a_change_of_ids_shows_those_that_changed)
{
	struct kmonitor_event event = make(KMONITOR_CRED);

	event.cred.new_gid[2] = 5;
	EXPECT_STREQ("gid 0/0/0 to 0/0/5", details(&event));
	event.cred.old_uid[1] = 1000;
	EXPECT_STREQ("uid 0/1000/0 to 0/0/0, gid 0/0/0 to 0/0/5",
		     details(&event));
	event.cred.new_gid[2] = 0;
	EXPECT_STREQ("uid 0/1000/0 to 0/0/0", details(&event));
}

TEST(a_change_of_name_shows_the_old_one_escaped)
{
	struct kmonitor_event event = make(KMONITOR_COMM);

	strcpy(event.comm_change.old_comm, "a\033[2J");
	EXPECT_STREQ("was a\\x1b[2J", details(&event));
}

TEST(a_new_session_has_its_id)
{
	struct kmonitor_event event = make(KMONITOR_SID);

	event.session.sid = 100;
	EXPECT_STREQ("session 100", details(&event));
}

TEST(a_tracer_names_whom_it_traces)
{
	struct kmonitor_event event = make(KMONITOR_PTRACE);

	event.ptrace.op = KMONITOR_PTRACE_ATTACH;
	EXPECT_STREQ("attached to an unknown task", details(&event));
	event.ptrace.peer_pid = 33;
	event.ptrace.peer_tgid = 33;
	EXPECT_STREQ("attached to process 33", details(&event));
	event.ptrace.op = KMONITOR_PTRACE_DETACH;
	event.ptrace.peer_pid = 34;
	EXPECT_STREQ("detached from thread 34 of process 33", details(&event));
}

TEST(a_listed_task_says_what_it_is)
{
	struct kmonitor_event event = make(KMONITOR_TASK);

	event.task.sid = 98;
	event.task.pgid = 99;
	event.task.nr_threads = 2;
	EXPECT_STREQ("session 98, group 99, threads 2", details(&event));
	event.task.ino = 5;
	event.task.flags = KMONITOR_EXEC_UNLINKED;
	EXPECT_STREQ(
		"session 98, group 99, threads 2, dev 0:0 inode 5, unlinked",
		details(&event));
	event.flags = KMONITOR_EVENT_REDACTED;
	EXPECT_STREQ("exists, not yours to see", details(&event));
	event = make(KMONITOR_SNAPSHOT_END);
	event.task.token = 12;
	EXPECT_STREQ("*** snapshot 12 is complete ***", details(&event));
}

TEST(a_loss_is_loud)
{
	struct kmonitor_event event = { .type = KMONITOR_LOST,
					.time_ns = TIME_NS };

	event.lost.count = 123;
	EXPECT_STREQ("03:04:05.678 *** LOST 123 records ***", line(&event, 0));
	event.lost.count = 1;
	EXPECT_STREQ("03:04:05.678 *** LOST 1 record ***", line(&event, 0));
	EXPECT_STREQ("1", json_at(&event, "lost.count"));
	EXPECT_EQ(NULL, json_at(&event, "pid"));
}

TEST(lines_are_aligned_with_their_header)
{
	const char *expected = LINE("exit", "make            ",
				    "exit 0, cpu 0.012s, rss 3.4M");
	struct kmonitor_event event = make_exit(0);
	char header[KMON_LINE_MAX];
	const char *text;

	ASSERT_LT(0, kmon_format_header(header, sizeof(header)));
	text = line(&event, 0);
	EXPECT_STREQ(expected, text);
	EXPECT_EQ(strstr(header, "EVENT") - header,
		  strstr(text, "exit ") - text);
	EXPECT_EQ(strstr(header, "COMM") - header, strstr(text, "make") - text);
	EXPECT_EQ(strstr(header, "DETAILS") - header,
		  strstr(text, "exit 0") - text);
}

TEST(a_line_shows_the_process_of_a_thread)
{
	const char *expected =
		LINE("fork", "make            ", "child 101, by thread 105");
	struct kmonitor_event event = make_fork();

	event.pid = 105;
	EXPECT_STREQ(expected, line(&event, 0));
}

TEST(a_hostile_name_stays_in_its_line)
{
	const char *expected =
		LINE("fork", "\\x0a\\x1b[m\\xff\xc3\xa9---- ", "child 101");
	struct kmonitor_event event = make_fork();

	memcpy(event.comm, "\n\033[m\xff\xc3\xa9----\0---", 16);
	EXPECT_STREQ(expected, line(&event, 0));
}

TEST(names_are_padded_by_characters)
{
	const char *expected =
		LINE("fork", "caf\xc3\xa9            ", "child 101");
	struct kmonitor_event event = make_fork();

	memcpy(event.comm, "caf\xc3\xa9", 6);
	EXPECT_STREQ(expected, line(&event, 0));
}

TEST(a_relative_time_is_in_seconds)
{
	struct kmonitor_event event = make_exit(0);
	char buf[KMON_LINE_MAX];

	ASSERT_LT(0, kmon_format_event(&event, -(int64_t)TIME_NS / 2,
				       KMON_TEXT_RELATIVE, buf, sizeof(buf)));
	EXPECT_EQ(&buf[0], strstr(buf, "2.839000     exit "));
	ASSERT_LT(0, kmon_format_event(&event, -(int64_t)TIME_NS - 1500000,
				       KMON_TEXT_RELATIVE, buf, sizeof(buf)));
	EXPECT_EQ(&buf[0], strstr(buf, "-0.001500    exit "));
}

TEST(an_indentation_moves_the_name)
{
	struct kmonitor_event event = make_exit(0);
	const char *plain = strstr(line(&event, 0), "make");
	const size_t at = plain - line(&event, 0);
	const char *indented = line(&event, KMON_TEXT_INDENT(6));

	EXPECT_EQ(indented + at + 6, strstr(indented, "make"));
}

TEST(an_unknown_type_is_shown_by_number)
{
	struct kmonitor_event event = make(0x40000000);

	EXPECT_NE(NULL, strstr(line(&event, 0), " 0x40000000 "));
	EXPECT_STREQ("", details(&event));
	EXPECT_STREQ("\"0x40000000\"", json_at(&event, "type"));
}

TEST(the_longest_line_fits)
{
	struct kmonitor_event event;
	char buf[KMON_LINE_MAX];

	memset(&event, 0xff, sizeof(event));
	for (int bit = 0; bit < 32; bit++) {
		event.type = 1U << bit;
		event.flags = UINT16_MAX & ~KMONITOR_EVENT_REDACTED;
		EXPECT_LT(0, kmon_format_event(&event, 0, 0, buf, sizeof(buf)));
		EXPECT_GT(KMON_LINE_MAX / 4 * 3, (int)strlen(buf));
	}
}

TEST(a_line_that_does_not_fit_is_refused)
{
	struct kmonitor_event event = make_fork();
	size_t len = strlen(line(&event, 0));
	char buf[KMON_LINE_MAX];

	for (size_t size = 0; size <= len; size++)
		EXPECT_EQ(-ENOSPC,
			  kmon_format_event(&event, WALL_OFFSET, 0, buf, size));
	EXPECT_EQ((int)len,
		  kmon_format_event(&event, WALL_OFFSET, 0, buf, len + 1));
}

TEST(json_has_the_fields_of_the_record)
{
	struct kmonitor_event event = make_fork();

	EXPECT_STREQ("7", json_at(&event, "seq"));
	EXPECT_STREQ("5678000000", json_at(&event, "time_ns"));
	EXPECT_STREQ("\"2026-01-02T03:04:05.678000000Z\"",
		     json_at(&event, "time"));
	EXPECT_STREQ("\"fork\"", json_at(&event, "type"));
	EXPECT_STREQ("[]", json_at(&event, "flags"));
	EXPECT_STREQ("3", json_at(&event, "cpu"));
	EXPECT_STREQ("100", json_at(&event, "pid"));
	EXPECT_STREQ("100", json_at(&event, "tgid"));
	EXPECT_STREQ("99", json_at(&event, "ppid"));
	EXPECT_STREQ("1000", json_at(&event, "uid"));
	EXPECT_STREQ("\"make\"", json_at(&event, "comm"));
	EXPECT_STREQ("101", json_at(&event, "fork.pid"));
	EXPECT_STREQ("17", json_at(&event, "fork.clone_flags"));
	EXPECT_STREQ("100", json_at(&event, "fork.ppid"));
}

TEST(json_ids_of_64_bits_are_strings)
{
	struct kmonitor_event event = make_fork();

	EXPECT_STREQ("\"18446744073709551615\"", json_at(&event, "cookie"));
	EXPECT_STREQ("\"18014398509481985\"", json_at(&event, "start_ns"));
	EXPECT_STREQ("\"42\"", json_at(&event, "cgroup_id"));
	EXPECT_STREQ("\"9007199254740993\"", json_at(&event, "fork.start_ns"));
	EXPECT_STREQ("\"9007199254740995\"", json_at(&event, "fork.pidfd_ino"));
}

TEST(json_of_an_exec)
{
	struct kmonitor_event event = make(KMONITOR_PROCESS_EXEC);

	event.exec = (struct kmonitor_exec){
		.old_pid = 100,
		.flags = KMONITOR_EXEC_SETID | KMONITOR_EXEC_SCRIPT,
		.dev_major = 8,
		.dev_minor = UINT32_MAX,
		.ino = UINT64_MAX,
		.nr_args = 3,
		.mnt_id = 21,
	};
	EXPECT_STREQ("[\"set-id\",\"script\"]", json_at(&event, "exec.flags"));
	EXPECT_STREQ("4294967295", json_at(&event, "exec.dev_minor"));
	EXPECT_STREQ("\"18446744073709551615\"", json_at(&event, "exec.ino"));
	EXPECT_STREQ("\"21\"", json_at(&event, "exec.mnt_id"));
	EXPECT_STREQ("3", json_at(&event, "exec.nr_args"));
}

TEST(json_of_an_exit_has_code_or_signal)
{
	struct kmonitor_event event = make_exit(3 << 8);

	EXPECT_STREQ("768", json_at(&event, "exit.status"));
	EXPECT_STREQ("3", json_at(&event, "exit.code"));
	EXPECT_EQ(NULL, json_at(&event, "exit.signal"));
	EXPECT_STREQ("10000000", json_at(&event, "exit.utime_ns"));
	event.exit.status = SIGABRT | 0x80;
	EXPECT_EQ(NULL, json_at(&event, "exit.code"));
	EXPECT_STREQ("\"SIGABRT\"", json_at(&event, "exit.signal"));
	EXPECT_STREQ("true", json_at(&event, "exit.core_dumped"));
}

TEST(json_has_what_is_special_to_each_type)
{
	struct kmonitor_event event = make(KMONITOR_EXEC_FAILED);

	event.exec_failed.error = ENOENT;
	EXPECT_STREQ("\"ENOENT\"", json_at(&event, "exec_failed.errno"));
	EXPECT_STREQ("2", json_at(&event, "exec_failed.error"));

	event = make(KMONITOR_CRED);
	event.cred.new_uid[1] = 7;
	event.cred.old_gid[2] = 8;
	EXPECT_STREQ("7", json_at(&event, "cred.new_euid"));
	EXPECT_STREQ("8", json_at(&event, "cred.old_sgid"));

	event = make(KMONITOR_COMM);
	strcpy(event.comm_change.old_comm, "before");
	EXPECT_STREQ("\"before\"", json_at(&event, "comm_change.old_comm"));

	event = make(KMONITOR_SID);
	event.session.sid = 12;
	EXPECT_STREQ("12", json_at(&event, "session.sid"));

	event = make(KMONITOR_PTRACE);
	event.ptrace.op = KMONITOR_PTRACE_DETACH;
	event.ptrace.peer_start_ns = UINT64_MAX;
	EXPECT_STREQ("\"detach\"", json_at(&event, "ptrace.op"));
	EXPECT_STREQ("\"18446744073709551615\"",
		     json_at(&event, "ptrace.peer_start_ns"));

	event = make(KMONITOR_SNAPSHOT_END);
	event.task.token = 5;
	EXPECT_STREQ("\"5\"", json_at(&event, "snapshot.token"));
	EXPECT_EQ(NULL, json_at(&event, "snapshot.pidfd_ino"));
}

TEST(json_of_a_task_that_may_not_be_seen_has_its_identity)
{
	struct kmonitor_event event = make(KMONITOR_TASK);

	event.task.token = 5;
	event.task.nr_threads = 3;
	event.task.flags = KMONITOR_EXEC_MEMFD;
	EXPECT_STREQ("3", json_at(&event, "task.nr_threads"));
	EXPECT_STREQ("[\"memfd\"]", json_at(&event, "task.flags"));
	event.flags = KMONITOR_EVENT_REDACTED;
	EXPECT_EQ(NULL, json_at(&event, "task.nr_threads"));
	EXPECT_STREQ("\"5\"", json_at(&event, "task.token"));
}

TEST(json_keeps_a_name_that_is_no_text)
{
	struct kmonitor_event event = make_fork();

	memset(event.comm, 0, sizeof(event.comm));
	memcpy(event.comm, "a\"\xff\n", 4);
	EXPECT_STREQ("\"a\\\"\xef\xbf\xbd\xef\xbf\xbd\"",
		     json_at(&event, "comm"));
	EXPECT_STREQ("\"6122ff0a\"", json_at(&event, "comm_hex"));
	memset(event.comm, 0xff, sizeof(event.comm));
	EXPECT_STREQ("\"ffffffffffffffffffffffffffffffff\"",
		     json_at(&event, "comm_hex"));
	event = make_fork();
	EXPECT_EQ(NULL, json_at(&event, "comm_hex"));
}

/* Advice depends on the program, and is left to it. */
TEST(errors_have_reasons_and_no_advice)
{
	struct kmonitor_filter all = { .target = KMONITOR_TARGET_ALL };
	struct kmonitor_filter process = { .target = KMONITOR_TARGET_PROCESS };

	EXPECT_STREQ("this kernel has no kmonitor (CONFIG_KMONITOR)",
		     kmon_open_strerror(-ENOSYS));
	EXPECT_STREQ("kernel.kmonitor.unprivileged is 0, or seccomp forbids it",
		     kmon_open_strerror(-EPERM));
	EXPECT_STREQ("needs CAP_SYS_PTRACE",
		     kmon_filter_strerror(&all, -EPERM));
	EXPECT_STREQ("not yours, or protected: needs CAP_SYS_PTRACE",
		     kmon_filter_strerror(&process, -EPERM));
	EXPECT_STREQ("no such process", kmon_filter_strerror(&process, -ESRCH));
	EXPECT_STREQ("Bad file descriptor", kmon_open_strerror(-EBADF));
	EXPECT_STREQ("unknown error", kmon_open_strerror(-4000));
}

int main(int argc, char **argv)
{
	setenv("TZ", "UTC", 1);
	tzset();
	return test_harness_run(argc, argv);
}
