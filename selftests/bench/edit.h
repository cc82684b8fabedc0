/* SPDX-License-Identifier: GPL-2.0-only */
/* What edits, KILL, many exits and arguments cost. */
#ifndef KMONITOR_BENCH_EDIT_H
#define KMONITOR_BENCH_EDIT_H

void measure_edits(void);

#endif /* KMONITOR_BENCH_EDIT_H */
