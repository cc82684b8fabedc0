// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A record as a line of text for people.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "internal.h"
#include "kmon.h"
#include "text.h"

#define NSEC_PER_SEC INT64_C(1000000000)
#define COMM_SIZE 16
#define COMM_WIDTH (COMM_SIZE - 1)
/* Time, event, pid, ppid, uid; the name and the details follow. */
#define COLUMNS "%-12s %-11s %7s %7s %6s "

static void add_flags(struct text *text, uint32_t flags, uint32_t flag,
		      const char *words)
{
	if (flags & flag)
		kmon_text_add(text, ", %s", words);
}

static void add_status(struct text *text, int status)
{
	char name[KMON_SIGNAL_MAX];

	if (WIFEXITED(status)) {
		kmon_text_add(text, "exit %d", WEXITSTATUS(status));
		return;
	}
	kmon_signal_name(WTERMSIG(status), name);
	kmon_text_add(text, "killed by %s%s", name,
		      WCOREDUMP(status) ? " (core dumped)" : "");
}

static void add_memory(struct text *text, uint64_t kib)
{
	const double mib = (double)kib / 1024;

	/* No 1024.0M: what would be rounded to that is 1.0G. */
	if (kib < 1024)
		kmon_text_add(text, "%lluK", (unsigned long long)kib);
	else if (mib < 1023.95)
		kmon_text_add(text, "%.1fM", mib);
	else
		kmon_text_add(text, "%.1fG", mib / 1024);
}

static void add_usage(struct text *text, uint64_t utime_ns, uint64_t stime_ns,
		      uint64_t maxrss_kib)
{
	double cpu = ((double)utime_ns + (double)stime_ns) / NSEC_PER_SEC;

	kmon_text_add(text, ", cpu %.*fs", cpu < 100 ? 3 : 0, cpu);
	kmon_text_add(text, ", rss ");
	add_memory(text, maxrss_kib);
}

/* Events are shown under their process; one of a thread says which. */
static void add_thread(struct text *text, const struct kmonitor_event *event)
{
	if (event->pid != event->tgid)
		kmon_text_add(text, ", by thread %d", event->pid);
}

static void add_fork(struct text *text, const struct kmonitor_event *event)
{
	kmon_text_add(text, "child %d", event->fork.tgid);
	if (event->fork.ppid != event->tgid)
		kmon_text_add(text, " of parent %d", event->fork.ppid);
	add_thread(text, event);
}

static void add_thread_create(struct text *text,
			      const struct kmonitor_event *event)
{
	kmon_text_add(text, "thread %d", event->fork.pid);
	add_thread(text, event);
}

static void add_exec(struct text *text, const struct kmonitor_event *event)
{
	const struct kmonitor_exec *exec = &event->exec;

	kmon_text_add(text, "dev %u:%u inode %llu, args %u", exec->dev_major,
		      exec->dev_minor, (unsigned long long)exec->ino,
		      exec->nr_args);
	add_flags(text, exec->flags, KMONITOR_EXEC_SETID, "set-id");
	add_flags(text, exec->flags, KMONITOR_EXEC_SCRIPT, "script");
	add_flags(text, exec->flags, KMONITOR_EXEC_MEMFD, "memfd");
	add_flags(text, exec->flags, KMONITOR_EXEC_UNLINKED, "unlinked");
	if (exec->old_pid && exec->old_pid != event->pid)
		kmon_text_add(text, ", was thread %d", exec->old_pid);
}

static void add_exit(struct text *text, const struct kmonitor_event *event)
{
	const struct kmonitor_exit *exit = &event->exit;

	if (event->type == KMONITOR_THREAD_EXIT)
		kmon_text_add(text, "thread %d: ", event->pid);
	if (event->flags & KMONITOR_EVENT_REDACTED) {
		kmon_text_add(text, "ended");
		return;
	}
	add_status(text, exit->status);
	add_usage(text, exit->utime_ns, exit->stime_ns, exit->maxrss_kib);
}

static void add_abort(struct text *text, const struct kmonitor_event *event)
{
	const struct kmonitor_abort *abort = &event->abort;
	char name[KMON_SIGNAL_MAX];

	kmon_signal_name(abort->signo, name);
	kmon_text_add(text, "%s", name);
	if (abort->flags & KMONITOR_ABORT_SENDER_UNKNOWN)
		kmon_text_add(text, ", sender unknown");
	else if (abort->sender_pid)
		kmon_text_add(text, " from process %d of user %u",
			      abort->sender_pid, abort->sender_uid);
	else
		kmon_text_add(text, " from the kernel");
	add_thread(text, event);
}

