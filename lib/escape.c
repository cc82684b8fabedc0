// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Bytes that others chose, such as the name of a task, made harmless to show.
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "internal.h"
#include "kmon.h"

/* A character that could move the cursor, end the line or hide other text. */
static bool harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
	       c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

size_t kmon_shown_sequence(const char *bytes, size_t len)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = bytes[0];
	size_t need = first < 0x80 ? 1 :
		      first < 0xc0 ? 0 :
		      first < 0xe0 ? 2 :
		      first < 0xf0 ? 3 :
		      first < 0xf8 ? 4 :
				     0;
	uint32_t c;

	if (!need || need > len)
		return 0;
	c = need == 1 ? first : first & (0x7f >> need);
	for (size_t i = 1; i < need; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (bytes[i] & 0x3f);
	}
	if (c < smallest[need] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return harmful(c) ? 0 : need;
}

int kmon_escape(const char *bytes, size_t len, unsigned int flags, char *buf,
		size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0, done = 0;

	len = strnlen(bytes, len);
	while (done < len) {
		size_t n = kmon_shown_sequence(bytes + done, len - done);
		char escaped[4] = { '\\', 'x' };
		const char *piece = bytes + done;
		size_t piece_len = n;

		if (*piece == '\\') {
			escaped[1] = '\\';
			piece = escaped;
			piece_len = 2;
		} else if (!n || (n > 1 && flags & KMON_TEXT_ASCII)) {
			n = 1;
			escaped[2] = hex[(unsigned char)*piece >> 4];
			escaped[3] = hex[*piece & 0xf];
			piece = escaped;
			piece_len = 4;
		}
		if (piece_len >= size - at)
			return -ENOSPC;
		memcpy(buf + at, piece, piece_len);
		at += piece_len;
		done += n;
	}
	if (at >= size)
		return -ENOSPC;
	buf[at] = '\0';
	return (int)at;
}
