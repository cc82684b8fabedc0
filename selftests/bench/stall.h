/* SPDX-License-Identifier: GPL-2.0-only */
/* How long others are kept from running. */
#ifndef KMONITOR_BENCH_STALL_H
#define KMONITOR_BENCH_STALL_H

void measure_stalls(void);

#endif /* KMONITOR_BENCH_STALL_H */
