// SPDX-License-Identifier: GPL-2.0-only
/* Text in an SVG. */

#include <string.h>

#include "plot.h"

static bool starts_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/* U+FFFE and U+FFFF are characters, but none of XML. */
static bool is_no_xml(const char *at)
{
	return !memcmp(at, "\xef\xbf\xbe", 3) || !memcmp(at, "\xef\xbf\xbf", 3);
}

static void put_byte(FILE *file, char byte)
{
	switch (byte) {
	case '<':
		fputs("&lt;", file);
		return;
	case '>':
		fputs("&gt;", file);
		return;
	case '&':
		fputs("&amp;", file);
		return;
	}
	fputc(byte, file);
}

void plot_put_text(FILE *file, const char *text, size_t max)
{
	for (const char *at = text; *at; at++) {
		if (starts_character(*at) && !max--) {
			fputs("\u2026", file);
			return;
		}
		if (*at == '\xef' && is_no_xml(at)) {
			fputs("\ufffd", file);
			at += 2;
		} else {
			put_byte(file, *at);
		}
	}
}

double plot_text_width(const char *text, size_t max, double size)
{
	size_t len = 0;

	for (const char *at = text; *at && len < max; at++)
		len += starts_character(*at);
	return (double)len * size * 0.6;
}
