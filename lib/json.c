// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A record as a JSON object for programs.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "json.h"

#define NSEC_PER_SEC INT64_C(1000000000)

static const struct json_field header_fields[] = {
	JSON_FIELD(pid, "pid", S32),
	JSON_FIELD(tgid, "tgid", S32),
	JSON_FIELD(ppid, "ppid", S32),
	JSON_FIELD(start_ns, "start_ns", ID),
};

static const struct json_flag event_flags[] = {
	{ "redacted", KMONITOR_EVENT_REDACTED },
	{ "worker", KMONITOR_EVENT_WORKER },
	{ "truncated", KMONITOR_EVENT_TRUNCATED },
	{ "last-thread", KMONITOR_EVENT_LAST_THREAD },
	{ "oom", KMONITOR_EVENT_OOM },
};

/* Takes the value.  A missing one is a lack of memory. */
bool kmon_json_put(struct json_object *object, const char *key,
		   struct json_object *value)
{
	if (value && !json_object_object_add(object, key, value))
		return true;
	json_object_put(value);
	return false;
}

static struct json_object *new_id(uint64_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	return json_object_new_string(text);
}

static struct json_object *new_value(const char *at, enum json_kind kind)
{
	int32_t s32;
	uint32_t u32;
	uint64_t u64;

	switch (kind) {
	case S32:
		memcpy(&s32, at, sizeof(s32));
		return json_object_new_int(s32);
	case U32:
		memcpy(&u32, at, sizeof(u32));
		return json_object_new_uint64(u32);
	case U64:
		memcpy(&u64, at, sizeof(u64));
		return json_object_new_uint64(u64);
	case ID:
		memcpy(&u64, at, sizeof(u64));
		return new_id(u64);
	}
	return NULL;
}

bool kmon_json_put_fields(struct json_object *object,
			  const struct kmonitor_event *event,
			  const struct json_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *at = (const char *)event + fields[i].offset;

		if (!kmon_json_put(object, fields[i].key,
				   new_value(at, fields[i].kind)))
			return false;
	}
	return true;
}

bool kmon_json_put_flags(struct json_object *object, uint32_t bits,
			 const struct json_flag *flags, size_t n)
{
	struct json_object *array = json_object_new_array();

	if (!kmon_json_put(object, "flags", array))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *name;

		if (!(bits & flags[i].bit))
			continue;
		name = json_object_new_string(flags[i].name);
		if (!name || json_object_array_add(array, name)) {
			json_object_put(name);
			return false;
		}
	}
	return true;
}

bool kmon_json_put_signal(struct json_object *object, int signo)
{
	char name[KMON_SIGNAL_MAX];

	kmon_signal_name(signo, name);
	return kmon_json_put(object, "signal", json_object_new_string(name));
}

bool kmon_json_put_status(struct json_object *object, int status)
{
	if (WIFEXITED(status))
		return kmon_json_put(object, "code",
				     json_object_new_int(WEXITSTATUS(status)));
	return kmon_json_put_signal(object, WTERMSIG(status)) &&
	       kmon_json_put(object, "core_dumped",
			     json_object_new_boolean(WCOREDUMP(status)));
}

/*
 * The name as a string.  One with bytes that can't be shown has U+FFFD for each
 * of them, and the true bytes beside it.
 */
bool kmon_json_put_name(struct json_object *object, const char *key,
			const char *comm, size_t len)
{
	char text[64], hex[64], hex_key[32];
	bool whole = true;
	size_t at = 0;

	len = strnlen(comm, len);
	for (size_t i = 0, n; i < len; i += n) {
		n = kmon_shown_sequence(comm + i, len - i);
		if (n) {
			memcpy(text + at, comm + i, n);
			at += n;
		} else {
			n = 1;
			memcpy(text + at, "\xef\xbf\xbd", 3);
			at += 3;
			whole = false;
		}
	}
	if (!kmon_json_put(object, key,
			   json_object_new_string_len(text, (int)at)))
		return false;
	if (whole)
		return true;
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)comm[i]);
	snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
	return kmon_json_put(object, hex_key, json_object_new_string(hex));
}

static bool put_time(struct json_object *object, int64_t wall_ns)
{
	time_t seconds = wall_ns / NSEC_PER_SEC;
	char text[64], whole[32];
	struct tm tm = {};

	gmtime_r(&seconds, &tm);
	strftime(whole, sizeof(whole), "%FT%T", &tm);
	snprintf(text, sizeof(text), "%s.%09dZ", whole,
		 (int)(wall_ns % NSEC_PER_SEC));
	return kmon_json_put(object, "time", json_object_new_string(text));
}

/*
 * A field that is redacted, or not known of the root of a tree, has no value
 * rather than a wrong one.
 */
static bool put_subject(struct json_object *object,
			const struct kmonitor_event *event)
{
	if (!kmon_json_put_fields(object, event, header_fields,
				  KMON_COUNT(header_fields)))
		return false;
	if (event->uid == UINT32_MAX)
		return true;
	return kmon_json_put(object, "uid",
			     json_object_new_uint64(event->uid)) &&
	       kmon_json_put(object, "cgroup_id", new_id(event->cgroup_id)) &&
	       kmon_json_put_name(object, "comm", event->comm,
				  sizeof(event->comm));
}

static bool put_type(struct json_object *object, uint32_t type)
{
	const char *name = kmon_event_name(type);
	char number[16];

	snprintf(number, sizeof(number), "0x%x", type);
	return kmon_json_put(object, "type",
			     json_object_new_string(name ? name : number));
}

static bool put_header(struct json_object *object,
		       const struct kmonitor_event *event, int64_t wall_offset)
{
	if (!kmon_json_put(object, "seq", json_object_new_uint64(event->seq)) ||
	    !kmon_json_put(object, "time_ns",
			   json_object_new_uint64(event->time_ns)) ||
	    !put_time(object, (int64_t)event->time_ns + wall_offset) ||
	    !put_type(object, event->type))
		return false;
	if (event->type == KMONITOR_LOST)
		return true;
	return kmon_json_put(object, "cookie", new_id(event->cookie)) &&
	       kmon_json_put_flags(object, event->flags, event_flags,
				   KMON_COUNT(event_flags)) &&
	       kmon_json_put(object, "cpu", json_object_new_int(event->cpu)) &&
	       put_subject(object, event);
}

struct json_object *kmon_json_event(const struct kmonitor_event *event,
				    int64_t wall_offset)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	if (put_header(object, event, wall_offset) &&
	    kmon_json_put_details(object, event))
		return object;
	json_object_put(object);
	return NULL;
}
