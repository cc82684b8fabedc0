/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text under construction.
 */
#ifndef KMON_TEXT_H
#define KMON_TEXT_H

#include <stddef.h>

/**
 * struct text - where it goes
 * @buf: Has what was added, ended by a NUL.
 * @size: Size of @buf.
 * @used: Length of the text; -ENOSPC once something did not fit.
 */
struct text {
	char *buf;
	size_t size;
	int used;
};

/* A text of nothing; with no room at all nothing fits. */
struct text kmon_text_start(char *buf, size_t size);

__attribute__((format(printf, 2, 3))) void
kmon_text_add(struct text *text, const char *format, ...);

#endif /* KMON_TEXT_H */
