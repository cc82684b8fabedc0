/* SPDX-License-Identifier: GPL-2.0-only */
/* From an event to the reader that it wakes. */
#ifndef KMONITOR_BENCH_WAKE_H
#define KMONITOR_BENCH_WAKE_H

void measure_wakeups(void);
void measure_latencies(void);

#endif /* KMONITOR_BENCH_WAKE_H */
