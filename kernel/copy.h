/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extensible structures from user space.
 */
#ifndef _KMONITOR_COPY_H
#define _KMONITOR_COPY_H

#include <linux/uaccess.h>

/* Bytes of the argument that this kernel doesn't know must be zero. */
static inline int kmonitor_copy_in(void *to, size_t to_size,
				   const void __user *from, size_t from_size)
{
	if (from_size < to_size)
		return -EINVAL;
	if (from_size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, to_size, from, from_size);
}

#endif /* _KMONITOR_COPY_H */
