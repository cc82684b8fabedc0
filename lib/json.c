// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A record as a JSON object for programs.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <json-c/json.h>

#include "internal.h"
#include "kmon.h"

#define NSEC_PER_SEC INT64_C(1000000000)

/* How a field becomes a value: an ID is a 64-bit one, as a string. */
enum kind { S32, U32, U64, ID };

struct field {
	const char *key;
	size_t offset;
	enum kind kind;
};

struct flag {
	const char *name;
	uint32_t bit;
};

#define FIELD(member, key, kind)                                   \
	{                                                          \
		key, offsetof(struct kmonitor_event, member), kind \
	}

static const struct field header_fields[] = {
	FIELD(pid, "pid", S32),
	FIELD(tgid, "tgid", S32),
	FIELD(ppid, "ppid", S32),
	FIELD(start_ns, "start_ns", ID),
};

static const struct field fork_fields[] = {
	FIELD(fork.pid, "pid", S32),
	FIELD(fork.tgid, "tgid", S32),
	FIELD(fork.start_ns, "start_ns", ID),
	FIELD(fork.clone_flags, "clone_flags", U64),
	FIELD(fork.cgroup_id, "cgroup_id", ID),
	FIELD(fork.ppid, "ppid", S32),
	FIELD(fork.pidfd_ino, "pidfd_ino", ID),
};

static const struct field exec_fields[] = {
	FIELD(exec.old_pid, "old_pid", S32),
	FIELD(exec.dev_major, "dev_major", U32),
	FIELD(exec.dev_minor, "dev_minor", U32),
	FIELD(exec.ino, "ino", ID),
	FIELD(exec.nr_args, "nr_args", U32),
	FIELD(exec.mnt_id, "mnt_id", ID),
	FIELD(exec.pidfd_ino, "pidfd_ino", ID),
};

static const struct field exit_fields[] = {
	FIELD(exit.status, "status", S32),
	FIELD(exit.utime_ns, "utime_ns", U64),
	FIELD(exit.stime_ns, "stime_ns", U64),
	FIELD(exit.maxrss_kib, "maxrss_kib", U64),
	FIELD(exit.min_flt, "min_flt", U64),
	FIELD(exit.maj_flt, "maj_flt", U64),
};

static const struct field abort_fields[] = {
	FIELD(abort.signo, "signo", S32),
	FIELD(abort.code, "code", S32),
	FIELD(abort.sender_pid, "sender_pid", S32),
	FIELD(abort.sender_uid, "sender_uid", U32),
	FIELD(abort.sender_start_ns, "sender_start_ns", ID),
};

static const struct field lost_fields[] = {
	FIELD(lost.count, "count", U64),
	FIELD(lost.first_ns, "first_ns", U64),
	FIELD(lost.last_ns, "last_ns", U64),
};

static const struct field empty_fields[] = {
	FIELD(empty.root_status, "root_status", S32),
	FIELD(empty.members, "members", U32),
	FIELD(empty.failed, "failed", U32),
	FIELD(empty.handle, "handle", ID),
	FIELD(empty.utime_ns, "utime_ns", U64),
	FIELD(empty.stime_ns, "stime_ns", U64),
	FIELD(empty.maxrss_kib, "maxrss_kib", U64),
};

static const struct flag event_flags[] = {
	{ "redacted", KMONITOR_EVENT_REDACTED },
	{ "worker", KMONITOR_EVENT_WORKER },
	{ "truncated", KMONITOR_EVENT_TRUNCATED },
	{ "last-thread", KMONITOR_EVENT_LAST_THREAD },
	{ "oom", KMONITOR_EVENT_OOM },
};

static const struct flag exec_flags[] = {
	{ "set-id", KMONITOR_EXEC_SETID },
	{ "script", KMONITOR_EXEC_SCRIPT },
	{ "memfd", KMONITOR_EXEC_MEMFD },
	{ "unlinked", KMONITOR_EXEC_UNLINKED },
};