static void add_exec_failed(struct text *text,
			    const struct kmonitor_event *event)
{
	const struct kmonitor_exec_failed *failed = &event->exec_failed;
	const char *name = strerrorname_np(failed->error);

	if (name)
		kmon_text_add(text, "%s", name);
	else
		kmon_text_add(text, "error %d", failed->error);
	if (failed->ino)
		kmon_text_add(text, ", dev %u:%u inode %llu", failed->dev_major,
			      failed->dev_minor,
			      (unsigned long long)failed->ino);
	add_thread(text, event);
}

/* Real, effective and saved id. */
static void add_ids(struct text *text, const char *what, const uint32_t old[3],
		    const uint32_t now[3])
{
	kmon_text_add(text, "%s %u/%u/%u to %u/%u/%u", what, old[0], old[1],
		      old[2], now[0], now[1], now[2]);
}

static void add_cred(struct text *text, const struct kmonitor_event *event)
{
	const struct kmonitor_cred *cred = &event->cred;
	const bool uids =
		memcmp(cred->old_uid, cred->new_uid, sizeof(cred->old_uid));
	const bool gids =
		memcmp(cred->old_gid, cred->new_gid, sizeof(cred->old_gid));

	if (uids)
		add_ids(text, "uid", cred->old_uid, cred->new_uid);
	if (uids && gids)
		kmon_text_add(text, ", ");
	if (gids)
		add_ids(text, "gid", cred->old_gid, cred->new_gid);
	add_thread(text, event);
}

static void add_comm_change(struct text *text,
			    const struct kmonitor_event *event,
			    unsigned int flags)
{
	char escaped[KMON_ESCAPE_MAX(COMM_SIZE)];

	kmon_escape(event->comm_change.old_comm, COMM_SIZE, flags, escaped,
		    sizeof(escaped));
	kmon_text_add(text, "was %s", escaped);
	add_thread(text, event);
}

static void add_sid(struct text *text, const struct kmonitor_event *event)
{
	kmon_text_add(text, "session %d", event->session.sid);
}

static void add_ptrace(struct text *text, const struct kmonitor_event *event)
{
	const struct kmonitor_ptrace *ptrace = &event->ptrace;

	kmon_text_add(text, "%s",
		      ptrace->op == KMONITOR_PTRACE_ATTACH ? "attached to" :
							     "detached from");
	if (!ptrace->peer_tgid)
		kmon_text_add(text, " an unknown task");
	else if (ptrace->peer_pid == ptrace->peer_tgid)
		kmon_text_add(text, " process %d", ptrace->peer_tgid);
	else
		kmon_text_add(text, " thread %d of process %d",
			      ptrace->peer_pid, ptrace->peer_tgid);
	add_thread(text, event);
}

static void add_task(struct text *text, const struct kmonitor_event *event)
{
	const struct kmonitor_task *task = &event->task;

	if (event->flags & KMONITOR_EVENT_REDACTED) {
		kmon_text_add(text, "exists");
		return;
	}
	kmon_text_add(text, "session %d, group %d, threads %u", task->sid,
		      task->pgid, task->nr_threads);
	if (task->ino)
		kmon_text_add(text, ", dev %u:%u inode %llu", task->dev_major,
			      task->dev_minor, (unsigned long long)task->ino);
	add_flags(text, task->flags, KMONITOR_EXEC_MEMFD, "memfd");
	add_flags(text, task->flags, KMONITOR_EXEC_UNLINKED, "unlinked");
}

static void add_snapshot_end(struct text *text,
			     const struct kmonitor_event *event)
{
	kmon_text_add(text, "*** snapshot %llu is complete ***",
		      (unsigned long long)event->task.token);
}

static void add_empty(struct text *text, const struct kmonitor_event *event)
{
	const struct kmonitor_empty *empty = &event->empty;

	kmon_text_add(text, "tree ended: root ");
	add_status(text, empty->root_status);
	kmon_text_add(text, ", processes %u, failed %u", empty->members,
		      empty->failed);
	add_usage(text, empty->utime_ns, empty->stime_ns, empty->maxrss_kib);
	add_flags(text, empty->flags, KMONITOR_EMPTY_OOM, "out of memory");
	add_flags(text, empty->flags, KMONITOR_EMPTY_INCOMPLETE, "INCOMPLETE");
}

static void add_lost(struct text *text, const struct kmonitor_event *event)
{
	kmon_text_add(text, "*** LOST %llu record%s ***",
		      (unsigned long long)event->lost.count,
		      event->lost.count == 1 ? "" : "s");
}

