/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls of a descriptor.
 */
#ifndef _KMONITOR_IOCTL_H
#define _KMONITOR_IOCTL_H

struct file;

long kmonitor_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _KMONITOR_IOCTL_H */
