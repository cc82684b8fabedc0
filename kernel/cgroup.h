/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups, in kernels with and without them.
 */
#ifndef _KMONITOR_CGROUP_H
#define _KMONITOR_CGROUP_H

#include <linux/cgroup.h>
#include <linux/err.h>

#ifdef CONFIG_CGROUPS

static inline struct cgroup *kmonitor_task_cgroup(struct task_struct *task)
{
	return task_dfl_cgroup(task);
}

static inline u64 kmonitor_task_cgroup_id(struct task_struct *task)
{
	return cgroup_id(task_dfl_cgroup(task));
}

static inline struct cgroup *kmonitor_cgroup_parent(struct cgroup *cgroup)
{
	return cgroup_parent(cgroup);
}

static inline bool kmonitor_cgroup_is_below(struct cgroup *cgroup,
					    struct cgroup *ancestor)
{
	return cgroup_is_descendant(cgroup, ancestor);
}

/* Returns -ESTALE if the caller's cgroup namespace has no such cgroup. */
static inline int kmonitor_cgroup_check(u64 id)
{
	struct cgroup *cgroup = cgroup_get_from_id(id);

	if (IS_ERR(cgroup))
		return -ESTALE;
	cgroup_put(cgroup);
	return 0;
}

#else

static inline struct cgroup *kmonitor_task_cgroup(struct task_struct *task)
{
	return NULL;
}

static inline u64 kmonitor_task_cgroup_id(struct task_struct *task)
{
	return 0;
}

static inline struct cgroup *kmonitor_cgroup_parent(struct cgroup *cgroup)
{
	return NULL;
}

static inline bool kmonitor_cgroup_is_below(struct cgroup *cgroup,
					    struct cgroup *ancestor)
{
	return false;
}

static inline int kmonitor_cgroup_check(u64 id)
{
	return 0;
}

#endif
#endif /* _KMONITOR_CGROUP_H */
