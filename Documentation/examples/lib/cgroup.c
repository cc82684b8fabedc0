// SPDX-License-Identifier: GPL-2.0-only
/* Says which unit or container a cgroup belongs to: cgroup PATH. */

#include <stdio.h>
#include <string.h>

#include <kmon.h>

int main(int argc, char **argv)
{
	char name[KMON_ESCAPE_MAX(256)];
	struct kmon_container container;
	struct kmon_cgroups *cgroups;
	const char *path;
	uint64_t id;
	int ret, unit;

	if (argc < 2 || kmon_cgroups_new(NULL, &cgroups))
		return 1;
	ret = kmon_cgroup_id(cgroups, argv[1], &id);
	if (!ret)
		ret = kmon_cgroup_path(cgroups, id, &path);
	if (!ret)
		ret = kmon_cgroup_container(path, &container);
	if (ret) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	/* Foreign bytes. */
	kmon_escape(container.id, container.id_len, KMON_TEXT_ASCII, name,
		    sizeof(name));
	unit = container.kind == KMON_CONTAINER_UNIT;
	printf("cgroup %llu: %s %s\n", (unsigned long long)id,
	       unit ? "unit" : "container", name);
	kmon_cgroups_free(cgroups);
	return 0;
}
