/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The switch of the hooks.
 */
#ifndef _KMONITOR_HOOKS_H
#define _KMONITOR_HOOKS_H

void kmonitor_hooks_get(void);
void kmonitor_hooks_put(void);

#endif /* _KMONITOR_HOOKS_H */
