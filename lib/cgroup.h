/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree of cgroup v2, as its mounted file system shows it.
 */
#ifndef KMON_CGROUP_H
#define KMON_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

/* The type of a file handle of kernfs, whose 8 bytes are the id. */
#define FILEID_KERNFS 0xfe

/* How deep kmon_cgroup_walk() goes: it holds a descriptor of each level. */
#define CGROUP_DEPTH 64

/**
 * typedef cgroup_visitor - what kmon_cgroup_walk() calls for each cgroup
 * @dir: The directory that holds it.
 * @path: Its path below the mount; the name in @dir is the last part of it.
 * @ino: Its inode number: its id, or on a 32-bit kernel the low half of that.
 * @arg: As given to kmon_cgroup_walk().
 *
 * Return: 0 to go on.
 */
typedef int (*cgroup_visitor)(int dir, const char *path, uint64_t ino,
			      void *arg);

/*
 * Visits all cgroups below an open directory, parents first, but those that are
 * out of reach: too deep, of a path over PATH_MAX, or of a directory that the
 * caller may not read.  Gives 0, what the visitor gave, or a negative errno.
 */
int kmon_cgroup_walk(int mount, cgroup_visitor visitor, void *arg);

/*
 * The id of the cgroup of a directory: 0, -ENODEV if it isn't one of cgroup v2,
 * or another negative errno value.
 */
int kmon_cgroup_id_at(int dir, const char *name, uint64_t *id);

/* The last part of a path. */
const char *kmon_cgroup_name(const char *path);

#endif /* KMON_CGROUP_H */
