// SPDX-License-Identifier: GPL-2.0-only
/* Shows a recording as JSON: recording FILE. */

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include <kmon.h>

int main(int argc, char **argv)
{
	const struct kmonitor_event *event;
	struct kmon_recording *rec;
	struct json_object *object;
	int64_t offset;
	FILE *file;
	int ret;

	file = argc > 1 ? fopen(argv[1], "rbe") : NULL;
	if (!file)
		return 1;
	ret = kmon_recording_open(file, &rec);
	if (ret) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	while ((ret = kmon_recording_next(rec, &event, &offset)) == 1) {
		object = kmon_json_event(event, offset);
		if (object)
			puts(json_object_to_json_string(object));
		json_object_put(object);
	}
	kmon_recording_free(rec);
	fclose(file);
	return ret < 0;
}