static const struct flag abort_flags[] = {
	{ "core", KMONITOR_ABORT_CORE },
	{ "sender-unknown", KMONITOR_ABORT_SENDER_UNKNOWN },
};

static const struct flag empty_flags[] = {
	{ "oom", KMONITOR_EMPTY_OOM },
	{ "incomplete", KMONITOR_EMPTY_INCOMPLETE },
};

/* Takes the value.  A missing one is a lack of memory. */
static bool put(struct json_object *object, const char *key,
		struct json_object *value)
{
	if (value && !json_object_object_add(object, key, value))
		return true;
	json_object_put(value);
	return false;
}

static struct json_object *new_id(uint64_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	return json_object_new_string(text);
}

static struct json_object *new_value(const char *at, enum kind kind)
{
	int32_t s32;
	uint32_t u32;
	uint64_t u64;

	switch (kind) {
	case S32:
		memcpy(&s32, at, sizeof(s32));
		return json_object_new_int(s32);
	case U32:
		memcpy(&u32, at, sizeof(u32));
		return json_object_new_uint64(u32);
	case U64:
		memcpy(&u64, at, sizeof(u64));
		return json_object_new_uint64(u64);
	case ID:
		memcpy(&u64, at, sizeof(u64));
		return new_id(u64);
	}
	return NULL;
}

static bool put_fields(struct json_object *object,
		       const struct kmonitor_event *event,
		       const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *at = (const char *)event + fields[i].offset;

		if (!put(object, fields[i].key, new_value(at, fields[i].kind)))
			return false;
	}
	return true;
}

static bool put_flags(struct json_object *object, uint32_t bits,
		      const struct flag *flags, size_t n)
{
	struct json_object *array = json_object_new_array();

	if (!put(object, "flags", array))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *name;

		if (!(bits & flags[i].bit))
			continue;
		name = json_object_new_string(flags[i].name);
		if (!name || json_object_array_add(array, name)) {
			json_object_put(name);
			return false;
		}
	}
	return true;
}

static bool put_signal(struct json_object *object, int signo)
{
	char name[KMON_SIGNAL_MAX];

	kmon_signal_name(signo, name);
	return put(object, "signal", json_object_new_string(name));
}

static bool put_status(struct json_object *object, int status)
{
	if (WIFEXITED(status))
		return put(object, "code",
			   json_object_new_int(WEXITSTATUS(status)));
	return put_signal(object, WTERMSIG(status)) &&
	       put(object, "core_dumped",
		   json_object_new_boolean(WCOREDUMP(status)));
}

/*
 * The name as a string.  One with bytes that can't be shown has U+FFFD for each
 * of them, and the true bytes beside it.
 */
static bool put_comm(struct json_object *object, const char *comm, size_t len)
{
	char text[64], hex[64];
	bool whole = true;
	size_t at = 0;

	len = strnlen(comm, len);
	for (size_t i = 0, n; i < len; i += n) {
		n = kmon_shown_sequence(comm + i, len - i);
		if (n) {
			memcpy(text + at, comm + i, n);
			at += n;
		} else {
			n = 1;
			memcpy(text + at, "\xef\xbf\xbd", 3);
			at += 3;
			whole = false;
		}
	}
	if (!put(object, "comm", json_object_new_string_len(text, (int)at)))
		return false;
	if (whole)
		return true;
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)comm[i]);
	return put(object, "comm_hex", json_object_new_string(hex));
}

static bool put_time(struct json_object *object, int64_t wall_ns)
{
	time_t seconds = wall_ns / NSEC_PER_SEC;
	char text[64], whole[32];
	struct tm tm = {};

	gmtime_r(&seconds, &tm);
	strftime(whole, sizeof(whole), "%FT%T", &tm);
	snprintf(text, sizeof(text), "%s.%09dZ", whole,
		 (int)(wall_ns % NSEC_PER_SEC));
	return put(object, "time", json_object_new_string(text));
}

