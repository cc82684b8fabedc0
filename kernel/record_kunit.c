// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the making of records: no uninitialised byte, redaction, and
 * unknown senders.
 */

#include <kunit/test.h>
#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/signal.h>

#include "access.h"
#include "empty.h"
#include "entry.h"
#include "event_data.h"
#include "record.h"
#include "sender.h"

#define POISON 0xa5
#define TIME_NS 12345

/* All that reaches a record by kmonitor_record_fill(). */
static const u32 types[] = {
	KMONITOR_THREAD_CREATE, KMONITOR_THREAD_ABORT,	KMONITOR_THREAD_EXIT,
	KMONITOR_PROCESS_FORK,	KMONITOR_PROCESS_ABORT, KMONITOR_PROCESS_EXEC,
	KMONITOR_PROCESS_EXIT,	KMONITOR_COMM,		KMONITOR_CRED,
	KMONITOR_SID,		KMONITOR_PTRACE,	KMONITOR_COREDUMP,
	KMONITOR_EXEC_FAILED,	KMONITOR_TASK,
};

/* The objects that the event data points to. */
struct parts {
	struct kmonitor_creator creator;
	struct kmonitor_sender sender;
	struct linux_binprm bprm;
	/* A namespace without a process: its creator sees nothing. */
	struct pid_namespace elsewhere;
};

/* The current task as subject, and as whatever else there is. */
static struct kmonitor_event_data make_event_data(struct kunit *test, u32 type)
{
	struct parts *parts = test->priv;
	struct kmonitor_event_data data = {
		.type = type,
		.flags = KMONITOR_EVENT_OOM,
		.task = current,
		.time_ns = TIME_NS,
	};

	switch (type) {
	case KMONITOR_PROCESS_FORK:
	case KMONITOR_THREAD_CREATE:
		data.fork.child = current;
		data.fork.clone_flags = CLONE_VM;
		break;
	case KMONITOR_PROCESS_EXEC:
		data.exec.bprm = &parts->bprm;
		data.exec.old_pid = task_pid(current);
		break;
	case KMONITOR_EXEC_FAILED:
		data.exec_failed.error = ENOEXEC;
		data.exec_failed.file = parts->bprm.file;
		break;
	case KMONITOR_PROCESS_EXIT:
	case KMONITOR_THREAD_EXIT:
		data.exit.status = SIGSEGV;
		break;
	case KMONITOR_PROCESS_ABORT:
	case KMONITOR_THREAD_ABORT:
	case KMONITOR_COREDUMP:
		data.abort.signo = SIGSEGV;
		data.abort.sender = &parts->sender;
		break;
	case KMONITOR_CRED:
		data.cred.old = current_cred();
		data.cred.new = current_cred();
		break;
	case KMONITOR_COMM:
		data.comm.old = "old";
		break;
	case KMONITOR_PTRACE:
		data.ptrace.tracee = current;
		data.ptrace.attached = true;
		break;
	case KMONITOR_TASK:
		data.snapshot.sid = 1;
		data.snapshot.nr_threads = 1;
		data.snapshot.ino = 1;
		data.snapshot.token = 7;
		data.snapshot.pidfd_ino = task_pid(current)->ino;
		break;
	}
	return data;
}

static void fill_poisoned(struct kunit *test, struct kmonitor_event *event,
			  struct kmonitor_event_data *data, bool redacted,
			  u8 poison)
{
	struct parts *parts = test->priv;

	memset(event, poison, sizeof(*event));
	guard(rcu)();
	kmonitor_record_fill(event, data, &parts->creator, redacted);
}

static void fill_type(struct kunit *test, struct kmonitor_event *event,
		      u32 type, bool redacted)
{
	struct kmonitor_event_data data = make_event_data(test, type);

	fill_poisoned(test, event, &data, redacted, POISON);
	KUNIT_EXPECT_EQ(test, event->type, type);
	KUNIT_EXPECT_EQ(test, event->time_ns, TIME_NS);
}

/* Bytes that are not written keep the different poison of both records. */
static void expect_no_poison(struct kunit *test, u32 type,
			     const struct kmonitor_event *event,
			     const struct kmonitor_event *other)
{
	const u8 *a = (const u8 *)event, *b = (const u8 *)other;
	const u8 inverse = (u8)~POISON;

	for (size_t i = offsetofend(struct kmonitor_event, seq);
	     i < sizeof(*event); i++)
		KUNIT_EXPECT_FALSE_MSG(test, a[i] == POISON && b[i] == inverse,
				       "type %#x leaves byte %zu", type, i);
}

