/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building blocks of the JSON objects.  Each takes false for a lack of memory.
 */
#ifndef KMON_JSON_H
#define KMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "internal.h"
#include "kmon.h"

/* How a field becomes a value: an ID is a 64-bit one, as a string. */
enum json_kind { S32, U32, U64, ID };

struct json_field {
	const char *key;
	size_t offset;
	enum json_kind kind;
};

struct json_flag {
	const char *name;
	uint32_t bit;
};

#define JSON_FIELD(member, key, kind)                              \
	{                                                          \
		key, offsetof(struct kmonitor_event, member), kind \
	}

/* Takes the value, also if it fails. */
bool kmon_json_put(struct json_object *object, const char *key,
		   struct json_object *value);
bool kmon_json_put_fields(struct json_object *object,
			  const struct kmonitor_event *event,
			  const struct json_field *fields, size_t n);
bool kmon_json_put_flags(struct json_object *object, uint32_t bits,
			 const struct json_flag *flags, size_t n);
bool kmon_json_put_signal(struct json_object *object, int signo);
bool kmon_json_put_status(struct json_object *object, int status);
bool kmon_json_put_name(struct json_object *object, const char *key,
			const char *comm, size_t len);

/* json_details.c */
bool kmon_json_put_details(struct json_object *object,
			   const struct kmonitor_event *event);

#endif /* KMON_JSON_H */
