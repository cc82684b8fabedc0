/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions that several tools use. */
#ifndef KMON_TOOLS_COMMON_H
#define KMON_TOOLS_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#define NSEC_PER_SEC INT64_C(1000000000)
#define EXIT_USAGE 2
#define EXIT_LOSS 3
#define EXIT_TIMEOUT 124
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127
/* As a shell reports a death by signal. */
#define EXIT_SIGNAL(signo) (128 + (signo))

/* A moment that never comes. */
#define NEVER INT64_MAX

/* A line on standard error that begins with the name of the tool. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* Goes behind kmon_open_strerror() and kmon_filter_strerror(): how to help oneself. */
const char *advice(int error);

/* CLOCK_MONOTONIC. */
int64_t now_ns(void);

/* The timeout of poll(2) until then: milliseconds rounded up; -1 for NEVER. */
int poll_timeout(int64_t at_ns);

/* A decimal number from 1 to max. */
bool parse_number(const char *text, uint64_t max, uint64_t *number);

/* A positive number of seconds, perhaps with a fraction. */
bool parse_duration(const char *text, int64_t *duration_ns);

/* Lets no file that is opened later become a closed standard stream. */
void hold_standard_fds(void);

#endif /* KMON_TOOLS_COMMON_H */