static void each_byte_but_seq_is_written(struct kunit *test)
{
	struct kmonitor_event event, other;
	struct kmonitor_event_data data;

	for (u32 i = 0; i < 2 * ARRAY_SIZE(types); i++) {
		data = make_event_data(test, types[i / 2]);
		fill_poisoned(test, &event, &data, i % 2, POISON);
		fill_poisoned(test, &other, &data, i % 2, (u8)~POISON);
		expect_no_poison(test, types[i / 2], &event, &other);
		KUNIT_EXPECT_EQ(test, event.cookie, 0);
	}
}

static void each_byte_of_empty_is_written(struct kunit *test)
{
	struct parts *parts = test->priv;
	struct kmonitor_event event, other;
	struct kmonitor_entry *entry;

	entry = kmonitor_entry_create(KMONITOR_TARGET_TREE, task_pid(current),
				      TIME_NS);
	KUNIT_ASSERT_NOT_NULL(test, entry);
	memset(&event, POISON, sizeof(event));
	memset(&other, (u8)~POISON, sizeof(other));
	kmonitor_record_fill_empty(&event, entry, &parts->creator);
	kmonitor_record_fill_empty(&other, entry, &parts->creator);
	kmonitor_entry_put(entry);
	expect_no_poison(test, KMONITOR_EMPTY, &event, &other);
	KUNIT_EXPECT_EQ(test, event.pid, task_pid_nr(current));
	KUNIT_EXPECT_EQ(test, event.start_ns, TIME_NS);
	KUNIT_EXPECT_EQ(test, event.uid, (u32)-1);
}

/* Its fields have 32 bits, and a tree may have had more members. */
static void counts_of_empty_do_not_wrap(struct kunit *test)
{
	const u64 counts[] = { 3, U32_MAX, U32_MAX + 1ULL, S64_MAX };
	struct parts *parts = test->priv;
	struct kmonitor_event event;
	struct kmonitor_entry *entry;

	entry = kmonitor_entry_create(KMONITOR_TARGET_TREE, task_pid(current),
				      TIME_NS);
	KUNIT_ASSERT_NOT_NULL(test, entry);
	for (u32 i = 0; i < ARRAY_SIZE(counts); i++) {
		const u32 expected = min(counts[i], U32_MAX);

		atomic64_set(&entry->totals.members, counts[i]);
		atomic64_set(&entry->totals.failed, counts[i]);
		kmonitor_record_fill_empty(&event, entry, &parts->creator);
		KUNIT_EXPECT_EQ(test, event.empty.members, expected);
		KUNIT_EXPECT_EQ(test, event.empty.failed, expected);
	}
	kmonitor_entry_put(entry);
}

static void who_may_be_seen_is_described(struct kunit *test)
{
	struct kmonitor_event event;

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		fill_type(test, &event, types[i], false);
		KUNIT_EXPECT_EQ(test, event.flags, KMONITOR_EVENT_OOM);
		KUNIT_EXPECT_EQ(test, event.uid, 0);
		KUNIT_EXPECT_EQ(test, event.pid, task_pid_nr(current));
		KUNIT_EXPECT_STREQ(test, event.comm, current->comm);
		KUNIT_EXPECT_EQ(test, event.cgroup_id != 0,
				IS_ENABLED(CONFIG_CGROUPS));
	}
	fill_type(test, &event, KMONITOR_PROCESS_EXIT, false);
	KUNIT_EXPECT_EQ(test, event.exit.status, SIGSEGV);
	fill_type(test, &event, KMONITOR_PROCESS_EXEC, false);
	KUNIT_EXPECT_EQ(test, event.exec.flags,
			KMONITOR_EXEC_MEMFD | KMONITOR_EXEC_UNLINKED);
	KUNIT_EXPECT_EQ(test, event.exec.old_pid, task_pid_nr(current));
}

static bool all_zero(const void *data, size_t size)
{
	return !memchr_inv(data, 0, size);
}

