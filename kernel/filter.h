/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Edits of the filters of a descriptor.
 */
#ifndef _KMONITOR_FILTER_H
#define _KMONITOR_FILTER_H

#include <linux/kconfig.h>
#include <linux/types.h>
#include <uapi/linux/kmonitor.h>

struct kmonitor_filter_table;

/* Supported by this kernel: INFO reports it, FILTER_ADD refuses the rest. */
#define KMONITOR_EVENTS (KMONITOR_EXEC_FAILED * 2 - 1)
#define KMONITOR_STREAM_EVENTS                            \
	(KMONITOR_LOST | KMONITOR_EMPTY | KMONITOR_TASK | \
	 KMONITOR_SNAPSHOT_END | KMONITOR_EXEC_ARGS)
#define KMONITOR_TARGETS                                                \
	(1U << KMONITOR_TARGET_THREAD | 1U << KMONITOR_TARGET_PROCESS | \
	 1U << KMONITOR_TARGET_TREE |                                   \
	 (u32)IS_ENABLED(CONFIG_CGROUPS) << KMONITOR_TARGET_CGROUP |    \
	 1U << KMONITOR_TARGET_UID | 1U << KMONITOR_TARGET_ALL)
#define KMONITOR_FILTER_FLAGS                             \
	(KMONITOR_FILTER_PIDFD | KMONITOR_FILTER_IGNORE | \
	 KMONITOR_FILTER_FAILED_ONLY | KMONITOR_FILTER_KILL_ON_CLOSE)

int kmonitor_filter_add(struct kmonitor_filter_table *filters,
			const struct kmonitor_filter *arg, u64 __user *uhandle);
int kmonitor_filter_del(struct kmonitor_filter_table *filters,
			const struct kmonitor_filter *arg);
void kmonitor_filter_clear(struct kmonitor_filter_table *filters);

#endif /* _KMONITOR_FILTER_H */
