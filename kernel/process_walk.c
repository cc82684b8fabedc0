// SPDX-License-Identifier: GPL-2.0-only
/*
 * A walk over all processes by their ids.
 *
 * It holds no lock from one step to the next.  A process that exists during
 * the whole walk is found; one that begins behind the cursor is not.
 */

#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>

#include "process_walk.h"

/**
 * kmonitor_process_walk - find the next id at or after the cursor
 * @ns: The pid namespace that the ids belong to.
 * @nr: The cursor; set to the id that was found.  The caller adds 1 to go on.
 * @leader: Set to the thread-group leader with that id, or to NULL if another
 *	thread has it.
 *
 * Context: Under RCU, which keeps both results.
 * Return: The pid, or NULL at the end.
 */
struct pid *kmonitor_process_walk(struct pid_namespace *ns, int *nr,
				  struct task_struct **leader)
{
	struct pid *pid = find_ge_pid(*nr, ns);

	*leader = pid_task(pid, PIDTYPE_TGID);
	if (pid)
		*nr = pid_nr_ns(pid, ns);
	return pid;
}