static void a_redacted_record_tells_only_who_is_there(struct kunit *test)
{
	struct kmonitor_event event;

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		fill_type(test, &event, types[i], true);
		KUNIT_EXPECT_EQ(test, event.flags, KMONITOR_EVENT_REDACTED);
		KUNIT_EXPECT_EQ(test, event.uid, (u32)-1);
		KUNIT_EXPECT_EQ(test, event.cgroup_id, 0);
		KUNIT_EXPECT_TRUE(test,
				  all_zero(event.comm, sizeof(event.comm)));
		KUNIT_EXPECT_EQ(test, event.pid, task_pid_nr(current));
		KUNIT_EXPECT_EQ(test, event.start_ns,
				current->group_leader->start_boottime);
	}
	fill_type(test, &event, KMONITOR_PROCESS_FORK, true);
	KUNIT_EXPECT_EQ(test, event.fork.pid, task_pid_nr(current));
	KUNIT_EXPECT_EQ(test, event.fork.cgroup_id, 0);
	fill_type(test, &event, KMONITOR_THREAD_EXIT, true);
	KUNIT_EXPECT_TRUE(test, all_zero(&event.exit, sizeof(event.exit)));
	fill_type(test, &event, KMONITOR_PROCESS_EXIT, true);
	KUNIT_EXPECT_TRUE(test, all_zero(&event.exit, sizeof(event.exit)));
	fill_type(test, &event, KMONITOR_TASK, true);
	KUNIT_EXPECT_EQ(test, event.task.token, 7);
	KUNIT_EXPECT_EQ(test, event.task.pidfd_ino, task_pid(current)->ino);
	KUNIT_EXPECT_TRUE(test,
			  all_zero(&event.task,
				   offsetof(struct kmonitor_task, token)));
}

/* The usage of a task that may not be seen isn't even taken. */
static void a_redacted_exit_takes_no_usage(struct kunit *test)
{
	struct kmonitor_event_data data =
		make_event_data(test, KMONITOR_PROCESS_EXIT);
	struct kmonitor_event event;

	fill_poisoned(test, &event, &data, true, POISON);
	KUNIT_EXPECT_FALSE(test, data.has_usage);
	fill_poisoned(test, &event, &data, false, POISON);
	KUNIT_EXPECT_TRUE(test, data.has_usage);
}

static void a_name_ends_within_its_field(struct kunit *test)
{
	struct kmonitor_event_data data = make_event_data(test, KMONITOR_SID);
	struct kmonitor_event event;
	char comm[TASK_COMM_LEN];

	/* As a reader may find it that comes while it is changed. */
	memcpy(comm, current->comm, sizeof(comm));
	memset(current->comm, 'x', sizeof(comm));
	fill_poisoned(test, &event, &data, false, POISON);
	memcpy(current->comm, comm, sizeof(comm));
	KUNIT_EXPECT_EQ(test, strnlen(event.comm, sizeof(event.comm)),
			sizeof(event.comm) - 1);

	data = make_event_data(test, KMONITOR_COMM);
	data.comm.old = "longer than any name may be";
	fill_poisoned(test, &event, &data, false, POISON);
	KUNIT_EXPECT_STREQ(test, event.comm_change.old_comm, "longer than any");
}

static void expect_no_sender(struct kunit *test,
			     const struct kmonitor_event *event)
{
	KUNIT_EXPECT_EQ(test, event->abort.sender_pid, 0);
	KUNIT_EXPECT_EQ(test, event->abort.sender_uid, 0);
	KUNIT_EXPECT_EQ(test, event->abort.sender_start_ns, 0);
}

static void a_killer_is_known_or_said_to_be_unknown(struct kunit *test)
{
	struct kmonitor_event_data data =
		make_event_data(test, KMONITOR_PROCESS_ABORT);
	const struct kmonitor_sender by_kernel = { .code = SI_KERNEL };
	struct parts *parts = test->priv;
	struct kmonitor_event event;

	fill_poisoned(test, &event, &data, false, POISON);
	KUNIT_EXPECT_EQ(test, event.abort.signo, SIGSEGV);
	KUNIT_EXPECT_EQ(test, event.abort.flags, KMONITOR_ABORT_CORE);
	KUNIT_EXPECT_EQ(test, event.abort.code, SI_TKILL);
	KUNIT_EXPECT_EQ(test, event.abort.sender_pid, task_tgid_nr(current));
	KUNIT_EXPECT_EQ(test, event.abort.sender_uid, 5);
	KUNIT_EXPECT_EQ(test, event.abort.sender_start_ns, 6);

	data.abort.signo = SIGTERM;
	data.abort.sender = NULL;
	fill_poisoned(test, &event, &data, false, POISON);
	KUNIT_EXPECT_EQ(test, event.abort.signo, SIGTERM);
	KUNIT_EXPECT_EQ(test, event.abort.flags, KMONITOR_ABORT_SENDER_UNKNOWN);
	KUNIT_EXPECT_EQ(test, event.abort.code, 0);
	expect_no_sender(test, &event);

	data.abort.sender = &by_kernel;
	fill_poisoned(test, &event, &data, false, POISON);
	KUNIT_EXPECT_EQ(test, event.abort.flags, 0);
	KUNIT_EXPECT_EQ(test, event.abort.code, SI_KERNEL);
	expect_no_sender(test, &event);

	/* A sender that is not visible there is not named. */
	data.abort.sender = &parts->sender;
	parts->creator.pid_ns = &parts->elsewhere;
	fill_poisoned(test, &event, &data, false, POISON);
	KUNIT_EXPECT_EQ(test, event.abort.flags, KMONITOR_ABORT_SENDER_UNKNOWN);
	expect_no_sender(test, &event);
}

