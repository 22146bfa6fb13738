/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/frame_role.h"

#include <fnmatch.h>
#include <string.h>

#include "profile/allocation_name.h"
#include "profile/function_name.h"

#define BELOW_MAX    6 /* frames of an allocator of the program's own, between it and malloc */
#define COUNT(table) (sizeof(table) / sizeof(*(table)))

const char *frame_role_name(enum frame_role role)
{
	static const char *const names[] = {
		[FRAME_PROGRAM] = "program",
		[FRAME_LIBRARY] = "library",
		[FRAME_WRAPPER] = "wrapper",
	};

	return names[role];
}

/*
 * Files whose code works for a program that is written in something else or on top of it: C and C++ libraries, allocators,
 * interpreters, and GLib's core, which gives C its containers.
 */
static bool is_library_file(const char *path)
{
	static const char *const patterns[] = {
		"libc.so.*",
		"libc-2.*.so",
		"ld-linux*.so*",
		"ld-2.*.so",
		"ld-musl-*",
		"libc.musl-*",
		"libstdc++.so*",
		"libc++.so*",
		"libc++abi.so*",
		"libgcc_s.so*",
		"libpthread*.so*",
		"libjemalloc*.so*",
		"libtcmalloc*",
		"libmimalloc*",
		"libglib-2.0.so*",
		"libgobject-2.0*",
		"libpython*.so*",
		"python",
		"python[23]*",
		"node",
		"nodejs",
		"libnode.so*",
		"libjvm.so",
		"perl",
		"perl5*",
		"libperl.so*",
		"ruby",
		"ruby[0-9]*",
		"libruby*.so*",
		"php",
		"php[0-9]*",
		"php-fpm*",
		"beam.smp",
	};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < COUNT(patterns); i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return false;
}

/* Source files of C++'s and Rust's libraries, whose code is compiled into programs. */
static bool is_library_source(const char *file)
{
	return file && (strstr(file, "/include/c++/") || !strncmp(file, "/rustc/", 7));
}

static bool is_library_name(const char *function)
{
	static const char *const names[] = {
		"std::", "__gnu_cxx::", "alloc::", "core::", "hashbrown::", "<alloc::", "<core::", "<std::", "runtime.",
	};
	/* What leads to main, in the program's own file; and what is not known. */
	static const char *const whole[] = {"_start", "__libc_csu_init", "__libc_start_main", "__libc_start_call_main",
					    PROFILE_TRUNCATED};

	const char *own = function_name_own(function);

	for (size_t i = 0; i < COUNT(names); i++)
		if (function_name_begins(own, names[i]))
			return true;
	for (size_t i = 0; i < COUNT(whole); i++)
		if (!strcmp(function, whole[i]))
			return true;
	return false;
}

/* The C library's own, also where that is in the program's file. */
static bool maps_memory(const char *function)
{
	static const char *const whole[] = {"mmap", "mmap64", "__mmap", "__mmap64", "mremap", "__mremap",
					    "brk",  "__brk",  "sbrk",	"__sbrk",   "shmat"};

	for (size_t i = 0; i < COUNT(whole); i++)
		if (!strcmp(function, whole[i]))
			return true;
	return false;
}

static enum frame_role role_of(const struct profile_line *line, bool library, const regex_t *skip)
{
	if (line->role == FRAME_WRAPPER || allocation_name_sizes(line) || allocation_name_is_internal(line) ||
	    (skip && !regexec(skip, line->function, 0, NULL, 0)))
		return FRAME_WRAPPER;
	return library || is_library_source(line->file) || is_library_name(line->function) ? FRAME_LIBRARY
											   : FRAME_PROGRAM;
}

static void mark_location(const struct profile *profile, struct profile_location *location, const regex_t *skip)
{
	const char *path = NULL;
	bool library;

	if (location->mapping < profile->mapping_count)
		path = profile->mappings[location->mapping].path;
	library = path && is_library_file(path);
	location->role = library ? FRAME_LIBRARY : FRAME_PROGRAM;
	for (u32 i = 0; i < location->line_count; i++)
		location->lines[i].role = profile->kind == PROFILE_REGIONS && maps_memory(location->lines[i].function)
						  ? FRAME_WRAPPER
						  : role_of(&location->lines[i], library, skip);
	location->allocates = location->line_count && allocation_name_sizes(&location->lines[location->line_count - 1]);
}

/* What works for a function that is known to allocate is part of it, with a name or without. */
static void mark_below(const struct profile *profile, const struct profile_sample *sample)
{
	u32 known = sample->depth < BELOW_MAX ? sample->depth : BELOW_MAX;

	while (known && !profile->locations[sample->location[known - 1]].allocates)
		known--;
	for (u32 frame = profile_sample_is_allocators(profile, sample); frame < known; frame++) {
		struct profile_location *location = &profile->locations[sample->location[frame]];

		location->role = FRAME_WRAPPER;
		for (u32 i = 0; i < location->line_count; i++)
			location->lines[i].role = FRAME_WRAPPER;
	}
}

void frame_roles_mark(struct profile *profile, const regex_t *skip)
{
	for (u32 i = 0; i < profile->location_count; i++)
		mark_location(profile, &profile->locations[i], skip);
	for (u32 i = 0; i < profile->sample_count; i++)
		mark_below(profile, &profile->samples[i]);
}
