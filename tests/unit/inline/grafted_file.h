/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Copies of this machine's allocators with the sampler in them, made into the current directory. R is 64 bytes, so that most calls
 * take the sampler's slow way; its sites are nops, as nothing is attached to them. Include cmocka first.
 */
#include <dlfcn.h>
#include <gnu/libc-version.h>

#include "inline/graft.h"
#include "binary/elf.h"
#include "probe/plan.h"
#include "unit/binary/shell.h"
#include "unit/system/scratch.h"

#define MUSL	 "/lib/ld-musl-x86_64.so.1"
#define JEMALLOC "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
#define TCMALLOC "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4"
#define MIMALLOC "/usr/lib/x86_64-linux-gnu/libmimalloc.so"

static const struct sampler_settings graft_settings = {.sample_bytes = 64, .session = 4711, .memory_bytes = 1ULL << 40};

static inline struct elf *open_elf(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf *elf = NULL;

	assert_true(fd >= 0);
	assert_int_equal(elf_open(fd, path, &elf), 0);
	return elf;
}

static inline const char *libc_path(void)
{
	Dl_info libc;

	assert_true(dladdr((void *)gnu_get_libc_version, &libc));
	return libc.dli_fname;
}

/* Into the current directory, as heaptap writes its copies. */
static inline void write_copy(struct elf *elf, const struct graft *graft, const char *to)
{
	struct file_copies *set = calloc(1, sizeof(*set));

	assert_non_null(set);
	set->tree = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_copies_add(set, elf_fd(elf), &graft->change), 0);
	file_copies_free(set);
	assert_int_equal(rename("0", to), 0);
}

/* A copy of `path` with the sampler in it, under the name `to`. */
static inline struct graft graft_file_with(struct custom_allocator *pools, const char *path, const char *to)
{
	struct elf *elf = open_elf(path);
	struct graft graft;
	struct plan plan;

	assert_int_equal(plan_make(elf, pools, &plan), 0);
	assert_int_equal(graft_make(elf, &plan, &graft_settings, &graft), 0);
	assert_string_equal(graft.reason, "");
	write_copy(elf, &graft, to);
	elf_free(elf);
	return graft;
}

static inline struct graft graft_file(const char *path, const char *to)
{
	return graft_file_with(NULL, path, to);
}

static inline void must_graft(const char *path, const char *to)
{
	struct graft graft = graft_file(path, to);

	graft_release(&graft);
}
