// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The details that are special to a type of record, as a JSON object.
 */

#include <errno.h>
#include <string.h>

#include "json.h"

static const struct json_field fork_fields[] = {
	JSON_FIELD(fork.pid, "pid", S32),
	JSON_FIELD(fork.tgid, "tgid", S32),
	JSON_FIELD(fork.start_ns, "start_ns", ID),
	JSON_FIELD(fork.clone_flags, "clone_flags", U64),
	JSON_FIELD(fork.cgroup_id, "cgroup_id", ID),
	JSON_FIELD(fork.ppid, "ppid", S32),
	JSON_FIELD(fork.pidfd_ino, "pidfd_ino", ID),
};

static const struct json_field exec_fields[] = {
	JSON_FIELD(exec.old_pid, "old_pid", S32),
	JSON_FIELD(exec.dev_major, "dev_major", U32),
	JSON_FIELD(exec.dev_minor, "dev_minor", U32),
	JSON_FIELD(exec.ino, "ino", ID),
	JSON_FIELD(exec.nr_args, "nr_args", U32),
	JSON_FIELD(exec.mnt_id, "mnt_id", ID),
	JSON_FIELD(exec.pidfd_ino, "pidfd_ino", ID),
};

static const struct json_field exit_fields[] = {
	JSON_FIELD(exit.status, "status", S32),
	JSON_FIELD(exit.utime_ns, "utime_ns", U64),
	JSON_FIELD(exit.stime_ns, "stime_ns", U64),
	JSON_FIELD(exit.maxrss_kib, "maxrss_kib", U64),
	JSON_FIELD(exit.min_flt, "min_flt", U64),
	JSON_FIELD(exit.maj_flt, "maj_flt", U64),
};

static const struct json_field abort_fields[] = {
	JSON_FIELD(abort.signo, "signo", S32),
	JSON_FIELD(abort.code, "code", S32),
	JSON_FIELD(abort.sender_pid, "sender_pid", S32),
	JSON_FIELD(abort.sender_uid, "sender_uid", U32),
	JSON_FIELD(abort.sender_start_ns, "sender_start_ns", ID),
};

static const struct json_field lost_fields[] = {
	JSON_FIELD(lost.count, "count", U64),
	JSON_FIELD(lost.first_ns, "first_ns", U64),
	JSON_FIELD(lost.last_ns, "last_ns", U64),
	JSON_FIELD(lost.forks, "forks", U64),
	JSON_FIELD(lost.execs, "execs", U64),
	JSON_FIELD(lost.exits, "exits", U64),
};

static const struct json_field empty_fields[] = {
	JSON_FIELD(empty.root_status, "root_status", S32),
	JSON_FIELD(empty.members, "members", U32),
	JSON_FIELD(empty.failed, "failed", U32),
	JSON_FIELD(empty.handle, "handle", ID),
	JSON_FIELD(empty.utime_ns, "utime_ns", U64),
	JSON_FIELD(empty.stime_ns, "stime_ns", U64),
	JSON_FIELD(empty.maxrss_kib, "maxrss_kib", U64),
};

static const struct json_field exec_failed_fields[] = {
	JSON_FIELD(exec_failed.error, "error", S32),
	JSON_FIELD(exec_failed.dev_major, "dev_major", U32),
	JSON_FIELD(exec_failed.dev_minor, "dev_minor", U32),
	JSON_FIELD(exec_failed.ino, "ino", ID),
};

static const struct json_field cred_fields[] = {
	JSON_FIELD(cred.old_uid[0], "old_uid", U32),
	JSON_FIELD(cred.old_uid[1], "old_euid", U32),
	JSON_FIELD(cred.old_uid[2], "old_suid", U32),
	JSON_FIELD(cred.old_gid[0], "old_gid", U32),
	JSON_FIELD(cred.old_gid[1], "old_egid", U32),
	JSON_FIELD(cred.old_gid[2], "old_sgid", U32),
	JSON_FIELD(cred.new_uid[0], "new_uid", U32),
	JSON_FIELD(cred.new_uid[1], "new_euid", U32),
	JSON_FIELD(cred.new_uid[2], "new_suid", U32),
	JSON_FIELD(cred.new_gid[0], "new_gid", U32),
	JSON_FIELD(cred.new_gid[1], "new_egid", U32),
	JSON_FIELD(cred.new_gid[2], "new_sgid", U32),
};

static const struct json_field sid_fields[] = {
	JSON_FIELD(session.sid, "sid", S32),
	JSON_FIELD(session.pgid, "pgid", S32),
};

static const struct json_field ptrace_fields[] = {
	JSON_FIELD(ptrace.peer_pid, "peer_pid", S32),
	JSON_FIELD(ptrace.peer_tgid, "peer_tgid", S32),
	JSON_FIELD(ptrace.peer_start_ns, "peer_start_ns", ID),
};

/* All that there is of a process that may not be seen. */
static const struct json_field token_fields[] = {
	JSON_FIELD(task.token, "token", ID),
	JSON_FIELD(task.pidfd_ino, "pidfd_ino", ID),
};

static const struct json_field task_fields[] = {
	JSON_FIELD(task.sid, "sid", S32),
	JSON_FIELD(task.pgid, "pgid", S32),
	JSON_FIELD(task.nr_threads, "nr_threads", U32),
	JSON_FIELD(task.dev_major, "dev_major", U32),
	JSON_FIELD(task.dev_minor, "dev_minor", U32),
	JSON_FIELD(task.ino, "ino", ID),
};

