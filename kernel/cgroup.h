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
static inline struct cgroup *kmonitor_cgroup_get(u64 id)
{
	struct cgroup *cgroup = cgroup_get_from_id(id);

	return IS_ERR(cgroup) ? ERR_PTR(-ESTALE) : cgroup;
}

static inline void kmonitor_cgroup_put(struct cgroup *cgroup)
{
	cgroup_put(cgroup);
}

static inline struct kmonitor_wanted __rcu **
kmonitor_cgroup_wanted(struct cgroup *cgroup)
{
	return &cgroup->kmonitor_wanted;
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

static inline struct cgroup *kmonitor_cgroup_get(u64 id)
{
	return NULL;
}

static inline void kmonitor_cgroup_put(struct cgroup *cgroup)
{
}

static inline struct kmonitor_wanted __rcu **
kmonitor_cgroup_wanted(struct cgroup *cgroup)
{
	return NULL;
}

#endif
#endif /* _KMONITOR_CGROUP_H */
