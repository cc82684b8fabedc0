/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading and polling a descriptor.
 */
#ifndef _KMONITOR_READ_H
#define _KMONITOR_READ_H

#include <linux/poll.h>
#include <linux/types.h>

struct iov_iter;
struct kiocb;

ssize_t kmonitor_read_iter(struct kiocb *iocb, struct iov_iter *to);
__poll_t kmonitor_poll(struct file *file, poll_table *wait);
int kmonitor_fasync(int fd, struct file *file, int on);

#endif /* _KMONITOR_READ_H */
