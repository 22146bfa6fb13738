/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/allocation_name.h"

#include <stdlib.h>
#include <string.h>

#include "profile/function_name.h"

#define FIRST  1
#define SECOND 2
#define THIRD  4

struct allocation {
	const char *name;
	u8 sizes;
};

/* Sorted, as bsearch wants them. */
static const struct allocation allocations[] = {
	{"AllocSetAlloc", SECOND},
	{"CRYPTO_malloc", FIRST},
	{"CRYPTO_realloc", SECOND},
	{"CRYPTO_zalloc", FIRST},
	{"MemoryContextAlloc", SECOND},
	{"MemoryContextAllocExtended", SECOND},
	{"MemoryContextAllocZero", SECOND},
	{"Perl_safesyscalloc", FIRST | SECOND},
	{"Perl_safesysmalloc", FIRST},
	{"Perl_safesysrealloc", SECOND},
	{"PyMem_Calloc", FIRST | SECOND},
	{"PyMem_Malloc", FIRST},
	{"PyMem_RawCalloc", FIRST | SECOND},
	{"PyMem_RawMalloc", FIRST},
	{"PyMem_RawRealloc", SECOND},
	{"PyMem_Realloc", SECOND},
	{"PyObject_Calloc", FIRST | SECOND},
	{"PyObject_Malloc", FIRST},
	{"PyObject_Realloc", SECOND},
	{"_PyMem_RawCalloc", SECOND | THIRD},
	{"_PyMem_RawMalloc", SECOND},
	{"_PyMem_RawRealloc", THIRD},
	{"_PyObject_Calloc", SECOND | THIRD},
	{"_PyObject_Malloc", SECOND},
	{"_PyObject_Realloc", THIRD},
	{"__libc_calloc", FIRST | SECOND},
	{"__libc_malloc", FIRST},
	{"__libc_memalign", SECOND},
	{"__libc_realloc", SECOND},
	{"_emalloc", FIRST},
	{"_erealloc", SECOND},
	{"_safe_emalloc", FIRST | SECOND},
	{"aligned_alloc", SECOND},
	{"apr_palloc", SECOND},
	{"av_calloc", FIRST | SECOND},
	{"av_malloc", FIRST},
	{"av_mallocz", FIRST},
	{"av_realloc", SECOND},
	{"calloc", FIRST | SECOND},
	{"caml_stat_alloc", FIRST},
	{"caml_stat_alloc_noexc", FIRST},
	{"emalloc", FIRST},
	{"g_malloc", FIRST},
	{"g_malloc0", FIRST},
	{"g_malloc0_n", FIRST | SECOND},
	{"g_malloc_n", FIRST | SECOND},
	{"g_realloc", SECOND},
	{"g_realloc_n", SECOND | THIRD},
	{"g_slice_alloc", FIRST},
	{"g_slice_alloc0", FIRST},
	{"g_try_malloc", FIRST},
	{"g_try_malloc0", FIRST},
	{"g_try_malloc_n", FIRST | SECOND},
	{"g_try_realloc", SECOND},
	{"je_aligned_alloc", SECOND},
	{"je_calloc", FIRST | SECOND},
	{"je_malloc", FIRST},
	{"je_mallocx", FIRST},
	{"je_rallocx", SECOND},
	{"je_realloc", SECOND},
	{"malloc", FIRST},
	{"mallocx", FIRST},
	{"memalign", SECOND},
	{"mi_calloc", FIRST | SECOND},
	{"mi_malloc", FIRST},
	{"mi_new", FIRST},
	{"mi_realloc", SECOND},
	{"mi_zalloc", FIRST},
	{"ngx_alloc", FIRST},
	{"ngx_calloc", FIRST},
	{"ngx_memalign", SECOND},
	{"ngx_palloc", SECOND},
	{"ngx_palloc_block", SECOND},
	{"ngx_palloc_large", SECOND},
	{"ngx_pcalloc", SECOND},
	{"ngx_pnalloc", SECOND},
	{"palloc", FIRST},
	{"palloc0", FIRST},
	{"palloc_extended", FIRST},
	{"pg_malloc", FIRST},
	{"pg_malloc0", FIRST},
	{"posix_memalign", THIRD},
	{"pvalloc", FIRST},
	{"rallocx", SECOND},
	{"realloc", SECOND},
	{"reallocarray", SECOND | THIRD},
	{"repalloc", SECOND},
	{"ruby_xcalloc", FIRST | SECOND},
	{"ruby_xmalloc", FIRST},
	{"ruby_xmalloc2", FIRST | SECOND},
	{"ruby_xrealloc", SECOND},
	{"ruby_xrealloc2", SECOND | THIRD},
	{"sqlite3DbMallocRaw", SECOND},
	{"sqlite3DbMallocRawNN", SECOND},
	{"sqlite3DbMallocZero", SECOND},
	{"sqlite3DbRealloc", THIRD},
	{"sqlite3Malloc", FIRST},
	{"sqlite3MallocZero", FIRST},
	{"sqlite3MemMalloc", FIRST},
	{"sqlite3MemRealloc", SECOND},
	{"sqlite3Realloc", SECOND},
	{"sqlite3_malloc", FIRST},
	{"sqlite3_malloc64", FIRST},
	{"sqlite3_realloc", SECOND},
	{"sqlite3_realloc64", SECOND},
	{"tc_malloc", FIRST},
	{"uv__calloc", FIRST | SECOND},
	{"uv__malloc", FIRST},
	{"uv__realloc", SECOND},
	{"uv__reallocf", SECOND},
	{"valloc", FIRST},
	{"xcalloc", FIRST | SECOND},
	{"xmalloc", FIRST},
	{"xmallocarray", FIRST | SECOND},
	{"xnmalloc", FIRST | SECOND},
	{"xrealloc", SECOND},
	{"xreallocarray", SECOND | THIRD},
	{"xzalloc", FIRST},
	{"zcalloc", FIRST},
	{"zcalloc_num", FIRST | SECOND},
	{"zmalloc", FIRST},
	{"zmalloc_usable", FIRST},
	{"zrealloc", SECOND},
	{"zrealloc_usable", SECOND},
	{"ztrycalloc", FIRST},
	{"ztrymalloc", FIRST},
	{"ztrymalloc_usable", FIRST},
	{"ztryrealloc", SECOND},
};