static void add_details(struct text *text, const struct kmonitor_event *event,
			unsigned int flags)
{
	int before = text->used;

	switch (event->type) {
	case KMONITOR_PROCESS_FORK:
		add_fork(text, event);
		break;
	case KMONITOR_THREAD_CREATE:
		add_thread_create(text, event);
		break;
	case KMONITOR_PROCESS_EXEC:
		add_exec(text, event);
		break;
	case KMONITOR_THREAD_EXIT:
	case KMONITOR_PROCESS_EXIT:
		add_exit(text, event);
		break;
	case KMONITOR_PROCESS_ABORT:
	case KMONITOR_THREAD_ABORT:
	case KMONITOR_COREDUMP:
		add_abort(text, event);
		break;
	case KMONITOR_EXEC_FAILED:
		add_exec_failed(text, event);
		break;
	case KMONITOR_CRED:
		add_cred(text, event);
		break;
	case KMONITOR_COMM:
		add_comm_change(text, event, flags);
		break;
	case KMONITOR_SID:
		add_sid(text, event);
		break;
	case KMONITOR_PTRACE:
		add_ptrace(text, event);
		break;
	case KMONITOR_TASK:
		add_task(text, event);
		break;
	case KMONITOR_SNAPSHOT_END:
		add_snapshot_end(text, event);
		break;
	case KMONITOR_LOST:
		add_lost(text, event);
		return;
	case KMONITOR_EMPTY:
		add_empty(text, event);
		break;
	}
	if (text->used == before)
		return;
	add_flags(text, event->flags, KMONITOR_EVENT_WORKER, "kernel worker");
	add_flags(text, event->flags, KMONITOR_EVENT_LAST_THREAD,
		  "last thread");
	add_flags(text, event->flags, KMONITOR_EVENT_OOM, "out of memory");
	add_flags(text, event->flags, KMONITOR_EVENT_REDACTED,
		  "not yours to see");
}

int kmon_format_status(int status, char *buf, size_t size)
{
	struct text text = kmon_text_start(buf, size);

	add_status(&text, status);
	return text.used;
}

int kmon_format_memory(uint64_t kib, char *buf, size_t size)
{
	struct text text = kmon_text_start(buf, size);

	add_memory(&text, kib);
	return text.used;
}

int kmon_format_details(const struct kmonitor_event *event, unsigned int flags,
			char *buf, size_t size)
{
	struct text text = kmon_text_start(buf, size);

	add_details(&text, event, flags);
	return text.used;
}

int kmon_format_header(char *buf, size_t size)
{
	struct text text = kmon_text_start(buf, size);

	kmon_text_add(&text, COLUMNS "%-*s %s", "TIME", "EVENT", "PID", "PPID",
		      "UID", COMM_WIDTH, "COMM", "DETAILS");
	return text.used;
}

static void local_time(char *buf, size_t size, int64_t wall_ns)
{
	time_t seconds = wall_ns / NSEC_PER_SEC;
	struct tm tm = {};

	localtime_r(&seconds, &tm);
	snprintf(buf, size, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min,
		 tm.tm_sec, (int)(wall_ns % NSEC_PER_SEC / 1000000));
}

static void relative_time(char *buf, size_t size, int64_t ns)
{
	const bool before = ns < 0;
	const uint64_t us = (before ? -ns : ns) / 1000;

	snprintf(buf, size, "%s%llu.%06llu", before ? "-" : "",
		 (unsigned long long)(us / 1000000),
		 (unsigned long long)(us % 1000000));
}

/* Padded by characters, since printf() pads by bytes. */
static void add_comm(struct text *text, const char comm[COMM_SIZE],
		     unsigned int flags)
{
	char escaped[KMON_ESCAPE_MAX(COMM_SIZE)];
	int width = 0;

	kmon_escape(comm, COMM_SIZE, flags, escaped, sizeof(escaped));
	for (const char *at = escaped; *at; at++)
		width += (*at & 0xc0) != 0x80;
	kmon_text_add(text, "%s%*s ", escaped,
		      width < COMM_WIDTH ? COMM_WIDTH - width : 0, "");
}

int kmon_format_event(const struct kmonitor_event *event, int64_t wall_offset,
		      unsigned int flags, char *buf, size_t size)
{
	const char *name = kmon_event_name(event->type);
	char time[48], type[16], pid[16], ppid[16], uid[16] = "-";
	struct text text = kmon_text_start(buf, size);

	if (flags & KMON_TEXT_RELATIVE)
		relative_time(time, sizeof(time),
			      (int64_t)event->time_ns + wall_offset);
	else
		local_time(time, sizeof(time),
			   (int64_t)event->time_ns + wall_offset);
	if (event->type == KMONITOR_LOST) {
		kmon_text_add(&text, "%s ", time);
		add_lost(&text, event);
		return text.used;
	}
	snprintf(type, sizeof(type), "0x%x", event->type);
	snprintf(pid, sizeof(pid), "%d", event->tgid);
	snprintf(ppid, sizeof(ppid), "%d", event->ppid);
	if (event->uid != UINT32_MAX)
		snprintf(uid, sizeof(uid), "%u", event->uid);
	kmon_text_add(&text, COLUMNS "%*s", time, name ? name : type, pid, ppid,
		      uid, flags >> 8 & 0xff, "");
	add_comm(&text, event->comm, flags);
	add_details(&text, event, flags);
	return text.used;
}
