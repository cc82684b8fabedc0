/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How mark sets are made from others.
 */
#ifndef _KMONITOR_MARK_SET_H
#define _KMONITOR_MARK_SET_H

#include <linux/types.h>

struct kmonitor_entry;
struct kmonitor_mark_set;

/**
 * struct kmonitor_mark_edit - a change that is made to many sets
 * @entry: The entry to add, or NULL to drop the dead ones only.
 * @root: The set of the root of the tree to add.
 * @made: Sets replaced before, so that processes go on sharing one.
 * @error: Why a set could not be made, or 0.
 * @missing: How many bytes it would have taken, of -ENOMEM.
 */
struct kmonitor_mark_edit {
	struct kmonitor_entry *entry;
	const struct kmonitor_mark_set *root;
	struct {
		struct kmonitor_mark_set *old;
		struct kmonitor_mark_set *new;
	} made[16];
	int error;
	size_t missing;
};

bool kmonitor_mark_set_has(const struct kmonitor_mark_set *set,
			   const struct kmonitor_entry *entry);
bool kmonitor_mark_set_has_dead(const struct kmonitor_mark_set *set);
struct kmonitor_mark_set *
kmonitor_mark_set_replace(struct kmonitor_mark_edit *edit,
			  struct kmonitor_mark_set *old);
void kmonitor_mark_edit_end(struct kmonitor_mark_edit *edit);

#endif /* _KMONITOR_MARK_SET_H */
