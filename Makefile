# SPDX-License-Identifier: GPL-2.0-or-later
# heaptap: one Makefile. Everything it makes is under $(OUT); `make V=1` shows the commands. `make help` lists the targets.

VERSION := 0.2.0
OUT     ?= build
CLANG   ?= clang
OBJCOPY ?= objcopy
CXX     := $(if $(filter default,$(origin CXX)),g++,$(CXX))
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PREFIX  ?= /usr/local

ifneq ($(shell uname -m),x86_64)
$(error heaptap knows x86_64 only so far; this machine is $(shell uname -m))
endif

Q := $(if $(filter 1,$(V)),,@)
comma := ,
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')
# Tracing needs root; nothing else may need it.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)
JOBS     = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wformat=2 -Wformat-signedness -Wmissing-prototypes -Wstrict-prototypes -Wundef \
            -Wpointer-arith -Wno-format-nonliteral
ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE -DHEAPTAP_VERSION='"$(VERSION)"' -iquote user -iquote . \
              -iquote $(OUT)/gen $(SANITIZE)
# No byte of the program depends on where its source is.
ANYWHERE := '-ffile-prefix-map=$(CURDIR)=.'
LIBS     := -ldw -lelf -lcapstone -lprotobuf-c -lcjson -liberty -llzma -lz -lm -lpthread
ALL_LIBS := -lbpf -lncursesw -ltinfo -lmicrohttpd $(LIBS)
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Ivmlinux -iquote . -Wall -Wextra -Werror -Wno-unused-parameter \
              $(ANYWHERE)
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# -O1, as the sanitizers' manuals advise, compiles faster. gcc's warnings are partly wrong about code with their checks in it; the build without
# them gives those.
SANITIZED  := SANITIZE='$(SANITIZERS)' CFLAGS='-O1 -g' WARNINGS=