/*
 * What is redacted, or not known of the root of a tree, has no value rather
 * than a wrong one.
 */
static bool put_subject(struct json_object *object,
			const struct kmonitor_event *event)
{
	if (!put_fields(object, event, header_fields,
			KMON_COUNT(header_fields)))
		return false;
	if (event->uid == UINT32_MAX)
		return true;
	return put(object, "uid", json_object_new_uint64(event->uid)) &&
	       put(object, "cgroup_id", new_id(event->cgroup_id)) &&
	       put_comm(object, event->comm, sizeof(event->comm));
}

static bool put_type(struct json_object *object, uint32_t type)
{
	const char *name = kmon_event_name(type);
	char number[16];

	snprintf(number, sizeof(number), "0x%x", type);
	return put(object, "type",
		   json_object_new_string(name ? name : number));
}

static bool put_header(struct json_object *object,
		       const struct kmonitor_event *event, int64_t wall_offset)
{
	if (!put(object, "seq", json_object_new_uint64(event->seq)) ||
	    !put(object, "time_ns", json_object_new_uint64(event->time_ns)) ||
	    !put_time(object, (int64_t)event->time_ns + wall_offset) ||
	    !put_type(object, event->type))
		return false;
	if (event->type == KMONITOR_LOST)
		return true;
	return put(object, "cookie", new_id(event->cookie)) &&
	       put_flags(object, event->flags, event_flags,
			 KMON_COUNT(event_flags)) &&
	       put(object, "cpu", json_object_new_int(event->cpu)) &&
	       put_subject(object, event);
}

static bool put_details(struct json_object *object,
			const struct kmonitor_event *event)
{
	struct json_object *details = json_object_new_object();
	const char *key = NULL;
	bool done = true;

	if (!details)
		return false;
	switch (event->type) {
	case KMONITOR_PROCESS_FORK:
	case KMONITOR_THREAD_CREATE:
		key = "fork";
		done = put_fields(details, event, fork_fields,
				  KMON_COUNT(fork_fields));
		break;
	case KMONITOR_PROCESS_EXEC:
		key = "exec";
		done = put_flags(details, event->exec.flags, exec_flags,
				 KMON_COUNT(exec_flags)) &&
		       put_fields(details, event, exec_fields,
				  KMON_COUNT(exec_fields));
		break;
	case KMONITOR_THREAD_EXIT:
	case KMONITOR_PROCESS_EXIT:
		if (event->flags & KMONITOR_EVENT_REDACTED)
			break;
		key = "exit";
		done = put_status(details, event->exit.status) &&
		       put_fields(details, event, exit_fields,
				  KMON_COUNT(exit_fields));
		break;
	case KMONITOR_PROCESS_ABORT:
	case KMONITOR_THREAD_ABORT:
	case KMONITOR_COREDUMP:
		key = "abort";
		done = put_signal(details, event->abort.signo) &&
		       put_flags(details, event->abort.flags, abort_flags,
				 KMON_COUNT(abort_flags)) &&
		       put_fields(details, event, abort_fields,
				  KMON_COUNT(abort_fields));
		break;
	case KMONITOR_LOST:
		key = "lost";
		done = put_fields(details, event, lost_fields,
				  KMON_COUNT(lost_fields));
		break;
	case KMONITOR_EMPTY:
		key = "empty";
		done = put_status(details, event->empty.root_status) &&
		       put_flags(details, event->empty.flags, empty_flags,
				 KMON_COUNT(empty_flags)) &&
		       put_fields(details, event, empty_fields,
				  KMON_COUNT(empty_fields));
		break;
	}
	if (key && done)
		return put(object, key, details);
	json_object_put(details);
	return done;
}

struct json_object *kmon_json_event(const struct kmonitor_event *event,
				    int64_t wall_offset)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	if (put_header(object, event, wall_offset) &&
	    put_details(object, event))
		return object;
	json_object_put(object);
	return NULL;
}