static void what_is_not_visible_has_no_id(struct kunit *test)
{
	struct parts *parts = test->priv;
	struct kmonitor_event event;

	parts->creator.pid_ns = &parts->elsewhere;
	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		fill_type(test, &event, types[i], false);
		KUNIT_EXPECT_EQ(test, event.pid, 0);
		KUNIT_EXPECT_EQ(test, event.tgid, 0);
		KUNIT_EXPECT_EQ(test, event.ppid, 0);
	}
	fill_type(test, &event, KMONITOR_PROCESS_FORK, false);
	KUNIT_EXPECT_EQ(test, event.fork.pid, 0);
	KUNIT_EXPECT_EQ(test, event.fork.tgid, 0);
	KUNIT_EXPECT_EQ(test, event.fork.ppid, 0);
	fill_type(test, &event, KMONITOR_PROCESS_EXEC, false);
	KUNIT_EXPECT_EQ(test, event.exec.old_pid, 0);
	fill_type(test, &event, KMONITOR_SID, false);
	KUNIT_EXPECT_EQ(test, event.session.sid, 0);
	KUNIT_EXPECT_EQ(test, event.session.pgid, 0);
	fill_type(test, &event, KMONITOR_PTRACE, false);
	KUNIT_EXPECT_EQ(test, event.ptrace.peer_pid, 0);
	KUNIT_EXPECT_EQ(test, event.ptrace.peer_tgid, 0);
	KUNIT_EXPECT_EQ(test, event.ptrace.peer_start_ns, 0);
}

static struct kunit_case record_cases[] = {
	KUNIT_CASE(each_byte_but_seq_is_written),
	KUNIT_CASE(each_byte_of_empty_is_written),
	KUNIT_CASE(counts_of_empty_do_not_wrap),
	KUNIT_CASE(who_may_be_seen_is_described),
	KUNIT_CASE(a_redacted_record_tells_only_who_is_there),
	KUNIT_CASE(a_redacted_exit_takes_no_usage),
	KUNIT_CASE(a_name_ends_within_its_field),
	KUNIT_CASE(a_killer_is_known_or_said_to_be_unknown),
	KUNIT_CASE(what_is_not_visible_has_no_id),
	{}
};

static void drop_creator(void *data)
{
	struct kmonitor_creator creator = *(struct kmonitor_creator *)data;

	/* A case may have put another one there. */
	creator.pid_ns = task_active_pid_ns(current);
	kmonitor_creator_destroy(&creator);
}

static void drop_file(void *file)
{
	fput(file);
}

static int record_init(struct kunit *test)
{
	struct parts *parts = kunit_kzalloc(test, sizeof(*parts), GFP_KERNEL);
	struct file *file;
	int ret;

	if (!parts)
		return -ENOMEM;
	test->priv = parts;
	kmonitor_creator_init(&parts->creator);
	ret = kunit_add_action_or_reset(test, drop_creator, &parts->creator);
	if (ret)
		return ret;
	file = shmem_kernel_file_setup("memfd:kunit", 0, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	parts->bprm.file = file;
	parts->bprm.argc = 3;
	parts->sender = (struct kmonitor_sender){
		.signo = SIGSEGV,
		.code = SI_TKILL,
		.tgid = task_tgid(current),
		.uid = KUIDT_INIT(5),
		.start_ns = 6,
	};
	parts->elsewhere.level = init_pid_ns.level + 1;
	return kunit_add_action_or_reset(test, drop_file, file);
}

static struct kunit_suite record_suite = {
	.name = "kmonitor_record",
	.init = record_init,
	.test_cases = record_cases,
};

kunit_test_suite(record_suite);

MODULE_DESCRIPTION("KUnit tests of the making of records");
MODULE_LICENSE("GPL");
