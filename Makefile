# SPDX-License-Identifier: GPL-2.0-or-later
# heaptap: one Makefile. `make V=1` shows the commands; everything it makes is under build/.

VERSION := 0.1.0
OUT     ?= build
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PREFIX  ?= /usr/local

ifneq ($(shell uname -m),x86_64)
$(error heaptap knows x86_64 only so far; this machine is $(shell uname -m))
endif

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wformat=2 -Wformat-signedness -Wmissing-prototypes -Wstrict-prototypes -Wundef \
            -Wpointer-arith -Wno-format-nonliteral
ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE -DHEAPTAP_VERSION='"$(VERSION)"' -I$(OUT)/gen $(SANITIZE)
LIBS     := -lbpf -ldw -lelf -lcapstone -lprotobuf-c -lcjson -liberty -lz -lm -lpthread
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Ivmlinux -Wall -Wextra -Werror -Wno-unused-parameter

# What includes libbpf stays out of the library that unit tests link.
KERNEL_SIDE := feature attach tracer ring main
USER_C   := $(wildcard user/*.c)
USER_O   := $(USER_C:user/%.c=$(OUT)/user/%.o)
GEN_O    := $(OUT)/gen/pprof.pb-c.o
PLAIN_O  := $(filter-out $(KERNEL_SIDE:%=$(OUT)/user/%.o),$(USER_O)) $(GEN_O)
BPF_O    := $(patsubst bpf/%.bpf.c,$(OUT)/bpf/%.o,$(filter-out bpf/feature.bpf.c,$(wildcard bpf/*.bpf.c)))
SKELETONS := $(OUT)/gen/heaptap.skel.h $(OUT)/gen/feature.skel.h

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo test check e2e asan bench format lint install clean setup

all: $(OUT)/heaptap

$(OUT)/heaptap: $(USER_O) $(GEN_O)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(OUT)/libheaptap.a: $(PLAIN_O)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(OUT)/user/%.o: user/%.c $(OUT)/gen/pprof.pb-c.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(KERNEL_SIDE:%=$(OUT)/user/%.o): | $(SKELETONS)

$(OUT)/gen/pprof.pb-c.c $(OUT)/gen/pprof.pb-c.h &: user/pprof.proto
	@mkdir -p $(@D)
	$(call say,PROTOC,$@)
	$(Q)protoc-c --proto_path=user --c_out=$(OUT)/gen pprof.proto

$(OUT)/gen/%.pb-c.o: $(OUT)/gen/%.pb-c.c
	$(call say,CC,$@)
	$(Q)$(CC) -O2 -g $(SANITIZE) -I$(OUT)/gen -c $< -o $@

# --- BPF -----------------------------------------------------------------------------------------------------------------
$(OUT)/bpf/%.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/bpf/heaptap.linked.o: $(BPF_O)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(OUT)/bpf/feature.linked.o: $(OUT)/bpf/feature.o
	$(Q)$(BPFTOOL) gen object $@ $^

$(OUT)/gen/%.skel.h: $(OUT)/bpf/%.linked.o
	@mkdir -p $(@D)
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $* > $@

# --- tests ---------------------------------------------------------------------------------------------------------------
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OUT)/tests/unit/%,$(wildcard tests/unit/test_*.c))
BPF_TESTS  := $(patsubst tests/bpf/%.c,$(OUT)/tests/bpf/%,$(wildcard tests/bpf/test_*.c))

$(OUT)/tests/unit/%: tests/unit/%.c $(OUT)/libheaptap.a
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP -MF $@.d $< $(OUT)/libheaptap.a -lcmocka $(LIBS) -o $@

$(OUT)/tests/bpf/%: tests/bpf/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $< -lcmocka -lm -o $@

unit: $(UNIT_TESTS) $(BPF_TESTS)
	$(Q)set -e; for test in $^; do $$test; done

clean:
	$(call say,CLEAN,$(OUT))
	$(Q)rm -rf $(OUT)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
