// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's text and JSON of the arguments of programs.
 */

#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "kmon.h"
#include "kselftest_harness.h"

/* The size of a literal with its last NUL. */
#define FORMAT(text, flags) format(text, sizeof(text), flags)
#define JSON_AT(text, key) json_at(text, sizeof(text), key)

static const char *format(const char *args, size_t len, unsigned int flags)
{
	static char buf[KMON_ARGS_TEXT_MAX];

	if (kmon_format_args(args, len, flags, buf, sizeof(buf)) !=
	    (int)strlen(buf))
		return NULL;
	return buf;
}

static const char *json_at(const char *args, size_t len, const char *key)
{
	static char buf[4096];
	struct json_object *object = json_object_new_object();
	struct json_object *at;

	if (kmon_json_add_args(object, args, len))
		return NULL;
	at = json_object_object_get(object, key);
	if (at)
		snprintf(buf, sizeof(buf), "%s",
			 json_object_to_json_string_ext(at, 0));
	json_object_put(object);
	return at ? buf : NULL;
}

TEST(plain_arguments_are_left_alone)
{
	EXPECT_STREQ("/bin/ls ls -l --color=auto /tmp/a_b",
		     FORMAT("/bin/ls\0ls\0-l\0--color=auto\0/tmp/a_b", 0));
	EXPECT_STREQ("", format("", 0, 0));
}

TEST(what_a_shell_would_take_apart_is_quoted)
{
	EXPECT_STREQ("sh -c 'echo $HOME; ls *'",
		     FORMAT("sh\0-c\0echo $HOME; ls *", 0));
	EXPECT_STREQ("a '' b", FORMAT("a\0\0b", 0));
	EXPECT_STREQ("$'it\\'s'", FORMAT("it's", 0));
	EXPECT_STREQ("$'\\''", FORMAT("'", 0));
}

TEST(what_can_not_be_shown_is_escaped_as_a_shell_reads_it)
{
	EXPECT_STREQ("$'\\x1b[2J'", FORMAT("\033[2J", 0));
	EXPECT_STREQ("$'a\\\\b'", FORMAT("a\\b", 0));
	EXPECT_STREQ("$'\\xff'", FORMAT("\xff", 0));
	EXPECT_STREQ("'caf\xc3\xa9'", FORMAT("caf\xc3\xa9", 0));
	EXPECT_STREQ("$'caf\\xc3\\xa9'",
		     FORMAT("caf\xc3\xa9", KMON_TEXT_ASCII));
}

TEST(the_end_of_a_text_that_was_cut_is_its_end)
{
	const char cut[] = { 'a', '\0', 'b', 'c' };

	EXPECT_STREQ("a bc", format(cut, sizeof(cut), 0));
	EXPECT_STREQ("[\"a\",\"bc\"]", json_at(cut, sizeof(cut), "args"));
}

TEST(the_longest_arguments_fit)
{
	static const char units[][3] = { "\xff", "'", "a", " ", "\\" };
	static char args[KMON_ARGS_MAX];

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		memset(args, *units[i], sizeof(args));
		EXPECT_NE(NULL, format(args, sizeof(args), 0));
		for (size_t j = 1; j < sizeof(args); j += 2)
			args[j] = '\0';
		EXPECT_NE(NULL, format(args, sizeof(args), 0));
	}
	memset(args, 0, sizeof(args));
	EXPECT_NE(NULL, format(args, sizeof(args), 0));
}

TEST(a_buffer_that_is_too_small_is_refused)
{
	const char args[] = "ls\0a b\0it's";
	const size_t len = strlen(format(args, sizeof(args), 0));
	char buf[64];

	for (size_t size = 0; size <= len; size++)
		EXPECT_EQ(-ENOSPC,
			  kmon_format_args(args, sizeof(args), 0, buf, size));
	EXPECT_EQ((int)len,
		  kmon_format_args(args, sizeof(args), 0, buf, len + 2));
}

TEST(json_has_an_array_of_the_arguments)
{
	EXPECT_STREQ("[\"sh\",\"-c\",\"\",\"a\\\"b\"]",
		     JSON_AT("sh\0-c\0\0a\"b", "args"));
	EXPECT_EQ(NULL, JSON_AT("sh", "args_hex"));
	EXPECT_STREQ("[]", json_at("", 0, "args"));
}

TEST(json_keeps_bytes_that_are_no_text)
{
	EXPECT_STREQ("[\"a\xef\xbf\xbd\"]", JSON_AT("a\xff", "args"));
	EXPECT_STREQ("\"61ff00\"", JSON_AT("a\xff", "args_hex"));
}

TEST(more_than_there_can_be_is_refused)
{
	static char args[KMON_ARGS_MAX + 1];
	struct json_object *object = json_object_new_object();

	EXPECT_EQ(-EINVAL, kmon_json_add_args(object, args, sizeof(args)));
	EXPECT_EQ(0, json_object_object_length(object));
	json_object_put(object);
}

TEST_HARNESS_MAIN
