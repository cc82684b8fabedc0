// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The names of event types and signals.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "kmon.h"

static const struct {
	uint32_t type;
	const char *name;
} names[] = {
	{ KMONITOR_THREAD_CREATE, "thread" },
	{ KMONITOR_THREAD_ABORT, "thread-abort" },
	{ KMONITOR_THREAD_EXIT, "thread-exit" },
	{ KMONITOR_PROCESS_FORK, "fork" },
	{ KMONITOR_PROCESS_ABORT, "abort" },
	{ KMONITOR_PROCESS_EXEC, "exec" },
	{ KMONITOR_PROCESS_EXIT, "exit" },
	{ KMONITOR_COMM, "comm" },
	{ KMONITOR_CRED, "cred" },
	{ KMONITOR_SID, "sid" },
	{ KMONITOR_PTRACE, "ptrace" },
	{ KMONITOR_COREDUMP, "coredump" },
	{ KMONITOR_EXEC_FAILED, "exec-failed" },
	{ KMONITOR_TASK, "task" },
	{ KMONITOR_SNAPSHOT_END, "snapshot-end" },
	{ KMONITOR_LOST, "lost" },
	{ KMONITOR_EMPTY, "empty" },
	{ KMONITOR_UNTRACKED, "untracked" },
	{ KMONITOR_EXEC_ARGS, "exec-args" },
};

const char *kmon_event_name(uint32_t type)
{
	for (size_t i = 0; i < KMON_COUNT(names); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return NULL;
}

uint32_t kmon_event_by_name(const char *name)
{
	for (size_t i = 0; i < KMON_COUNT(names); i++) {
		if (!strcmp(names[i].name, name))
			return names[i].type;
	}
	return 0;
}

void kmon_signal_name(int signo, char name[KMON_SIGNAL_MAX])
{
	const char *abbrev = sigabbrev_np(signo);

	if (abbrev)
		snprintf(name, KMON_SIGNAL_MAX, "SIG%s", abbrev);
	else if (signo == SIGRTMIN)
		snprintf(name, KMON_SIGNAL_MAX, "SIGRTMIN");
	else if (signo > SIGRTMIN && signo <= SIGRTMAX)
		snprintf(name, KMON_SIGNAL_MAX, "SIGRTMIN+%d",
			 signo - SIGRTMIN);
	else
		snprintf(name, KMON_SIGNAL_MAX, "signal %d", signo);
}
