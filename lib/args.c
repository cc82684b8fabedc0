// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The path and arguments of a program, as text and as JSON.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "text.h"

#define PLAIN                        \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789%+,-./:=@_"

/* Only bytes without a meaning to any shell. */
static bool is_plain(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!memchr(PLAIN, bytes[i], sizeof(PLAIN) - 1))
			return false;
	}
	return len;
}

/* A piece without quotes.  Returns whether it has bytes that are not shown. */
static bool add_escaped(struct text *text, const char *piece, size_t len,
			unsigned int flags)
{
	int before = text->used, n;

	if (before < 0)
		return false;
	n = kmon_escape(piece, len, flags, text->buf + before,
			text->size - before);
	text->used = n < 0 ? n : before + n;
	return n < 0 || (size_t)n != len;
}

/* As the shell quotes: $'...' where bytes are escaped, otherwise '...'. */
static void add_quoted(struct text *text, const char *argument, size_t len,
		       unsigned int flags)
{
	int start = text->used;
	bool escaped = memchr(argument, '\'', len);
	const char *at = argument, *end = argument + len, *quote;

	kmon_text_add(text, "$'");
	for (; at < end; at = quote) {
		if (*at == '\'') {
			kmon_text_add(text, "\\'");
			quote = at + 1;
			continue;
		}
		quote = memchr(at, '\'', end - at);
		quote = quote ? quote : end;
		escaped |= add_escaped(text, at, quote - at, flags);
	}
	kmon_text_add(text, "'");
	if (text->used < 0 || escaped)
		return;
	memmove(text->buf + start, text->buf + start + 1, text->used - start);
	text->used--;
}

int kmon_format_args(const char *args, size_t len, unsigned int flags,
		     char *buf, size_t size)
{
	struct text text = kmon_text_start(buf, size);

	for (size_t at = 0, n; at < len; at += n + 1) {
		n = strnlen(args + at, len - at);
		if (at)
			kmon_text_add(&text, " ");
		if (is_plain(args + at, n))
			kmon_text_add(&text, "%.*s", (int)n, args + at);
		else
			add_quoted(&text, args + at, n, flags);
	}
	return text.used;
}

/* Each byte that can't be shown becomes U+FFFD. */
static struct json_object *new_argument(const char *argument, size_t len,
					bool *whole)
{
	char text[3 * KMON_ARGS_MAX];
	size_t at = 0;

	for (size_t i = 0, n; i < len; i += n) {
		n = kmon_shown_sequence(argument + i, len - i);
		if (n) {
			memcpy(text + at, argument + i, n);
			at += n;
		} else {
			n = 1;
			memcpy(text + at, "\xef\xbf\xbd", 3);
			at += 3;
			*whole = false;
		}
	}
	return json_object_new_string_len(text, (int)at);
}

static struct json_object *new_hex(const char *bytes, size_t len)
{
	char hex[2 * KMON_ARGS_MAX + 1] = "";

	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
	return json_object_new_string(hex);
}

int kmon_json_add_args(struct json_object *object, const char *args, size_t len)
{
	struct json_object *array = json_object_new_array();
	struct json_object *argument;
	bool whole = true;

	if (len > KMON_ARGS_MAX) {
		json_object_put(array);
		return -EINVAL;
	}
	if (!kmon_json_put(object, "args", array))
		return -ENOMEM;
	for (size_t at = 0, n; at < len; at += n + 1) {
		n = strnlen(args + at, len - at);
		argument = new_argument(args + at, n, &whole);
		if (!argument || json_object_array_add(array, argument)) {
			json_object_put(argument);
			return -ENOMEM;
		}
	}
	if (!whole && !kmon_json_put(object, "args_hex", new_hex(args, len)))
		return -ENOMEM;
	return 0;
}
