# SPDX-License-Identifier: GPL-2.0-only
# kmonitor: process and thread life as a file descriptor. See `make help`.

O ?= build
KERNEL ?= release
MINUTES ?= 10
N ?= 20
MODEL ?= short
PATCHES_DIR ?= $(O)/patches
# Where `make install` puts things, below DESTDIR.
PREFIX ?= /usr/local
out := $(abspath $(O))

# Real work for `make run`, and not too much of it: this project's library, as an archive.
CMD ?= dir=$$(mktemp -d) && cp -r lib uapi "$$dir" && \
	make -j2 -C "$$dir/lib" CC=gcc O="$$dir/out" "$$dir/out/libkmonitor.a"
export CMD

all: lib tools selftests examples

help:
	@echo 'make [all]     library, tools, tests and examples, in O=$(O)'
	@echo 'make run       boot the patched kernel, run CMD under kmon-tail there'
	@echo '               (CMD="any command of this system"; default: compile libkmonitor.a)'
	@echo 'make shell     an interactive shell in that VM'
	@echo 'make check     run the tests in the VM (KERNEL=release|debug|kcsan|rt|up|none|off,'
	@echo '               VCPUS=n, TESTS=pattern, STORM_SECONDS=n)'
	@echo 'make check-all     all kernels, long races, randconfig, series, lint: many hours;'
	@echo '               goes on where it was interrupted (CHECKS=pattern)'
	@echo 'make stress    race everything for MINUTES=$(MINUTES) in the VM (KERNEL=)'
	@echo 'make bench-icount   what kmonitor costs, in instructions of the VM'
	@echo 'make install   library, header, tools, manual pages, completions to PREFIX=$(PREFIX)'
	@echo '               below DESTDIR=; make uninstall removes them'
	@echo 'make check-install   install into a temporary directory, build programs against it'
	@echo 'make check-memory    the tests that need no kmonitor under valgrind, ASan, UBSan'
	@echo 'make model     the ring and its wake-ups as a model, with spin (MODEL=short|long)'
	@echo 'make lint      checkpatch, W=1, sparse, clang-format, kernel-doc, manual pages,'
	@echo '               shellcheck, codespell'
	@echo 'make randconfig    compile the kernel side in N=$(N) configurations, gcc and clang (SEED=)'
	@echo 'make docs      the kernel documentation as HTML, in O=$(O)'
	@echo 'make patches   the series for a kernel tree, in PATCHES_DIR=$(PATCHES_DIR)'
	@echo 'make series    git am, build, boot and test the series patch by patch'
	@echo 'make kernel    only build the kernel (KERNEL=)'
	@echo 'make clean     remove $(O)'
	@echo
	@echo 'KERNEL_SRC=dir takes any 6.12 tree instead of the package linux-source-6.12;'
	@echo 'KMONITOR_CACHE=dir moves the cache (default: ~/.cache/kmonitor).'

lib:
	$(MAKE) -C lib O=$(out)/lib

tools: lib
	$(MAKE) -C tools O=$(out)/tools LIB=$(out)/lib

selftests: lib
	$(MAKE) -C selftests O=$(out)/selftests LIB=$(out)/lib VM=$(out)/vm

examples: lib
	$(MAKE) -C Documentation/examples O=$(out)/examples LIB=$(out)/lib

install: lib tools
	$(MAKE) -C lib install O=$(out)/lib prefix=$(PREFIX)
	$(MAKE) -C tools install O=$(out)/tools LIB=$(out)/lib prefix=$(PREFIX)
	$(MAKE) -C Documentation/man install prefix=$(PREFIX)

uninstall:
	$(MAKE) -C lib uninstall prefix=$(PREFIX)
	$(MAKE) -C tools uninstall prefix=$(PREFIX)
	$(MAKE) -C Documentation/man uninstall prefix=$(PREFIX)

check-install: packages
	@selftests/vm/packages.sh install
	@selftests/checks/install.sh $(out)

check-memory: packages
	@selftests/vm/packages.sh memory
	@selftests/checks/memory.sh $(out)

check-all:
	@selftests/checks/check-all.sh $(out)

randconfig:
	@selftests/checks/randconfig.sh $(out) $(N)

model:
	@selftests/vm/packages.sh model
	@selftests/model/model.sh $(out) $(MODEL)

packages:
	@selftests/vm/packages.sh user vm

run: packages
	@$(MAKE) -s lib tools selftests
	@selftests/vm/run.sh $(out) kmon-tail -- /bin/sh -c "$$CMD"

shell: packages
	@$(MAKE) -s lib tools selftests
	@selftests/vm/run.sh $(out) bash -i

check: packages
	@$(MAKE) -s all || { echo '0 passed, 1 failed, 0 skipped'; exit 1; }
	@selftests/vm/check.sh $(out) $(KERNEL)

stress: packages
	@$(MAKE) -s lib selftests
	@selftests/stress/stress.sh $(out) $(KERNEL) $(MINUTES)

bench-icount: packages
	@$(MAKE) -s lib selftests
	@selftests/bench/bench.sh $(out)

kernel:
	@selftests/vm/build-kernel.sh $(KERNEL)

lint:
	@selftests/checks/lint.sh $(out)

docs:
	@selftests/checks/docs.sh $(out)

patches:
	@selftests/series/make-patches.sh "$$(selftests/vm/kernel-source.sh)" $(PATCHES_DIR)
	@ls $(PATCHES_DIR)/*.patch

series: packages
	@$(MAKE) -s lib selftests
	@selftests/series/series.sh $(out)

clean:
	rm -rf $(O)

.PHONY: all help lib tools selftests examples packages run shell check stress bench-icount kernel \
	install uninstall check-install check-memory model check-all randconfig lint docs patches series clean
