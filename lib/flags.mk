# SPDX-License-Identifier: LGPL-2.1-or-later
# The version, and the compiler flags of all user space parts.

VERSION := 0.1.0

CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -MMD -MP
override CPPFLAGS += -I../uapi -I../lib
