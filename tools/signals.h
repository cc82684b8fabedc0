/* SPDX-License-Identifier: GPL-2.0-only */
/* The signals that ask a tool to end, as something to poll. */
#ifndef KMON_TOOLS_SIGNALS_H
#define KMON_TOOLS_SIGNALS_H

/*
 * The first signal of a kind is a request; the second has the default action,
 * which ends even a tool that is stuck in a write.  Signals that were ignored stay so.
 * Once is enough.  0, or the exit status after a complaint.
 */
int catch_signals(void);

/* The descriptor to poll, and the signal that came, or 0. */
int signal_fd(void);
int take_signal(void);

#endif /* KMON_TOOLS_SIGNALS_H */
