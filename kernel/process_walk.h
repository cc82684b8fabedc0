/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk over all processes by their ids.
 */
#ifndef _KMONITOR_PROCESS_WALK_H
#define _KMONITOR_PROCESS_WALK_H

struct pid;
struct pid_namespace;
struct task_struct;

struct pid *kmonitor_process_walk(struct pid_namespace *ns, int *nr,
				  struct task_struct **leader);

#endif /* _KMONITOR_PROCESS_WALK_H */