# The folders of user/, in their order: each includes and calls only itself and those before it. UP_TO_x: the archives of x and
# of those before it, as the linker wants them.
ROOMS    := base system binary unwind probe inline profile view heap format trace record live push top serve cli
$(foreach room,$(ROOMS),$(eval up_to := $(OUT)/user/$(room).a $(up_to))$(eval UP_TO_$(room) := $(up_to)))
objects   = $(patsubst user/%.c,$(OUT)/user/%.o,$(filter-out user/cli/main.c,$(wildcard user/$1/*.c))) $(if $(filter format,$1),$(OUT)/user/format/page_template.o) \
            $(patsubst user/$1/%.proto,$(OUT)/gen/%.pb-c.o,$(wildcard user/$1/*.proto)) \
            $(if $(filter inline,$1),$(OUT)/user/inline/sampler_bytes.o)
MESSAGES := $(patsubst %.proto,$(OUT)/gen/%.pb-c.h,$(notdir $(wildcard user/*/*.proto)))
BPF_O    := $(patsubst bpf/%.bpf.c,$(OUT)/bpf/%.o,$(filter-out bpf/feature.bpf.c,$(wildcard bpf/*.bpf.c)))
SKELETONS := $(OUT)/gen/heaptap.skel.h $(OUT)/gen/feature.skel.h

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help setup demo pictures test check unit e2e stress cet kernels boot boot-programs compilers asan bench format lint install dist deb packages reproducible \
        clean unit-programs asan-programs e2e-programs bench-programs fuzz fuzz-programs faults

all: $(OUT)/heaptap $(OUT)/heaptap.bash ## build the program
	@:

help: ## this list
	@sed -n 's/^\([a-z0-9]*\)[ a-z]*:.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST))

# --- the program ---------------------------------------------------------------------------------------------------------
$(OUT)/heaptap: $(OUT)/user/cli/main.o $(UP_TO_cli)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(ALL_LIBS) -o $@

.SECONDEXPANSION:
$(ROOMS:%=$(OUT)/user/%.a): $(OUT)/user/%.a: $$(call objects,$$*) Makefile
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(OUT)/user/%.o: user/%.c Makefile | $(MESSAGES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ANYWHERE) -MMD -MP -c $< -o $@

$(patsubst user/%.c,$(OUT)/user/%.o,$(wildcard user/trace/*.c)): | $(SKELETONS)

# $1: a file of messages.
define message_rule
$(OUT)/gen/$(basename $(notdir $1)).pb-c.c $(OUT)/gen/$(basename $(notdir $1)).pb-c.h &: $1
	@mkdir -p $$(@D)
	$$(call say,PROTOC,$$@)
	$$(Q)protoc-c --proto_path=$(dir $1) --c_out=$$(OUT)/gen $(notdir $1)
endef
$(foreach proto,$(wildcard user/*/*.proto),$(eval $(call message_rule,$(proto))))

$(OUT)/gen/%.pb-c.o: $(OUT)/gen/%.pb-c.c
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(ANYWHERE) $(SANITIZE) -I$(OUT)/gen -c $< -o $@

# --- completion ----------------------------------------------------------------------------------------------------------
# Which options and verbs there are, as the program itself has them, and below that how a shell completes them.
COMPLETION := user/cli/completion

$(OUT)/completion_tables: $(COMPLETION)/tables.c $(UP_TO_cli) Makefile
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d $< $(UP_TO_cli) $(ALL_LIBS) -o $@

$(OUT)/heaptap.bash: $(OUT)/completion_tables $(COMPLETION)/heaptap.bash
	$(call say,BASH,$@)
	$(Q){ $< && cat $(COMPLETION)/heaptap.bash; } > $@

# --- the page ------------------------------------------------------------------------------------------------------------
# In the order in which they are read: a module imports from those before it.
PAGE    := user/format/page
PAGE_JS := $(addprefix $(PAGE)/,dom.js numbers.js names.js tree.js picture.js chart.js table.js sites.js state.js head.js main.js)

$(OUT)/page/page.html: $(PAGE)/bundle.sh $(PAGE)/page.html $(PAGE)/page.css $(PAGE_JS) Makefile
	@mkdir -p $(@D)
	$(call say,PAGE,$@)
	$(Q)$(PAGE)/bundle.sh $@ $(PAGE)/page.html $(PAGE)/page.css $(PAGE_JS)

$(OUT)/user/format/page_template.o: user/format/page_template.S $(OUT)/page/page.html
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -Wa,-I$(OUT)/page -c $< -o $@

# --- the sampler that runs in the traced process ---------------------------------------------------------------------------
# Code that is complete in itself: no C library, no data, no vector registers, nothing that a loader would have to fill in.
BLOB       := user/inline/blob
BLOB_O     := $(addprefix $(OUT)/inline/,entry.o seed.o slot.o objects.o slow.o sites.o)
# GCC's options; fuzzers are built by clang.
BLOB_CC    := $(if $(findstring clang,$(CC)),gcc,$(CC))
BLOB_FLAGS := -std=gnu11 -O2 $(WARNINGS) -ffreestanding -fPIC -fvisibility=hidden -mgeneral-regs-only -fno-stack-protector \
              -fcf-protection=none -fno-reorder-functions -fno-tree-loop-distribute-patterns -fno-jump-tables -fasynchronous-unwind-tables \
              $(ANYWHERE) -iquote user -iquote . -iquote $(OUT)/gen

$(OUT)/inline/%.o: $(BLOB)/%.c $(OUT)/gen/sampler_log.h Makefile
	@mkdir -p $(@D)
	$(call say,BLOB,$@)
	$(Q)$(BLOB_CC) $(BLOB_FLAGS) -MMD -MP -c $< -o $@

$(OUT)/inline/%.o: $(BLOB)/%.S Makefile
	@mkdir -p $(@D)
	$(call say,BLOB,$@)
	$(Q)$(BLOB_CC) $(BLOB_FLAGS) -MMD -MP -c $< -o $@

# g(x) = -ln(1 - x) / x for x = 0 .. 1/2, 31 bits behind the point; see gap.h.
$(OUT)/gen/sampler_log.h: Makefile
	@mkdir -p $(@D)
	$(Q)awk 'BEGIN { print "static const u32 sampler_log[] = { 1u << 31,"; \
		for (i = 1; i <= 256; i++) printf "%.0fu,\n", -log(1 - i / 512) * 512 / i * 2 ^ 31; \
		printf "};\n#define SAMPLER_LN_2 %.0fULL\n", log(2) * 2 ^ 58 }' > $@

# An absolute address or a call through a table of addresses would be a relocation of another type than these two.
$(OUT)/inline/sampler.elf: $(BLOB)/layout.lds $(BLOB_O)
	$(call say,BLOB,$@)
	$(Q)! readelf -rW $(BLOB_O) | grep R_X86_64_ | grep -v -e R_X86_64_PC32 -e R_X86_64_PLT32
	$(Q)! objdump -d $(BLOB_O) | grep -E '%([xyz]?mm|st\b)'
	$(Q)! objdump -d $(BLOB_O) | grep -E '(jmp|call) +\*' | grep -v notrack
	$(Q)$(LD) -static -z noexecstack --orphan-handling=error -T $< -o $@ $(BLOB_O)

$(OUT)/inline/sampler.bin: $(OUT)/inline/sampler.elf
	$(Q)$(OBJCOPY) -O binary $< $@

$(OUT)/user/inline/sampler_bytes.o: user/inline/sampler_bytes.S $(OUT)/inline/sampler.bin
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -Wa,-I$(OUT)/inline -c $< -o $@

# --- BPF -----------------------------------------------------------------------------------------------------------------
$(OUT)/bpf/%.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/bpf/heaptap.linked.o: $(BPF_O)
$(OUT)/bpf/feature.linked.o: $(OUT)/bpf/feature.o
$(OUT)/bpf/%.linked.o:
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

# The line under it: how many instructions each program has, so that growth is noticed.
$(OUT)/gen/%.skel.h: $(OUT)/bpf/%.linked.o
	@mkdir -p $(@D)
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $* > $@
	@readelf -sW $< 2>/dev/null | awk '$$4 == "FUNC" && $$5 == "GLOBAL" { printf "%s%s %d", sep, $$8, $$3 / 8; sep = ", " } \
		END { print "" }' | fold -sw 100 | sed 's/^/           /'

# --- tests ---------------------------------------------------------------------------------------------------------------
# $1: test programs. T, from the command line, keeps those whose path below the tests contains a word of it: T=follow, T='stop unit/heap'.
chosen = $(strip $(if $(T),$(foreach program,$1,$(if $(strip $(foreach word,$(T),$(findstring $(word),$(program:$(OUT)/tests/%=%)))),$(program))),$1))
UNIT_TESTS := $(call chosen,$(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/unit/*/test_*.c tests/bpf/test_*.c tests/lint/test_*.c)))
# The sanitizers say nothing more of a script, or of a law of chance in millions of calls: such tests run once.
PLAIN_TESTS := lint/% unit/inline/test_sampler_law unit/profile/test_verdict_rate unit/profile/test_verdict_time
ASAN_TESTS := $(patsubst $(OUT)/%,$(OUT)/asan/%,$(filter-out $(addprefix $(OUT)/tests/,$(PLAIN_TESTS)),$(UNIT_TESTS)))
E2E_TESTS  := $(call chosen,$(patsubst tests/e2e/suites/%.c,$(OUT)/tests/e2e/%,$(wildcard tests/e2e/suites/test_*.c)))
ifeq ($(strip $(UNIT_TESTS) $(E2E_TESTS)),)
$(error no test program has '$(T)' in its name; see tests/unit/*/test_*.c, tests/bpf, tests/lint and tests/e2e/suites)
endif
SWAP_LIBRARIES := red green blue red_plain green_plain blue_plain
# Rust only where a compiler works: elsewhere its target and its test are left out. The distribution's first, which is the oldest: what
# it builds, others build too. RUSTC_BOOTSTRAP: our programs use two features that became stable after Debian 12's 1.63.
RUSTC := $(firstword $(foreach rustc,$(wildcard /usr/bin/rustc) rustc $(wildcard $(HOME)/.cargo/bin/rustc), \
              $(shell $(rustc) -V >/dev/null 2>&1 && echo $(rustc))))
UNWIND_VARIANTS := c_clang cxx_clang c_static c_static_pie scenes_cet $(if $(RUSTC),rust)
MPROF_VARIANTS  := $(foreach cc,gcc clang,$(foreach level,O0 O2,$(foreach frame,fp nofp,$(foreach link,dynamic static-pie,\
                   $(cc)_$(level)_$(frame)_$(link)))))
MATRIX_VARIANTS := musl musl_static glibc_static jemalloc_static
# Allocators of no known family, by the way in which their functions are built; those with cet begin with endbr64; the last has lost
# its section headers.
ALLOCATOR_SHAPES := own calls plt mixed own_cet calls_cet plt_cet
# The same program in languages with a runtime.
LANGUAGES  := $(addprefix $(OUT)/tests/e2e/languages/,program_go program_ml deep_Java.class $(if $(RUSTC),program_rs))
# The same Go program, by this machine's Go and by Debian 13's, built as each name says.
GO_SHAPES  := plain stripped pie cgo cgo_pie_stripped
GO_HEAPS   := $(foreach go,own 1.24,$(GO_SHAPES:%=$(OUT)/tests/e2e/go_heap/$(go)_%) $(GO_SHAPES:%=$(OUT)/tests/e2e/go_ages/$(go)_%))
# Programs that run in the tests' containers, in images of both C libraries.
GUESTS     := brood filler offspring outside
IMAGES     := $(addprefix $(OUT)/tests/e2e/image_,glibc.tar musl.tar)
TARGETS    := $(patsubst tests/e2e/targets/%.c,$(OUT)/tests/e2e/%,$(wildcard tests/e2e/targets/target_*.c)) \
              $(patsubst tests/e2e/targets/%.cc,$(OUT)/tests/e2e/%,$(wildcard tests/e2e/targets/target_*.cc)) \
              $(patsubst tests/e2e/targets/%.go,$(OUT)/tests/e2e/%,$(wildcard tests/e2e/targets/target_*.go)) \
              $(patsubst tests/e2e/shims/%.c,$(OUT)/tests/e2e/%.so,$(wildcard tests/e2e/shims/shim*.c)) \
              $(UNWIND_VARIANTS:%=$(OUT)/tests/e2e/target_unwind_%) $(SWAP_LIBRARIES:%=$(OUT)/tests/e2e/swap_%.so) \
              $(addprefix $(OUT)/tests/e2e/library_,original.so impostor.so) \
              $(patsubst %,$(OUT)/tests/e2e/allocator_%.so,$(ALLOCATOR_SHAPES) bare) \
              $(MPROF_VARIANTS:%=$(OUT)/tests/e2e/mprof/%) $(MATRIX_VARIANTS:%=$(OUT)/tests/e2e/target_matrix_%) \
              $(LANGUAGES) $(GO_HEAPS) \
              $(IMAGES) $(OUT)/tests/e2e/servers $(OUT)/tests/e2e/root_python
# Tests that do not depend on time run a second time, with a heaptap built under the sanitizers.
ASAN_E2E   := $(filter $(addprefix %/test_,failure interim leaks lifetimes output rungs status),$(E2E_TESTS))
# What takes long and traces nothing runs beside those that do, and needs no root.
BESIDE_E2E := $(filter %/test_page_edges %/test_page_gradual,$(E2E_TESTS))
# Which of the others run at once: tests/run.sh says what each list is for. What is in none gets on with any.
suites      = $(addprefix %/test_,$1)
CODE_E2E   := $(call suites,borrowed_thread failure faults handover inject inject_population injection injection_killed injection_parked injection_refused \
              inline_servers leftovers matrix new running_sampler sampler_start stop stop_again stops tracing)
PROBES_E2E := $(call suites,fair go_live go_outside growth honesty inline inline_company inline_truth mappings privileges push \
              push_beside python python_killed scope_errors serve_metrics stand_in stand_in_copy status tables top top_batch \
              translator unwind)
ALONE_E2E  := $(call suites,container container_killed container_live contrib doctor follow injection_late machine population residency resident return shortage speed)
LISTED_E2E := $(CODE_E2E) $(PROBES_E2E) $(ALONE_E2E)
$(foreach suite,$(subst %,tests/e2e/suites,$(LISTED_E2E)),$(if $(wildcard $(suite).c),,$(error there is no $(suite).c)))
as_root     = $(if $2,--root$1 $2)
by_company  = $(call as_root,=code,$(filter $(CODE_E2E),$1)) $(call as_root,=probes,$(filter $(PROBES_E2E),$1)) \
              $(call as_root,=any,$(filter-out $(LISTED_E2E),$1)) $(call as_root,,$(filter $(ALONE_E2E),$1))
RUN_E2E     = $(if $(BESIDE_E2E),--beside $(BESIDE_E2E)) $(call by_company,$(filter-out $(BESIDE_E2E),$(E2E_TESTS)))
KIT_O      := $(patsubst tests/e2e/kit/%.c,$(OUT)/tests/e2e/kit/%.o,$(wildcard tests/e2e/kit/*.c))
TEST_CFLAGS = $(ALL_CFLAGS) -iquote tests -Wno-missing-prototypes -DSOURCE_DIR='"$(CURDIR)"' -MMD -MP
# A target's allocations must survive the optimizer, and its stack must be walkable.
TARGET_FLAGS := -O1 -g -fno-builtin -fno-optimize-sibling-calls -fno-omit-frame-pointer -pthread -D_GNU_SOURCE -iquote tests \
                -MMD -MP
# Targets whose stacks are compared with libunwind's: built as Debian builds its programs.
$(OUT)/tests/e2e/target_unwind_%: TARGET_FLAGS := -O2 -g -fomit-frame-pointer -pthread -D_GNU_SOURCE -iquote tests -MMD -MP

# One whose compiler tells callers which registers a function leaves alone.
$(OUT)/tests/e2e/target_registers: TARGET_FLAGS := -O2 -g -fno-builtin -D_GNU_SOURCE -iquote tests -MMD -MP

# $1: a room. Only from trace on is there a kernel to talk to, and so libbpf to link.
define unit_rule
$(OUT)/tests/unit/$1/%: tests/unit/$1/%.c $(UP_TO_$1) Makefile
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(TEST_CFLAGS) -MF $$@.d $$< $(UP_TO_$1) -lcmocka $(if $(filter trace record live push top serve cli,$1),$(ALL_LIBS),$(LIBS)) -o $$@
endef
$(foreach room,$(ROOMS),$(eval $(call unit_rule,$(room))))

# It reads what stands beside the program that is tested.
$(OUT)/tests/unit/cli/test_completion: $(OUT)/heaptap.bash

$(OUT)/tests/bpf/%: tests/bpf/%.c $(UP_TO_trace) Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TEST_CFLAGS) -Itests/bpf/host -MF $@.d $< $(UP_TO_trace) -lcmocka $(ALL_LIBS) -o $@

$(OUT)/tests/lint/%: tests/lint/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TEST_CFLAGS) -MF $@.d $< -lcmocka -o $@

$(OUT)/tests/e2e/test_unwind $(OUT)/tests/e2e/test_languages: TEST_CFLAGS += $(if $(RUSTC),-DWITH_RUST)

$(OUT)/tests/e2e/test_%: tests/e2e/suites/test_%.c $(KIT_O) $(UP_TO_cli) Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TEST_CFLAGS) -MF $@.d $< $(KIT_O) $(UP_TO_cli) -lcmocka $(ALL_LIBS) -o $@

$(OUT)/tests/e2e/kit/%.o: tests/e2e/kit/%.c Makefile | $(MESSAGES)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TEST_CFLAGS) -c $< -o $@

# The page's tests, and what they use of npm: versions and checksums are those of package-lock.json, the registry is npm's setting.
PAGE_TESTS := $(patsubst tests/page/%,$(OUT)/tests/page/%,$(wildcard tests/page/*.mjs))

PAGE_MODULES := $(OUT)/tests/page/node_modules/.package-lock.json

$(PAGE_MODULES): tests/page/package.json tests/page/package-lock.json
	@mkdir -p $(OUT)/tests/page
	$(call say,NPM,$@)
	$(Q)cp $^ $(OUT)/tests/page/ && cd $(OUT)/tests/page && npm ci --loglevel=error --ignore-scripts --no-audit --no-fund >/dev/null && touch $(abspath $@)

$(PAGE_TESTS): $(OUT)/tests/page/%.mjs: tests/page/%.mjs
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(OUT)/tests/page/numbers.js: $(PAGE)/numbers.js
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(addprefix $(OUT)/tests/e2e/test_,page page_edges page_gradual): | $(PAGE_MODULES) $(PAGE_TESTS) $(OUT)/tests/page/numbers.js

$(OUT)/tests/e2e/target_bare: KIND := -static -nostdlib -ffreestanding -fno-stack-protector
$(OUT)/tests/e2e/target_bare32: KIND := -m32 -static -nostdlib -ffreestanding -fno-stack-protector
$(OUT)/tests/e2e/target_static $(OUT)/tests/e2e/target_identity $(OUT)/tests/e2e/target_moving $(OUT)/tests/e2e/target_memory: KIND := -static
$(OUT)/tests/e2e/target_stripped $(OUT)/tests/e2e/target_nameless: KIND := -s
$(OUT)/tests/e2e/target_checked: KIND := -fsanitize=address
$(OUT)/tests/e2e/target_matrix: KIND := -Wl,-z,dynamic-undefined-weak

$(OUT)/tests/e2e/target_%: tests/e2e/targets/target_%.c Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(CC) $(TARGET_FLAGS) $(KIND) -MF $@.d $< -o $@

$(OUT)/tests/e2e/library_%.so: tests/e2e/targets/library.c Makefile
	@mkdir -p $(@D)
	$(call say,LIBRARY,$@)
	$(Q)$(CC) $(TARGET_FLAGS) -shared -fPIC -DKEEPS=$*_keeps -MF $@.d $< -o $@

$(OUT)/tests/e2e/target_%: tests/e2e/targets/target_%.cc Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(CXX) $(TARGET_FLAGS) -MF $@.d $< -o $@

$(OUT)/tests/e2e/target_%_clang: tests/e2e/targets/target_%.c Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(CLANG) $(TARGET_FLAGS) -MF $@.d $< -o $@

$(OUT)/tests/e2e/target_%_clang: tests/e2e/targets/target_%.cc Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(CLANG) $(TARGET_FLAGS) -MF $@.d $< -lstdc++ -lm -o $@

$(OUT)/tests/e2e/target_%: tests/e2e/targets/target_%.rs Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)MAKEFLAGS= RUSTC_BOOTSTRAP=1 $(RUSTC) --edition 2021 -O -g -C force-frame-pointers=no -o $@ $<

$(OUT)/tests/e2e/target_%_cet: tests/e2e/targets/target_%.c Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(CC) $(TARGET_FLAGS) -fcf-protection=full -MF $@.d $< -o $@

# A static program cannot have a preloaded shim: it is linked in.
SHIM_WRAPS := malloc calloc realloc reallocarray memalign aligned_alloc posix_memalign valloc pvalloc free
SHIM_LINK  := -DSHIM_STATIC tests/e2e/shims/shim_unwind.c $(SHIM_WRAPS:%=-Wl,--wrap=%)

$(OUT)/tests/e2e/target_%_static: tests/e2e/targets/target_%.c tests/e2e/shims/shim_unwind.c tests/e2e/shims/shim.c Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(CC) $(filter-out -M%,$(TARGET_FLAGS)) -static $< $(SHIM_LINK) -o $@

$(OUT)/tests/e2e/target_%_static_pie: tests/e2e/targets/target_%.c tests/e2e/shims/shim_unwind.c tests/e2e/shims/shim.c Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(CC) $(filter-out -M%,$(TARGET_FLAGS)) -static-pie $< $(SHIM_LINK) -o $@

# One program, linked with one allocator after another. An archive's must be requested by -u: weak references do not pull it in.
MATRIX_musl            := musl-gcc
MATRIX_PULL            := -Wl,$(subst $(eval) ,$(comma),$(foreach name,malloc calloc realloc reallocarray memalign aligned_alloc posix_memalign \
                          valloc free,-u $(name)))
MATRIX_musl_static     := musl-gcc -static $(MATRIX_PULL)
MATRIX_glibc_static    := $(CC) -static $(MATRIX_PULL),-u,pvalloc
MATRIX_jemalloc_static := $(CC) -static -Wl,-u,mallocx,-u,_Znwm
MATRIX_END_jemalloc_static := -Wl,--start-group -l:libjemalloc.a -lstdc++ -lm -lpthread -ldl -lc -lgcc_eh -Wl,--end-group

$(MATRIX_VARIANTS:%=$(OUT)/tests/e2e/target_matrix_%): $(OUT)/tests/e2e/target_matrix_%: tests/e2e/targets/target_matrix.c Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(MATRIX_$*) $(TARGET_FLAGS) -MF $@.d $< $(MATRIX_END_$*) -o $@

SHAPE_own   := OWN
SHAPE_calls := CALLS
SHAPE_plt   := PLT
SHAPE_mixed := MIXED

$(ALLOCATOR_SHAPES:%=$(OUT)/tests/e2e/allocator_%.so): $(OUT)/tests/e2e/allocator_%.so: tests/e2e/targets/allocator.c Makefile
	@mkdir -p $(@D)
	$(call say,LIBRARY,$@)
	$(Q)$(CC) -O2 -g -fno-builtin -shared -fPIC -Wall -Wextra -D_GNU_SOURCE -DSHAPE=$(SHAPE_$(*:_cet=)) \
		$(if $(filter %_cet,$*),-fcf-protection=full -Wl$(comma)-z$(comma)ibtplt) $< -o $@

# Its ELF header has no section table any longer: neither its place, nor how many sections there are.
$(OUT)/tests/e2e/allocator_bare.so: $(OUT)/tests/e2e/allocator_own.so
	$(call say,LIBRARY,$@)
	$(Q)strip -o $@ $<
	$(Q)dd if=/dev/zero of=$@ bs=1 seek=40 count=8 conv=notrunc status=none
	$(Q)dd if=/dev/zero of=$@ bs=1 seek=60 count=4 conv=notrunc status=none

# The same program, built as each name says: compiler, level, frame pointers, link.
MPROF_gcc := gcc
MPROF_clang := $(CLANG)
MPROF_O0 := -O0
MPROF_O2 := -O2
MPROF_fp := -fno-omit-frame-pointer
MPROF_nofp := -fomit-frame-pointer
MPROF_static-pie := -static-pie

$(MPROF_VARIANTS:%=$(OUT)/tests/e2e/mprof/%): $(OUT)/tests/e2e/mprof/%: tests/e2e/targets/mprof.c Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(foreach word,$(subst _, ,$*),$(MPROF_$(word))) -g -fno-optimize-sibling-calls -MMD -MP -MF $@.d $< -lffi -o $@

$(OUT)/tests/e2e/target_%: tests/e2e/targets/target_%.go Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)GOCACHE='$(abspath $(OUT))/go' GO111MODULE=off CGO_ENABLED=0 go build -o $@ $<

$(OUT)/tests/e2e/languages/program_go: tests/e2e/targets/languages/program.go Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)GOCACHE='$(abspath $(OUT))/go' GO111MODULE=off CGO_ENABLED=1 go build -o $@ $<

# Debian 13's Go, fetched once.
$(OUT)/tests/e2e/root_go: tests/e2e/kit/unpack.sh
	@mkdir -p $(@D)
	$(call say,UNPACK,$@)
	$(Q)tests/e2e/kit/unpack.sh --closure trixie $@ base-files golang-1.24-go && touch $@

GO_stripped := -ldflags '-s -w'
GO_pie := -buildmode=pie
GO_COMMAND_own := go
GO_COMMAND_1.24 := GOROOT='$(abspath $(OUT))/tests/e2e/root_go/usr/lib/go-1.24' '$(abspath $(OUT))/tests/e2e/root_go/usr/lib/go-1.24/bin/go'
GO_PROGRAM_go_heap := heap
GO_PROGRAM_go_ages := ages
$(GO_SHAPES:%=$(OUT)/tests/e2e/go_heap/1.24_%) $(GO_SHAPES:%=$(OUT)/tests/e2e/go_ages/1.24_%): | $(OUT)/tests/e2e/root_go
$(GO_HEAPS): $(OUT)/tests/e2e/%: $(wildcard tests/e2e/targets/go_heap/*.go) Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)$(if $(findstring cgo,$@),CGO_ENABLED=1,CGO_ENABLED=0) GOCACHE='$(abspath $(OUT))/go' GO111MODULE=off GOTOOLCHAIN=local \
		$(GO_COMMAND_$(firstword $(subst _, ,$(@F)))) build $(foreach word,$(subst _, ,$(@F)),$(GO_$(word))) -o $@ \
		tests/e2e/targets/go_heap/$(GO_PROGRAM_$(notdir $(@D))).go \
		tests/e2e/targets/go_heap/$(if $(findstring cgo,$@),with_c,plain).go

$(OUT)/tests/e2e/languages/program_rs: tests/e2e/targets/languages/program.rs Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)MAKEFLAGS= RUSTC_BOOTSTRAP=1 $(RUSTC) --edition 2021 -O -g -o $@ $<

$(OUT)/tests/e2e/languages/program_ml: tests/e2e/targets/languages/program.ml Makefile
	@mkdir -p $(@D)/ocaml
	$(call say,TARGET,$@)
	$(Q)cp $< $(@D)/ocaml && cd $(@D)/ocaml && ocamlopt -g program.ml -o ../program_ml

$(OUT)/tests/e2e/languages/deep_Java.class: tests/e2e/targets/languages/deep_Java.java Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)javac -nowarn -XDignore.symbol.file -d $(@D) $<

$(addprefix $(OUT)/tests/e2e/,shim.so shim_jemalloc.so shim_fault.so shim_rests.so): $(OUT)/tests/e2e/%.so: tests/e2e/shims/%.c Makefile
	@mkdir -p $(@D)
	$(call say,SHIM,$@)
	$(Q)$(CC) -shared -fPIC -O2 -g -Wall -Wextra -Werror -fno-omit-frame-pointer -D_GNU_SOURCE -MMD -MP -MF $@.d $< -o $@

$(OUT)/tests/e2e/shim_musl.so: tests/e2e/shims/shim_musl.c tests/e2e/shims/shim.c Makefile
	@mkdir -p $(@D)
	$(call say,SHIM,$@)
	$(Q)musl-gcc -shared -fPIC -O2 -g -Wall -Wextra -Werror -fno-omit-frame-pointer -D_GNU_SOURCE $< -o $@

$(foreach target,$(GUESTS) totals,$(OUT)/tests/e2e/target_$(target)_musl): $(OUT)/tests/e2e/target_%_musl: tests/e2e/targets/target_%.c Makefile
	@mkdir -p $(@D)
	$(call say,TARGET,$@)
	$(Q)musl-gcc $(TARGET_FLAGS) -MF $@.d $< -o $@

# Roots of containers: Debian 13's C library and shell, fetched once, and musl's loader; the programs have the same names in both.
$(OUT)/tests/e2e/root_glibc: tests/e2e/kit/unpack.sh
	@mkdir -p $(@D)
	$(call say,UNPACK,$@)
	$(Q)tests/e2e/kit/unpack.sh --closure trixie $@ base-files libc6 dash coreutils && touch $@

# An interpreter of Debian 13, for its allocator.
$(OUT)/tests/e2e/root_python: tests/e2e/kit/unpack.sh
	@mkdir -p $(@D)
	$(call say,UNPACK,$@)
	$(Q)tests/e2e/kit/unpack.sh --closure trixie $@ base-files libc6 dash python3.13-minimal libpython3.13-stdlib && touch $@

# Servers that would start if they were installed, so they are unpacked; then a check that they run.
$(OUT)/tests/e2e/servers: tests/e2e/kit/unpack.sh Makefile
	@mkdir -p $(@D)
	$(call say,UNPACK,$@)
	$(Q)tests/e2e/kit/unpack.sh $@ nginx prometheus '?promtool' '^postgresql-[0-9]+$$' '^postgresql-client-[0-9]+$$'
	$(Q){ $@/usr/sbin/nginx -e stderr -v 2>/dev/null && $@/usr/lib/postgresql/*/bin/postgres -V >/dev/null && \
		$@/usr/bin/promtool --version >/dev/null && touch $@; } || { rm -rf $@; false; }

$(OUT)/tests/e2e/image_glibc.tar: $(OUT)/tests/e2e/root_glibc $(GUESTS:%=$(OUT)/tests/e2e/target_%) $(OUT)/tests/e2e/shim.so
	$(call say,IMAGE,$@)
	$(Q)cp $(filter-out $<,$^) $</ && tar -C $< -cf $@ .

$(OUT)/tests/e2e/image_musl.tar: $(GUESTS:%=$(OUT)/tests/e2e/target_%_musl) $(OUT)/tests/e2e/shim_musl.so
	$(call say,IMAGE,$@)
	$(Q)mkdir -p $(@D)/root_musl/lib && cp -L /lib/ld-musl-x86_64.so.1 $(@D)/root_musl/lib/ && \
		for guest in $(GUESTS); do cp $(@D)/target_$${guest}_musl $(@D)/root_musl/target_$$guest; done && \
		cp $(@D)/shim_musl.so $(@D)/root_musl/shim.so && tar -C $(@D)/root_musl -cf $@ .

$(OUT)/tests/e2e/shim_unwind.so: tests/e2e/shims/shim_unwind.c Makefile
	@mkdir -p $(@D)
	$(call say,SHIM,$@)
	$(Q)$(CC) -shared -fPIC -O2 -g -Wall -Wextra -Werror -fno-omit-frame-pointer -D_GNU_SOURCE -MMD -MP -MF $@.d $< -lunwind -o $@

# The same but for names and, in blue, frame sizes; the plain ones have no build id that tells them apart.
$(OUT)/tests/e2e/swap_%.so: COLOUR = $(firstword $(subst _, ,$*))
$(OUT)/tests/e2e/swap_%.so: tests/e2e/targets/library_swap.c Makefile
	@mkdir -p $(@D)
	$(call say,LIBRARY,$@)
	$(Q)$(CC) -shared -fPIC -O2 -g -fomit-frame-pointer -fno-optimize-sibling-calls -Wall -Wextra -Werror \
		$(if $(findstring plain,$*),-Wl$(comma)--build-id=none) \
		-DINNER=$(COLOUR)_inner -DOUTER=$(COLOUR)_outer -DROOM=$(if $(findstring blue,$*),88,24) $< -o $@

# Ends what test programs leave running.
SUBREAPER  := $(OUT)/tests/subreaper
RUN_TESTS  := $(Q)OUT='$(OUT)' tests/run.sh

$(SUBREAPER): tests/subreaper.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) -D_GNU_SOURCE $< -o $@

unit-programs: $(UNIT_TESTS) $(SUBREAPER)
e2e-programs: $(E2E_TESTS) $(if $(E2E_TESTS),$(TARGETS)) $(OUT)/heaptap $(SUBREAPER)
asan-programs:
	$(Q)$(MAKE) --no-print-directory OUT=$(OUT)/asan $(SANITIZED) all $(ASAN_TESTS)

check unit: unit-programs ## unit tests and host-built BPF headers, without root
	$(RUN_TESTS) $(UNIT_TESTS)

asan: asan-programs $(SUBREAPER) ## the same under AddressSanitizer and UBSan
	$(RUN_TESTS) $(ASAN_TESTS)

e2e: e2e-programs ## record real programs and compare with the truth (root)
	$(RUN_TESTS) $(RUN_E2E)

# What tests do some times, as often as a release is worth.
STRESS := HEAPTAP_CYCLES=1000 $(OUT)/tests/e2e/test_running_sampler HEAPTAP_MOMENTS=500 $(OUT)/tests/e2e/test_injection_killed
stress: e2e-programs ## the sampler 1 000 times into running programs and out again, heaptap killed 500 times at it (root)
	$(RUN_TESTS) --root $(STRESS)

kernels: e2e-programs ## the end-to-end tests on Debian's kernels 6.1, 6.12 and newest, emulated (fetches them through apt)
	$(Q)OUT='$(OUT)' tests/kernels.sh

# Where stacks, probes and the sampler must get on with a libc and programs whose functions begin with endbr64.
CET_TESTS := exact frames inject inline leaks matrix new sampler unwind
cet: ## the end-to-end tests of stacks, probes and the sampler on a libc and programs built for CET (builds that libc; root)
	$(Q)$(AS_ROOT) env OUT='$(OUT)' tests/cet.sh $(MAKE) --no-print-directory OUT=$(OUT)/cet CC='$(CC) -fcf-protection' CXX='$(CXX) -fcf-protection' \
		T='$(CET_TESTS:%=e2e/test_%)' e2e

# All that .ci/run needs of it, which builds it before what it runs beside.
boot-programs: $(OUT)/heaptap $(OUT)/tests/e2e/target_leak
boot: boot-programs ## on 6.1 and 6.12 every BPF program must load, and a command be recorded, exactly and from inside
	$(Q)OUT='$(OUT)' HEAPTAP_KERNEL_TESTS= HEAPTAP_KERNEL_SECONDS=900 tests/kernels.sh 6.1 6.12

# What one compiler makes of a BPF program may be too complex for the verifier, what another makes is not.
OTHER_CLANGS := $(filter-out clang-$(firstword $(subst ., ,$(shell $(CLANG) -dumpversion 2>/dev/null))),$(notdir $(wildcard /usr/bin/clang-[1-9]*)))

# The program anew but for what has no BPF programs in it: the linker takes that from the archives of REST_OUT.
WITH_BPF  := $(patsubst %.c,$(OUT)/%.o,$(shell grep -lE '(bpf_internal|skel)\.h"' user/trace/*.c))
REST_OUT  ?= $(OUT)

$(OUT)/heaptap_rebuilt: $(WITH_BPF) $(patsubst $(OUT)/%,$(REST_OUT)/%,$(OUT)/user/cli/main.o $(UP_TO_cli))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(ALL_LIBS) -o $@

compilers: all ## BPF programs of the other versions of clang that are installed must load, in each way of attaching (root)
	$(Q)for clang in $(OTHER_CLANGS); do \
		$(MAKE) --no-print-directory OUT=$(OUT)/$$clang REST_OUT=$(OUT) CLANG=$$clang $(OUT)/$$clang/heaptap_rebuilt || exit 1; \
		for attach in session multi perf; do \
			$(AS_ROOT) env HEAPTAP_ATTACH=$$attach $(OUT)/$$clang/heaptap_rebuilt record -q -R 4096 --inline --follow --force \
				-o $(OUT)/$$clang/record -- /bin/true || exit 1; \
		done; \
	done

# How many stacks of each subcommand; 0: all.
FAULT_SITES ?= 0

faults: $(OUT)/tests/e2e/test_faults $(OUT)/tests/e2e/shim_fault.so $(addprefix $(OUT)/tests/e2e/target_,steps leak) $(OUT)/heaptap $(SUBREAPER) ## every call that can fail does, once; processes are killed at any moment (root, hours)
	$(Q)$(AS_ROOT) env HEAPTAP_FAULT_SITES='$(FAULT_SITES)' HEAPTAP_FAULT_MOMENTS=500 HEAPTAP_FAULT_PAUSE=10 $(OUT)/tests/e2e/test_faults

# Each fuzzer first runs its corpus (small, in the repository), then searches for FUZZ_SECONDS.
FUZZERS := $(patsubst tests/fuzz/%.c,$(OUT)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 10

# It has parts of a later room, without the libraries of that.
$(OUT)/tests/fuzz/fuzz_request: $(addprefix $(OUT)/user/serve/,request.o token.o)

$(OUT)/tests/fuzz/%: tests/fuzz/%.c $(UP_TO_format) Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TEST_CFLAGS) -fsanitize=fuzzer -MF $@.d $< $(filter %.o,$^) $(UP_TO_format) $(LIBS) -o $@

fuzz-programs: $(FUZZERS)
fuzz: ## search for hostile input that breaks what reads files, FUZZ_SECONDS each
	$(Q)$(MAKE) --no-print-directory OUT=$(OUT)/fuzz CC=$(CLANG) WARNINGS= fuzz-programs \
		SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
	$(Q)for fuzzer in $(FUZZERS:$(OUT)/tests/fuzz/%=%); do \
		mkdir -p $(OUT)/fuzz/corpus/$$fuzzer && $(OUT)/fuzz/tests/fuzz/$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-rss_limit_mb=2048 -artifact_prefix=$(OUT)/fuzz/ $(OUT)/fuzz/corpus/$$fuzzer \
			tests/fuzz/corpus/$$fuzzer || exit 1; \
	done

setup:
	$(Q).ci/setup build test

test: setup ## all the set-up, then every test there is (root for the last part; T=NAME: those with NAME in their name)
	@$(if $(T),:,echo 'make test: takes half an hour to an hour on two idle cores; make test T=NAME runs a part')
	$(Q)$(MAKE) --no-print-directory $(JOBS) all unit-programs e2e-programs $(if $(ASAN_TESTS)$(ASAN_E2E),asan-programs)
	$(RUN_TESTS) $(UNIT_TESTS) $(ASAN_TESTS) $(if $(E2E_TESTS),$(RUN_E2E)) \
		$(if $(ASAN_E2E),HEAPTAP=$(abspath $(OUT))/asan/heaptap $(call by_company,$(ASAN_E2E)))

# --- showing, measuring --------------------------------------------------------------------------------------------------
demo: ## all the set-up, then record a small server that leaks, and show where (root)
	$(Q).ci/setup build
	$(Q)$(MAKE) --no-print-directory $(JOBS) all $(OUT)/bench/example
	@$(if $(AS_ROOT),echo 'tracing needs root: asking sudo',:)
	$(AS_ROOT) $(OUT)/heaptap record --force -o $(OUT)/demo --interval 0.5 --html $(OUT)/demo.html -- $(OUT)/bench/example
	@$(if $(AS_ROOT),$(AS_ROOT) chown -R "$$(id -u):$$(id -g)" $(OUT)/demo $(OUT)/demo.html,:)

pictures: all $(OUT)/bench/example $(PAGE_MODULES) $(PAGE_TESTS) ## the pictures in docs/, anew (root, tmux, Chromium)
	$(AS_ROOT) docs/pictures/top.sh '$(abspath $(OUT))/heaptap' '$(abspath $(OUT))/bench/example' docs/top.png
	$(AS_ROOT) $(OUT)/heaptap record -q --interval 0.5 --force -o $(OUT)/pictures --html $(OUT)/pictures.html --mode 644 -- $(OUT)/bench/example
	node $(OUT)/tests/page/picture.mjs $(OUT)/pictures.html remember_visit docs/page.png
	gm mogrify +dither -colors 200 docs/page.png

# It links nothing, so its profile is its own.
$(OUT)/bench/example: bench/example.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fno-builtin -MMD -MP -MF $@.d $< -o $@

bench-programs: $(OUT)/heaptap $(PAGE_MODULES) $(PAGE_TESTS) $(OUT)/tests/e2e/test_languages $(LANGUAGES) $(addprefix $(OUT)/tests/e2e/go_ages/,own_plain 1.24_plain) $(foreach target,crowd filler growth leak static totals totals_musl,$(OUT)/tests/e2e/target_$(target)) $(patsubst bench/%.c,$(OUT)/bench/%,$(wildcard bench/*.c)) $(patsubst bench/%.go,$(OUT)/bench/%_go,$(wildcard bench/*.go))

$(OUT)/bench/%_go: bench/%.go Makefile
	@mkdir -p $(@D)
	$(call say,GO,$@)
	$(Q)GOCACHE='$(abspath $(OUT))/go' GO111MODULE=off CGO_ENABLED=0 go build -o $@ $<

$(OUT)/bench/%: bench/%.c $(UP_TO_cli) Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fno-builtin -MMD -MP -MF $@.d $< $(UP_TO_cli) $(ALL_LIBS) -o $@

bench: bench-programs ## every figure of the README, one script each (root)
	$(Q)status=0; for script in $(filter-out bench/soak.sh,$(wildcard bench/*.sh)); do echo "$$script:"; $(AS_ROOT) env OUT='$(abspath $(OUT))' $$script || status=1; done; \
		exit $$status

# --- looking after the sources -------------------------------------------------------------------------------------------
C_FILES := $(wildcard include/*.h bpf/*.[ch] user/*/*.[ch] user/inline/blob/*.[ch] user/cli/completion/*.c tests/*.c tests/*/*.[ch] tests/unit/*/*.[ch] tests/e2e/*/*.[ch] tests/e2e/*/*.cc tests/*/*.cc \
           bench/*.[ch])
SCRIPTS := $(wildcard user/format/page/*.sh $(COMPLETION)/*.bash .ci/setup .ci/run .ci/walls .ci/bpf_stack tests/*.sh tests/*/*.sh tests/e2e/*/*.sh bench/*.*sh findings/*.*sh vmlinux/*.sh docs/pictures/*.sh docs/contrib/*.sh docs/contrib/*/*.sh)

format: ## rewrite the sources in the house style
	$(Q)clang-format -i $(C_FILES)

# The verifier checks the BPF programs; targets do on purpose what no program should do; and clang-tidy does not know that
# cmocka's assertions do not return.
CHECK_FILES := $(filter-out bpf/% tests/e2e/targets/%,$(filter %.c,$(C_FILES)))
TIDY_FILES  := $(filter-out tests/%,$(CHECK_FILES))
TIDY_FLAGS := -std=gnu11 -D_GNU_SOURCE -DHEAPTAP_VERSION='"$(VERSION)"' -DSOURCE_DIR='""' -iquote user -iquote . -iquote tests \
              -iquote $(OUT)/gen

lint: all ## walls between rooms, the stack of the BPF programs, formatting, clang-tidy, cppcheck, scripts, man page
	$(call say,WALLS,)
	$(Q).ci/walls $(OUT)/user $(ROOMS)
	$(Q)for room in $(ROOMS); do grep -q "^| .user/$$room/. |" docs/design.md || { echo "docs/design.md: no row for user/$$room/"; exit 1; }; done
	$(call say,BPFSTACK,)
	$(Q).ci/bpf_stack $(OUT)/bpf/heaptap.linked.o
	$(call say,FORMAT,)
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(call say,CPPCHECK,)
	$(Q)cppcheck --quiet -j $(shell nproc) --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress='deallocuse:tests/*' \
		--suppress='nullPointerOutOfMemory:tests/*' --suppress='objectIndex:tests/bpf/*' --include=/usr/include/uthash.h \
		--include=/usr/include/bpf/libbpf_common.h -D__x86_64__ -Iuser -I. -Itests '-DHEAPTAP_VERSION=""' '-DSOURCE_DIR=""' $(CHECK_FILES)
	$(call say,TIDY,)
	$(Q)printf '%s\n' $(TIDY_FILES) | \
		xargs -P $(shell nproc) -I FILE clang-tidy --quiet FILE -- $(TIDY_FLAGS) 2>$(OUT)/tidy.log || { cat $(OUT)/tidy.log; false; }
	$(call say,SCRIPTS,)
	$(Q)shellcheck -x -P SCRIPTDIR -S warning $(SCRIPTS)
	$(call say,MANPAGE,)
	$(Q)mandoc -Tlint -Wwarning $(wildcard docs/*.8)

# --- installing ----------------------------------------------------------------------------------------------------------
install: all ## into $(DESTDIR)$(PREFIX)
	install -Dm755 $(OUT)/heaptap $(DESTDIR)$(PREFIX)/sbin/heaptap
	install -Dm644 docs/heaptap.8 $(DESTDIR)$(PREFIX)/share/man/man8/heaptap.8
	install -Dm644 $(OUT)/heaptap.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/heaptap

# What is committed, and nothing else: whoever makes it, wherever and whenever, gets the same bytes.
NAMED  := heaptap-$(VERSION)
# The time that all files of a package have.
COMMIT_TIME = $(shell git log -1 --format=%ct)

dist: ## the sources, build/heaptap-VERSION.tar.gz, the same bytes from every clone
	@git rev-parse --verify -q HEAD >/dev/null || { echo 'make dist: there is no git repository here; clone it'; exit 1; }
	@git diff --quiet HEAD || echo 'make dist: changes that are not committed are left out'
	@mkdir -p $(OUT)
	$(call say,DIST,$(OUT)/$(NAMED).tar.gz)
	$(Q)git -c tar.umask=0022 archive --format=tar --prefix=$(NAMED)/ HEAD | gzip -9n > $(OUT)/$(NAMED).tar.gz

# Packages of one version are told apart, and a newer Debian's takes the place of an older one's.
deb: dist ## a Debian package of the release that runs here, in build/deb
	$(Q).ci/setup build package
	$(Q)rm -rf $(OUT)/deb && mkdir -p $(OUT)/deb && tar -C $(OUT)/deb -xf $(OUT)/$(NAMED).tar.gz
	$(Q)cd $(OUT)/deb/$(NAMED) && docs/contrib/debian/assemble.sh $(VERSION) $(COMMIT_TIME) && \
		env -u OUT -u MAKEFLAGS dpkg-buildpackage --build=binary --no-sign --jobs=$(shell nproc)
	$(Q)cd $(OUT)/deb && lintian --fail-on error,warning --tag-display-limit 0 ./*.changes

packages: ## make deb in fresh roots of Debian 12 and 13, then install and run it in others (root)
	$(Q)OUT='$(OUT)' tests/packages.sh

reproducible: ## the tarball, the program and the package, each built in two directories, must be equal
	$(Q)OUT='$(OUT)' tests/reproducible.sh

clean: ## remove $(OUT)
	$(call say,CLEAN,$(OUT))
	$(Q)rm -rf $(OUT)

-include $(wildcard $(addprefix $(OUT)/,user/*/*.d inline/*.d bpf/*.d tests/*/*.d tests/unit/*/*.d tests/e2e/*/*.d bench/*.d))
