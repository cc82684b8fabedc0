// SPDX-License-Identifier: GPL-2.0-only
/* Shows a record as text and as JSON. */

#include <stdio.h>

#include <json-c/json.h>

#include <kmon.h>

int main(void)
{
	const struct kmonitor_event event = {
		.type = KMONITOR_PROCESS_EXIT,
		.pid = 42,
		.tgid = 42,
		.comm = "hello\033[2J",
		.exit.status = 1 << 8,
	};
	struct json_object *object;
	char line[KMON_LINE_MAX];

	kmon_format_header(line, sizeof(line));
	puts(line);
	kmon_format_event(&event, 0, 0, line, sizeof(line));
	puts(line);
	object = kmon_json_event(&event, 0);
	if (!object)
		return 1;
	puts(json_object_to_json_string(object));
	json_object_put(object);
	return 0;
}
