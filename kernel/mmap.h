/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mapping of the ring.
 */
#ifndef _KMONITOR_MMAP_H
#define _KMONITOR_MMAP_H

struct file;
struct kmonitor_info;
struct kmonitor_ring;
struct vm_area_struct;

void kmonitor_mmap_info(const struct kmonitor_ring *ring,
			struct kmonitor_info *info);
int kmonitor_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* _KMONITOR_MMAP_H */
