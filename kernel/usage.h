/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The resource usage of a thread or process that ends.
 */
#ifndef _KMONITOR_USAGE_H
#define _KMONITOR_USAGE_H

#include "event_data.h"

void __kmonitor_take_usage(struct kmonitor_event_data *data);

/**
 * kmonitor_take_usage - take the usage of a thread or process that ends, once
 * @data: The exit: gets RUSAGE_THREAD for THREAD_EXIT; for PROCESS_EXIT, in the
 *	last thread, RUSAGE_SELF.
 *
 * Context: Process context of the subject.
 */
static inline void kmonitor_take_usage(struct kmonitor_event_data *data)
{
	if (!data->has_usage)
		__kmonitor_take_usage(data);
}

#endif /* _KMONITOR_USAGE_H */
