// SPDX-License-Identifier: LGPL-2.1-or-later
/* The meaning of the errors of kmon_open() and kmon_filter_add(). */

#include <errno.h>
#include <string.h>

#include "kmon.h"

static const char *describe(int error)
{
	const char *text = strerrordesc_np(-error);

	return text ? text : "unknown error";
}

const char *kmon_open_strerror(int error)
{
	switch (error) {
	case -ENOSYS:
		return "this kernel has no kmonitor (CONFIG_KMONITOR)";
	case -EPERM:
		return "kernel.kmonitor.unprivileged is 0, or seccomp forbids it";
	case -EINVAL:
		return "invalid attributes (largest ring: kernel.kmonitor.max_ring_records)";
	case -EOPNOTSUPP:
		return "this kernel's kmonitor can't do that yet";
	case -EMFILE:
		return "too many files (ulimit -n) or kernel.kmonitor.max_user_instances";
	case -ENOMEM:
		return "not enough memory for the ring, or ulimit -l (a smaller one may fit)";
	}
	return describe(error);
}

static const char *not_permitted(uint32_t target)
{
	switch (target) {
	case KMONITOR_TARGET_ALL:
	case KMONITOR_TARGET_CGROUP:
		return "needs CAP_SYS_PTRACE";
	case KMONITOR_TARGET_UID:
		return "another user: needs CAP_SYS_PTRACE";
	}
	return "not yours, or protected: needs CAP_SYS_PTRACE";
}

const char *kmon_filter_strerror(const struct kmonitor_filter *filter,
				 int error)
{
	switch (error) {
	case -ESRCH:
		return filter->target == KMONITOR_TARGET_THREAD ?
			       "no such thread" :
			       "no such process";
	case -EPERM:
		return not_permitted(filter->target);
	case -EOPNOTSUPP:
		return "this kernel's kmonitor can't do that yet";
	case -ENOSPC:
		return "kernel.kmonitor.max_user_filters, or 16 of the same user hold it already";
	}
	return describe(error);
}
