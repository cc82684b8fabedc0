// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A text under construction, see text.h.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "text.h"

struct text kmon_text_start(char *buf, size_t size)
{
	if (!size)
		return (struct text){ .used = -ENOSPC };
	buf[0] = '\0';
	return (struct text){ buf, size, 0 };
}

void kmon_text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	if (text->used < 0)
		return;
	va_start(args, format);
	n = vsnprintf(text->buf + text->used, text->size - text->used, format,
		      args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->size - text->used)
		text->used = -ENOSPC;
	else
		text->used += n;
}
