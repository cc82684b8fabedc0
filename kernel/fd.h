/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The descriptor: filter and ring behind one file.
 */
#ifndef _KMONITOR_FD_H
#define _KMONITOR_FD_H

#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "filter.h"
#include "ring.h"

struct file;
struct iov_iter;
struct kiocb;
struct seq_file;
struct ucounts;

/**
 * struct kmonitor - what is behind a descriptor
 * @filters: The filter.  Hooks reach the descriptor through its entries.
 * @ring: The records.
 * @read_lock: Makes read(2) the one consumer of @ring.
 * @wait: Readers and pollers.
 * @wake: Wakes @wait where the task must not tell by its timing.
 * @ucounts: The user that it is charged to.
 * @free: Frees it a grace period after the last close.
 */
struct kmonitor {
	struct kmonitor_filters filters;
	struct kmonitor_ring ring;
	struct mutex read_lock;
	wait_queue_head_t wait;
	struct irq_work wake;
	struct ucounts *ucounts;
	struct rcu_work free;
};

int kmonitor_fd_create(const struct kmonitor_attr *attr, unsigned int flags);
int kmonitor_fd_create_user(const struct kmonitor_attr __user *uattr,
			    size_t size, unsigned int flags);

/* read.c */
ssize_t kmonitor_read_iter(struct kiocb *iocb, struct iov_iter *to);
__poll_t kmonitor_poll(struct file *file, poll_table *wait);

/* ioctl.c */
long kmonitor_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* fdinfo.c */
void kmonitor_show_fdinfo(struct seq_file *m, struct file *file);

/* hooks.c */
void kmonitor_hooks_get(void);
void kmonitor_hooks_put(void);

/* empty.c */
void kmonitor_flush_pending(struct kmonitor *mon);

#endif /* _KMONITOR_FD_H */
