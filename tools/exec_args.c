// SPDX-License-Identifier: GPL-2.0-only
/* Puts a record and the arguments that follow it together, see exec_args.h. */

#include <string.h>

#include "exec_args.h"

int exec_args_flush(struct exec_args *args)
{
	if (!args->held)
		return 0;
	args->held = false;
	return args->take(args->tool, &args->shown);
}

static int add_part(struct exec_args *args,
		    const struct kmonitor_exec_args *part)
{
	struct shown *shown = &args->shown;
	size_t len = part->len < sizeof(part->data) ? part->len :
						      sizeof(part->data);

	/* The end of a group whose beginning was not recorded. */
	if (!args->held)
		return 0;
	if (len > sizeof(shown->args) - shown->args_len)
		len = sizeof(shown->args) - shown->args_len;
	memcpy(shown->args + shown->args_len, part->data, len);
	shown->args_len += len;
	shown->truncated = part->flags & KMONITOR_EVENT_TRUNCATED;
	return part->part + 1 < part->nr_parts ? 0 : exec_args_flush(args);
}

static bool may_have_args(const struct kmonitor_event *event)
{
	return event->type & (KMONITOR_PROCESS_EXEC | KMONITOR_TASK) &&
	       !(event->flags & KMONITOR_EVENT_REDACTED);
}

int exec_args_take(struct exec_args *args, const struct kmonitor_event *event,
		   int64_t wall_offset)
{
	int status;

	if (event->type == KMONITOR_EXEC_ARGS)
		return add_part(args, (const void *)event);
	status = exec_args_flush(args);
	if (status)
		return status;
	args->shown.event = *event;
	args->shown.wall_offset = wall_offset;
	args->shown.args_len = 0;
	args->shown.truncated = event->flags & KMONITOR_EVENT_TRUNCATED;
	args->held = true;
	return args->wanted && may_have_args(event) ? 0 : exec_args_flush(args);
}
