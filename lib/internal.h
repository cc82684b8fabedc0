/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the files of the library, and not exported.
 */
#ifndef KMON_INTERNAL_H
#define KMON_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#define KMON_ASSERT(condition) _Static_assert(condition, #condition)
#define KMON_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Room for a signal's name: "SIGRTMIN+30", "signal -2147483648".
 */
#define KMON_SIGNAL_MAX 24

/*
 * The length of the UTF-8 sequence at the start of bytes if it may be shown as
 * it is, 0 if not.
 */
size_t kmon_shown_sequence(const char *bytes, size_t len);

/* Whether a name has the form of a systemd unit's that can have a cgroup. */
bool kmon_is_unit(const char *name, size_t len);

void kmon_signal_name(int signo, char name[KMON_SIGNAL_MAX]);

#endif /* KMON_INTERNAL_H */
