/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the VM's PID 1 share. */

#ifndef _KMONITOR_VM_INIT_H
#define _KMONITOR_VM_INIT_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct verdict - the result of a run of the tests
 *
 * @passed: Number of tests that passed.
 * @failed: Number of tests that failed.
 * @skipped: Number of tests that were skipped.
 * @failures: One line for each failure.
 * @len: Number of bytes in @failures.
 */
struct verdict {
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
void fail(struct verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void run_tests(struct verdict *verdict, int limit);

/* kernel_log.c */
void scan_for_leaks(struct verdict *verdict);
void judge_kernel_log(struct verdict *verdict);

/* kunit.c */
void judge_kunit(struct verdict *verdict);

/* host.c */
int run_on_host(void);

#endif /* _KMONITOR_VM_INIT_H */
