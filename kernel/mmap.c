// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of the ring, and its mapping: the tail, the header, the records.
 *
 * The mapping keeps the file, and so the ring.
 */

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "limits.h"
#include "mmap.h"
#include "monitor.h"

/* Before the records: the tail, which alone may be written, and the header. */
#define NR_FRONT_PAGES (sizeof(struct kmonitor_area) / PAGE_SIZE)

/* A slot can be reserved if it has the stamp of the lap before, see ring.c. */
static void stamp_slots(struct kmonitor_ring *ring)
{
	for (u32 i = 0; i < ring->size; i++)
		ring->area->slots[i].seq = (u64)i + 1 - ring->size;
}

/**
 * kmonitor_ring_init - allocate an empty ring
 * @ring: Zeroed memory.
 * @size: Number of records, a power of two, at least 2.
 * @watermark: Number of records that make it ready, at least 1.
 *
 * The pages are charged to the caller's memory cgroup.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int kmonitor_ring_init(struct kmonitor_ring *ring, u32 size, u32 watermark)
{
	u32 nr_pages = NR_FRONT_PAGES +
		       DIV_ROUND_UP((u64)size * sizeof(struct kmonitor_event),
				    PAGE_SIZE);
	struct kmonitor_header *header;

	raw_spin_lock_init(&ring->spill_lock);
	ring->size = size;
	ring->watermark = watermark;
	ring->pages = kvcalloc(nr_pages, sizeof(*ring->pages), KMONITOR_GFP);
	if (!ring->pages)
		return -ENOMEM;
	for (; ring->nr_pages < nr_pages; ring->nr_pages++) {
		struct page *page = alloc_page(KMONITOR_GFP | __GFP_ZERO);

		if (!page)
			goto err_destroy;
		ring->pages[ring->nr_pages] = page;
	}
	ring->area = vmap(ring->pages, nr_pages, VM_MAP, PAGE_KERNEL);
	if (!ring->area)
		goto err_destroy;
	header = &ring->area->header;
	header->size = sizeof(*header);
	header->record_size = sizeof(struct kmonitor_event);
	header->ring_records = size;
	header->wakeup_records = watermark;
	stamp_slots(ring);
	return 0;

err_destroy:
	kmonitor_ring_destroy(ring);
	return -ENOMEM;
}

/**
 * kmonitor_ring_destroy - free what kmonitor_ring_init() allocated
 * @ring: The ring, which nobody uses any more.
 *
 * Context: May sleep.
 */
void kmonitor_ring_destroy(struct kmonitor_ring *ring)
{
	vunmap(ring->area);
	while (ring->nr_pages)
		__free_page(ring->pages[--ring->nr_pages]);
	kvfree(ring->pages);
}

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
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	return vm_map_pages(vma, ring->pages, ring->nr_pages);
}
