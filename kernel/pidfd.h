/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the identity of a process to a pidfd.
 */
#ifndef _KMONITOR_PIDFD_H
#define _KMONITOR_PIDFD_H

struct kmonitor_creator;
struct kmonitor_get_pidfd;

int kmonitor_pidfd_open(const struct kmonitor_creator *creator,
			const struct kmonitor_get_pidfd *arg);

#endif /* _KMONITOR_PIDFD_H */
