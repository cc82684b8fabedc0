// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mapping of the ring: the tail, the header, the records.
 *
 * The mapping keeps the file, and so the ring.
 */

#include <linux/fs.h>
#include <linux/mm.h>

#include "mmap.h"
#include "monitor.h"

/* Fills in where the parts of the mapping are. */
void kmonitor_mmap_info(const struct kmonitor_ring *ring,
			struct kmonitor_info *info)
{
	info->mmap_size = (u64)ring->nr_pages * PAGE_SIZE;
	info->tail_offset = offsetof(struct kmonitor_area, tail);
	info->header_offset = offsetof(struct kmonitor_area, header);
	info->records_offset = offsetof(struct kmonitor_area, slots);
}

int kmonitor_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct kmonitor *mon = file->private_data;
	struct kmonitor_ring *ring = &mon->ring;
	unsigned long nr = vma_pages(vma);

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff > ring->nr_pages ||
	    nr > ring->nr_pages - vma->vm_pgoff)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (vma->vm_pgoff || nr > 1) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP,
		     VM_MAYEXEC);
	return vm_map_pages(vma, ring->pages, ring->nr_pages);
}
