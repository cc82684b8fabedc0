/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of the VM's PID 1. */

#ifndef _KMONITOR_VM_INIT_H
#define _KMONITOR_VM_INIT_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct results - the result of a run of the tests
 *
 * @passed: Number of tests that passed.
 * @failed: Number of tests that failed.
 * @skipped: Number of tests that were skipped.
 * @failures: One line for each failure.
 * @len: Number of bytes in @failures.
 */
struct results {
	unsigned int passed;
	unsigned int failed;
	unsigned int skipped;
	char failures[16384];
	size_t len;
};

/* init.c */
void mount_at(const char *type, const char *target, const char *options);
void kill_all(void);

/* check.c */
void fail(struct results *results, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void run_tests(struct results *results, int limit);

/* kernel_log.c */
void scan_for_leaks(struct results *results);
void check_kernel_log(struct results *results);

/* kunit.c */
void check_kunit(struct results *results);

/* host.c */
int run_on_host(void);

#endif /* _KMONITOR_VM_INIT_H */
