/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/PID/fdinfo/FD.
 */
#ifndef _KMONITOR_FDINFO_H
#define _KMONITOR_FDINFO_H

struct file;
struct seq_file;

void kmonitor_show_fdinfo(struct seq_file *m, struct file *file);

#endif /* _KMONITOR_FDINFO_H */