static const struct json_flag exec_flags[] = {
	{ "set-id", KMONITOR_EXEC_SETID },
	{ "script", KMONITOR_EXEC_SCRIPT },
	{ "memfd", KMONITOR_EXEC_MEMFD },
	{ "unlinked", KMONITOR_EXEC_UNLINKED },
};

static const struct json_flag abort_flags[] = {
	{ "core", KMONITOR_ABORT_CORE },
	{ "sender-unknown", KMONITOR_ABORT_SENDER_UNKNOWN },
};

static const struct json_flag empty_flags[] = {
	{ "oom", KMONITOR_EMPTY_OOM },
	{ "incomplete", KMONITOR_EMPTY_INCOMPLETE },
};

#define PUT(details, event, fields) \
	kmon_json_put_fields(details, event, fields, KMON_COUNT(fields))

static bool put_exec(struct json_object *details,
		     const struct kmonitor_event *event)
{
	return kmon_json_put_flags(details, event->exec.flags, exec_flags,
				   KMON_COUNT(exec_flags)) &&
	       PUT(details, event, exec_fields);
}

static bool put_exec_failed(struct json_object *details,
			    const struct kmonitor_event *event)
{
	const char *name = strerrorname_np(event->exec_failed.error);

	return (!name || kmon_json_put(details, "errno",
				       json_object_new_string(name))) &&
	       PUT(details, event, exec_failed_fields);
}

static bool put_exit(struct json_object *details,
		     const struct kmonitor_event *event)
{
	return kmon_json_put_status(details, event->exit.status) &&
	       PUT(details, event, exit_fields);
}

static bool put_abort(struct json_object *details,
		      const struct kmonitor_event *event)
{
	return kmon_json_put_signal(details, event->abort.signo) &&
	       kmon_json_put_flags(details, event->abort.flags, abort_flags,
				   KMON_COUNT(abort_flags)) &&
	       PUT(details, event, abort_fields);
}

static bool put_ptrace(struct json_object *details,
		       const struct kmonitor_event *event)
{
	const bool attach = event->ptrace.op == KMONITOR_PTRACE_ATTACH;

	return kmon_json_put(details, "op",
			     json_object_new_string(attach ? "attach" :
							     "detach")) &&
	       PUT(details, event, ptrace_fields);
}

static bool put_empty(struct json_object *details,
		      const struct kmonitor_event *event)
{
	return kmon_json_put_status(details, event->empty.root_status) &&
	       kmon_json_put_flags(details, event->empty.flags, empty_flags,
				   KMON_COUNT(empty_flags)) &&
	       PUT(details, event, empty_fields);
}

static bool put_task(struct json_object *details,
		     const struct kmonitor_event *event)
{
	if (!PUT(details, event, token_fields))
		return false;
	if (event->flags & KMONITOR_EVENT_REDACTED)
		return true;
	return kmon_json_put_flags(details, event->task.flags, exec_flags,
				   KMON_COUNT(exec_flags)) &&
	       PUT(details, event, task_fields);
}

/* The key of the details; NULL for a type that has none. */
static const char *fill(struct json_object *details,
			const struct kmonitor_event *event, bool *done)
{
	switch (event->type) {
	case KMONITOR_PROCESS_FORK:
	case KMONITOR_THREAD_CREATE:
		*done = PUT(details, event, fork_fields);
		return "fork";
	case KMONITOR_PROCESS_EXEC:
		*done = put_exec(details, event);
		return "exec";
	case KMONITOR_EXEC_FAILED:
		*done = put_exec_failed(details, event);
		return "exec_failed";
	case KMONITOR_THREAD_EXIT:
	case KMONITOR_PROCESS_EXIT:
		if (event->flags & KMONITOR_EVENT_REDACTED)
			return NULL;
		*done = put_exit(details, event);
		return "exit";
	case KMONITOR_PROCESS_ABORT:
	case KMONITOR_THREAD_ABORT:
	case KMONITOR_COREDUMP:
		*done = put_abort(details, event);
		return "abort";
	case KMONITOR_CRED:
		*done = PUT(details, event, cred_fields);
		return "cred";
	case KMONITOR_COMM:
		*done = kmon_json_put_name(details, "old_comm",
					   event->comm_change.old_comm,
					   sizeof(event->comm_change.old_comm));
		return "comm_change";
	case KMONITOR_SID:
		*done = PUT(details, event, sid_fields);
		return "session";
	case KMONITOR_PTRACE:
		*done = put_ptrace(details, event);
		return "ptrace";
	case KMONITOR_TASK:
		*done = put_task(details, event);
		return "task";
	case KMONITOR_SNAPSHOT_END:
		*done = kmon_json_put_fields(details, event, token_fields, 1);
		return "snapshot";
	case KMONITOR_LOST:
		*done = PUT(details, event, lost_fields);
		return "lost";
	case KMONITOR_EMPTY:
		*done = put_empty(details, event);
		return "empty";
	}
	return NULL;
}

bool kmon_json_put_details(struct json_object *object,
			   const struct kmonitor_event *event)
{
	struct json_object *details = json_object_new_object();
	const char *key;
	bool done = true;

	if (!details)
		return false;
	key = fill(details, event, &done);
	if (key && done)
		return kmon_json_put(object, key, details);
	json_object_put(details);
	return done;
}