static int compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct allocation *)row)->name);
}

u8 allocation_name_sizes_of(const char *system_name)
{
	const struct allocation *found = bsearch(system_name, allocations, sizeof(allocations) / sizeof(allocations[0]),
						 sizeof(allocations[0]), compare);

	if (found)
		return found->sizes;
	return !strncmp(system_name, "_Znw", 4) || !strncmp(system_name, "_Zna", 4) ? FIRST : 0;
}

u8 allocation_name_sizes(const struct profile_line *line)
{
	u8 sizes = line->system_name ? allocation_name_sizes_of(line->system_name) : 0;

	if (sizes || !line->function)
		return sizes;
	/* A class's own. */
	return strstr(line->function, "::operator new(") || strstr(line->function, "::operator new[](") ? FIRST : 0;
}

/*
 * What languages and allocators put between a program and malloc, by the demangled name's beginning: C++'s operator new and
 * the allocators of its two libraries, Rust's __rust_alloc, what calls it, and what it calls; what jemalloc and mimalloc
 * do for an aligned operator new; and posix_memalign, which calls memalign in tcmalloc.
 */
bool allocation_name_is_internal(const struct profile_line *line)
{
	static const char *const names[] = {
		"operator new(",
		"operator new[](",
		"std::__new_allocator<",
		"std::allocator<",
		"std::__libcpp_operator_new<",
		"std::__libcpp_operator_new(",
		"std::__libcpp_allocate(",
		"std::__libcpp_allocate<",
		"std::__allocate_at_least<",
		"std::allocate_at_least<",
		"__rust_",
		"__gnu_cxx::new_allocator<",
		"std::allocator_traits<std::allocator<",
		"__rdl_",
		"__rustc::__rust_",
		"__rustc::__rdl_",
		"alloc::alloc::",
		"<alloc::alloc::Global",
		"alignedNewImpl(",
		"newImpl<",
		"fallbackNewImpl<",
	};
	static const char *const whole[] = {
		"posix_memalign", "tc_posix_memalign", "mi_posix_memalign",
		"mi_memalign",	  "mi_aligned_alloc",  "mi_new",
		"mi_new_nothrow", "mi_new_aligned",    "mi_new_aligned_nothrow",
		"mi_new_n",
	};

	const char *own = line->function ? function_name_own(line->function) : NULL;

	for (size_t i = 0; own && i < sizeof(names) / sizeof(names[0]); i++)
		if (function_name_begins(own, names[i]))
			return true;
	for (size_t i = 0; own && i < sizeof(whole) / sizeof(whole[0]); i++)
		if (!strcmp(line->function, whole[i]))
			return true;
	return false;
}

bool allocation_name_is_library(const char *path)
{
	static const char *const names[] = {"libjemalloc", "libtcmalloc", "libmimalloc"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}
