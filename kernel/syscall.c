// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system call, and the layout of the structures of the ABI.
 */

#include <linux/build_bug.h>
#include <linux/syscalls.h>
#include <uapi/linux/kmonitor.h>

#include "file.h"
#include "limits.h"

static_assert(sizeof(struct kmonitor_attr) == 32);
static_assert(sizeof(struct kmonitor_filter) == 48);
static_assert(sizeof(struct kmonitor_event) == 128);
static_assert(sizeof(struct kmonitor_exec_args) == 128);
static_assert(sizeof(struct kmonitor_snapshot) == 24);
static_assert(sizeof(struct kmonitor_kill) == 24);
static_assert(sizeof(struct kmonitor_get_pidfd) == 16);
static_assert(sizeof(struct kmonitor_info) == 72);
static_assert(sizeof(struct kmonitor_header) == 128);
static_assert(offsetof(struct kmonitor_header, state) == 64);
static_assert(sizeof(struct kmonitor_stats) == 48);
static_assert(sizeof(struct kmonitor_new) == 16);

/* A structure without holes is as large as its members. */
#define DETAILS_SIZE (sizeof(struct kmonitor_event) - 80)
static_assert(offsetof(struct kmonitor_event, time_ns) == 8);
static_assert(offsetof(struct kmonitor_event, cookie) == 16);
static_assert(offsetof(struct kmonitor_event, type) == 24);
static_assert(offsetof(struct kmonitor_event, flags) == 28);
static_assert(offsetof(struct kmonitor_event, cpu) == 30);
static_assert(offsetof(struct kmonitor_event, pid) == 32);
static_assert(offsetof(struct kmonitor_event, tgid) == 36);
static_assert(offsetof(struct kmonitor_event, ppid) == 40);
static_assert(offsetof(struct kmonitor_event, uid) == 44);
static_assert(offsetof(struct kmonitor_event, start_ns) == 48);
static_assert(offsetof(struct kmonitor_event, cgroup_id) == 56);
static_assert(offsetof(struct kmonitor_event, comm) == 64);
static_assert(offsetof(struct kmonitor_event, fork) == 80);
static_assert(sizeof(struct kmonitor_fork) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_exec) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_exec_failed) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_exit) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_abort) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_cred) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_comm) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_sid) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_ptrace) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_lost) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_empty) == DETAILS_SIZE);
static_assert(sizeof(struct kmonitor_task) == DETAILS_SIZE);

/**
 * sys_kmonitor_init - make a process monitor descriptor
 * @uattr: Attributes, or NULL with a size of 0 for the defaults.
 * @size: Size of @uattr in bytes.
 * @flags: Bits of KMONITOR_CLOEXEC and KMONITOR_NONBLOCK.
 *
 * Return: A file descriptor, or
 *
 * - %-EPERM: kernel.kmonitor.unprivileged is 0 and the caller lacks
 *   CAP_SYS_PTRACE in the initial user namespace.
 * - %-EINVAL: Unknown flags, bits or nonzero reserved fields; @size under 32;
 *   ring_records above kernel.kmonitor.max_ring_records; wakeup_records above
 *   half of the ring, or above 1 without a delay.
 * - %-E2BIG: @size above a page, or nonzero bytes that this kernel doesn't know.
 * - %-EFAULT: @uattr can't be read.
 * - %-EOPNOTSUPP: A valid attribute that this kernel doesn't support.
 * - %-EMFILE: The process's limit of descriptors or the user's of monitors
 *   (kernel.kmonitor.max_user_instances) is reached.
 * - %-ENFILE: The system's limit of files is reached.
 * - %-ENOMEM: Not enough memory, or the memory cgroup's limit is reached.
 */
SYSCALL_DEFINE3(kmonitor_init, const struct kmonitor_attr __user *, uattr,
		size_t, size, unsigned int, flags)
{
	if (!kmonitor_may_init())
		return -EPERM;
	return kmonitor_file_create(uattr, size, flags);
}
