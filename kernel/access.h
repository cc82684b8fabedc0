/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Permission to see a task.
 */
#ifndef _KMONITOR_ACCESS_H
#define _KMONITOR_ACCESS_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/uidgid_types.h>

struct cred;
struct pid_namespace;
struct task_struct;
struct user_namespace;

/**
 * struct kmonitor_creator - the task that made a descriptor; never changes
 * @cred: Its credentials.
 * @pid_ns: Its pid namespace: the one of all ids that cross the descriptor.
 * @sees_all: It has CAP_SYS_PTRACE over the initial user namespace, and so
 *	over every task, and no security module confines it.
 * @owner: The user of the initial user namespace who answers for it: its own, or
 *	the one who made the outermost user namespace that it is in.
 * @plain: It sees all, and its ids are those of the initial namespaces.
 */
struct kmonitor_creator {
	const struct cred *cred;
	struct pid_namespace *pid_ns;
	kuid_t owner;
	bool sees_all;
	bool plain;
};

void kmonitor_creator_init(struct kmonitor_creator *creator);
void kmonitor_creator_destroy(struct kmonitor_creator *creator);

bool __kmonitor_may_see(const struct kmonitor_creator *creator,
			struct task_struct *task);
int kmonitor_may_add(const struct kmonitor_creator *creator,
		     struct task_struct *task);
int kmonitor_may_add_all(const struct kmonitor_creator *creator);

/**
 * kmonitor_may_see - check whether the creator may see a task
 * @creator: The creator.
 * @task: The current task, or one that the caller holds a reference to.
 *
 * Context: Any in which task_lock() may be taken; for the current task, any.
 * Return: True if @creator is entitled to see @task now.
 */
static inline bool kmonitor_may_see(const struct kmonitor_creator *creator,
				    struct task_struct *task)
{
	return likely(creator->sees_all) || __kmonitor_may_see(creator, task);
}

#endif /* _KMONITOR_ACCESS_H */
