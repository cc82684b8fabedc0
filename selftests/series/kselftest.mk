# SPDX-License-Identifier: GPL-2.0
# The helpers are programs that the tests run, from helpers/ beside them.
CFLAGS += -O2 -Wall -I.. $(KHDR_INCLUDES)
LDFLAGS += -pthread

TEST_GEN_PROGS := $(patsubst %.c,%,$(wildcard *_test.c))
TEST_GEN_FILES := $(patsubst %.c,%,$(wildcard helpers/*.c))

include ../lib.mk

$(shell mkdir -p $(OUTPUT)/helpers)

$(TEST_GEN_PROGS): common.c
