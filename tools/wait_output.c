// SPDX-License-Identifier: GPL-2.0-only
/* The output of kmon-wait on each end, as text or JSON. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "common.h"
#include "wait.h"

/* A tree's end has no name; its root was listed, perhaps as a process. */
static const struct kmonitor_event *
find_listed(const struct wait *wait, const struct kmonitor_event *event)
{
	for (size_t i = 0; i < wait->nr_cookies; i++) {
		const struct kmonitor_event *listed = &wait->targets[i]->listed;

		if (listed->tgid == event->tgid &&
		    listed->start_ns == event->start_ns)
			return listed;
	}
	return event;
}

static int write_text(const struct wait *wait, const struct target *target,
		      const struct kmonitor_event *event)
{
	const struct kmonitor_event *named = &target->listed;
	char name[KMON_ESCAPE_MAX(sizeof(named->comm))];
	char status[KMON_LINE_MAX] = "ended, status unknown";

	if (event && target->kind == KMONITOR_TARGET_TREE) {
		kmon_format_details(event, wait->output.text_flags, status,
				    sizeof(status));
		named = find_listed(wait, event);
	} else if (event && !wait_is_redacted(event)) {
		kmon_format_status(event->exit.status, status, sizeof(status));
		named = event;
	}
	kmon_escape(named->comm, sizeof(named->comm), wait->output.text_flags,
		    name, sizeof(name));
	if (fprintf(wait->output.file, "%d %s: %s\n", target->pid,
		    *name ? name : "-", status) < 0)
		return output_failed(&wait->output, errno);
	return 0;
}

/* Fields that aren't known of a lost end are left out. */
static struct json_object *lost_object(const struct target *target)
{
	static const char *const unknown[] = { "seq",	 "time_ns", "time",
					       "cookie", "flags",   "cpu" };
	struct kmonitor_event event = target->listed;
	struct json_object *object;

	memset(&event.exit, 0, sizeof(event.exit));
	event.type = KMONITOR_PROCESS_EXIT;
	event.flags = KMONITOR_EVENT_REDACTED;
	object = kmon_json_event(&event, 0);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		json_object_object_del(object, unknown[i]);
	if (object)
		json_object_object_add(object, "lost",
				       json_object_new_boolean(true));
	return object;
}

static int write_end(const struct wait *wait, const struct target *target,
		     const struct kmonitor_event *event)
{
	if (wait->json)
		return output_json(&wait->output,
				   event ? kmon_json_event(event,
							   kmon_wall_offset()) :
					   lost_object(target));
	return wait->verbose ? write_text(wait, target, event) : 0;
}

int wait_write_end(const struct wait *wait, const struct target *target,
		   const struct kmonitor_event *event)
{
	return write_end(wait, target, event) ? EXIT_WAIT_FAILED : 0;
}
