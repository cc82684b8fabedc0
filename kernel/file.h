/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of a monitor.
 */
#ifndef _KMONITOR_FILE_H
#define _KMONITOR_FILE_H

#include <linux/types.h>

struct kmonitor_attr;

int kmonitor_file_create(const struct kmonitor_attr __user *uattr, size_t size,
			 unsigned int flags);

#endif /* _KMONITOR_FILE_H */
