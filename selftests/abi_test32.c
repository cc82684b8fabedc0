// SPDX-License-Identifier: GPL-2.0-only
/* The same layout and the same calls for 32-bit programs; built with -m32. */

_Static_assert(sizeof(void *) == 4, "this is no 32-bit build");

#include "abi_test.c"
