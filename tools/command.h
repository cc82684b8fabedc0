/* SPDX-License-Identifier: GPL-2.0-only */
/* A command that is followed from before its first instruction. */
#ifndef KMON_TOOLS_COMMAND_H
#define KMON_TOOLS_COMMAND_H

#include <sys/types.h>

#include "kmon.h"

/*
 * Starts a command in a tree of its own, with the signals ignored that were
 * ignored for the tool; for the tool SIGCHLD no longer is.  0; or after a
 * complaint the exit status for a command that can't be run or isn't found, or
 * EXIT_FAILURE.
 */
int start_command(int fd, struct kmonitor_filter *tree,
		  const struct kmon_command *command, pid_t *child);

/* Waits for the end of a child: its exit status as a shell has it. */
int command_status(const char *name, pid_t child);

/* The status of wait(2) as the exit status of a shell. */
int shell_status(int wait_status);

#endif /* KMON_TOOLS_COMMAND_H */
