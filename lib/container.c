// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The container or unit that the path of a cgroup was made for.
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "internal.h"
#include "kmon.h"

#define ID_LEN 64

/*
 * A part of a path that is prefix, id and suffix.
 */
struct pattern {
	enum kmon_container_kind kind;
	const char *prefix;
	const char *suffix;
	/* The part before must be this one. */
	const char *parent;
	/* A part before must begin so. */
	const char *below;
	/* Something may precede the prefix. */
	bool tail;
};

/* The first that fits is it. */
static const struct pattern patterns[] = {
	{ KMON_CONTAINER_DOCKER, "docker-", ".scope", NULL, NULL, false },
	{ KMON_CONTAINER_DOCKER, "", "", "docker", NULL, false },
	{ KMON_CONTAINER_CONTAINERD, "cri-containerd-", ".scope", NULL, NULL,
	  false },
	{ KMON_CONTAINER_CONTAINERD, ":cri-containerd:", "", NULL, NULL, true },
	{ KMON_CONTAINER_CONTAINERD, "nerdctl-", ".scope", NULL, NULL, false },
	{ KMON_CONTAINER_PODMAN, "libpod-", ".scope", NULL, NULL, false },
	{ KMON_CONTAINER_PODMAN, "libpod-", "", NULL, NULL, false },
	{ KMON_CONTAINER_CRIO, "crio-", ".scope", NULL, NULL, false },
	{ KMON_CONTAINER_CRIO, "crio-", "", NULL, NULL, false },
	{ KMON_CONTAINER_KUBERNETES, "", "", NULL, "kubepods", false },
};

static const char *const unit_suffixes[] = {
	".service", ".scope", ".slice", ".socket", ".mount", ".swap",
};

/* A part of a path: from its first byte to the slash or NUL behind it. */
struct part {
	const char *path;
	const char *start;
	size_t len;
};

/* The part before, false if there is none. */
static bool part_before(struct part *part)
{
	const char *end = part->start;

	while (end > part->path && end[-1] == '/')
		end--;
	part->start = end;
	while (part->start > part->path && part->start[-1] != '/')
		part->start--;
	part->len = end - part->start;
	return part->len;
}

static bool last_part(const char *path, struct part *part)
{
	*part = (struct part){ .path = path, .start = path + strlen(path) };
	return part_before(part);
}

static bool part_is(const struct part *part, const char *text)
{
	return part->len == strlen(text) &&
	       !memcmp(part->start, text, part->len);
}

static bool has_part_before(struct part part, const char *beginning)
{
	while (part_before(&part)) {
		if (part.len >= strlen(beginning) &&
		    !memcmp(part.start, beginning, strlen(beginning)))
			return true;
	}
	return false;
}

static bool fits_place(const struct pattern *pattern, const struct part *part)
{
	struct part before = *part;

	if (pattern->parent &&
	    !(part_before(&before) && part_is(&before, pattern->parent)))
		return false;
	return !pattern->below || has_part_before(*part, pattern->below);
}

/* The id within a part, or NULL. */
static const char *match(const struct pattern *pattern, const struct part *part)
{
	size_t prefix_len = strlen(pattern->prefix);
	size_t suffix_len = strlen(pattern->suffix);
	size_t len = prefix_len + ID_LEN + suffix_len;
	const char *start, *id;

	if (part->len < len || (part->len > len && !pattern->tail))
		return NULL;
	start = part->start + part->len - len;
	id = start + prefix_len;
	if (memcmp(start, pattern->prefix, prefix_len) ||
	    memcmp(id + ID_LEN, pattern->suffix, suffix_len))
		return NULL;
	/* Ends early, at a NUL at the latest. */
	if (strspn(id, "0123456789abcdef") < ID_LEN)
		return NULL;
	return fits_place(pattern, part) ? id : NULL;
}

static bool find_container(struct part part, struct kmon_container *container)
{
	do {
		for (size_t i = 0; i < KMON_COUNT(patterns); i++) {
			const char *id = match(&patterns[i], &part);

			if (!id)
				continue;
			container->kind = patterns[i].kind;
			container->id = id;
			container->id_len = ID_LEN;
			container->path_len = part.start + part.len - part.path;
			return true;
		}
	} while (part_before(&part));
	return false;
}

bool kmon_is_unit(const char *name, size_t len)
{
	for (size_t i = 0; i < KMON_COUNT(unit_suffixes); i++) {
		size_t suffix_len = strlen(unit_suffixes[i]);

		if (len > suffix_len && !memcmp(name + len - suffix_len,
						unit_suffixes[i], suffix_len))
			return true;
	}
	return false;
}

static bool find_unit(struct part part, struct kmon_container *container)
{
	do {
		/* systemd puts it before what could be a file of the kernel. */
		size_t escape = *part.start == '_';

		if (!kmon_is_unit(part.start + escape, part.len - escape))
			continue;
		container->kind = KMON_CONTAINER_UNIT;
		container->id = part.start + escape;
		container->id_len = part.len - escape;
		container->path_len = part.start + part.len - part.path;
		return true;
	} while (part_before(&part));
	return false;
}

int kmon_cgroup_container(const char *path, struct kmon_container *container)
{
	struct part last;

	if (last_part(path, &last) &&
	    (find_container(last, container) || find_unit(last, container)))
		return 0;
	return -ENOENT;
}
