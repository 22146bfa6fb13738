/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A family is one row of `families` and one array of its functions. A file that defines the markers belongs to the family.
 *
 * An allocation must be counted once, however many of these functions it goes through. A call from one probed function to
 * another is recognized by the return address. A jump from one to another leaves no trace: so one of such a pair has no
 * probe (`passing`, where it always jumps), or the kind of the call says which of both counts it.
 */
#include <string.h>

#include "probe/allocator.h"

#define ROW(passing_, symbol_, kind_, ...)                                                                             \
	{                                                                                                              \
		.symbol = (symbol_), .kind = (kind_), .arg = {__VA_ARGS__}, .passing = (passing_)                      \
	}
#define PROBED(...) ROW(PASSING_NO, __VA_ARGS__)
#define EITHER(...) ROW(PASSING_BY_JUMP, __VA_ARGS__)
#define PASSES(...) ROW(PASSING_BY_CODE, __VA_ARGS__)

/*
 * Operators that throw name the one that does not, where a delete may get its blocks as well. Where malloc is as good it is
 * better, since it does not call the program's new_handler.
 */
#define THROWS(passing_, symbol_, nothrow_, kind_, ...)                                                                \
	{                                                                                                              \
		.symbol = (symbol_), .kind = (kind_), .arg = {__VA_ARGS__}, .passing = (passing_),                     \
		.nothrow = (nothrow_)                                                                                  \
	}

/*
 * glibc. Aliases (cfree and free; memalign and aligned_alloc up to 2.37; everything named __libc_*) share an address,
 * so one name of each is enough. pvalloc books the size that was asked for, not the whole pages it hands out.
 * reallocarray jumps to realloc, and free_sized and free_aligned_sized (2.43 on) forward to free, all three through the
 * PLT so that a replaced allocator is obeyed: the functions behind have the probes.
 *
 * Probed functions that end in a jump to malloc, which then sees their caller as its own: realloc of NULL, and
 * aligned_alloc and memalign of an alignment up to 16. (posix_memalign calls, so malloc sees an address inside
 * posix_memalign.)
 */
static const struct allocator_function glibc_functions[] = {
	PROBED("malloc", CALL_MALLOC, 1),
	PROBED("calloc", CALL_CALLOC, 1, 2),
	PROBED("realloc", CALL_REALLOC, 1, 2),
	PASSES("reallocarray", CALL_RESIZE_ARRAY, 1, 2, 3),
	PROBED("aligned_alloc", CALL_ALIGNED, 1, 2),
	PROBED("memalign", CALL_ALIGNED, 1, 2),
	PROBED("posix_memalign", CALL_POSIX_MEMALIGN, 1, 3),
	PROBED("valloc", CALL_MALLOC, 1),
	PROBED("pvalloc", CALL_MALLOC, 1),
	PROBED("free", CALL_FREE, 1),
	PROBED("cfree", CALL_FREE, 1),
	PASSES("free_sized", CALL_FREE, 1),
	PASSES("free_aligned_sized", CALL_FREE, 1),
};

/*
 * musl from 1.2.2 on (mallocng). calloc calls malloc; memalign jumps to aligned_alloc, valloc to memalign, reallocarray
 * to realloc. posix_memalign calls aligned_alloc, and has a probe because its own frame could not be unwound: musl comes
 * without unwind information. realloc serves NULL itself, and size 0 with a block.
 */
static const struct allocator_function musl_functions[] = {
	PROBED("malloc", CALL_MALLOC, 1),
	PROBED("calloc", CALL_CALLOC, 1, 2),
	PROBED("realloc", CALL_RESIZE, 1, 2),
	PASSES("reallocarray", CALL_RESIZE_ARRAY, 1, 2, 3),
	PROBED("aligned_alloc", CALL_MALLOC, 2),
	PASSES("memalign", CALL_MALLOC, 2),
	PROBED("posix_memalign", CALL_POSIX_MEMALIGN, 1, 3),
	PASSES("valloc", CALL_MALLOC, 1),
	PROBED("free", CALL_FREE, 1),
};

/*
 * jemalloc 5. The C functions have bodies of their own and never call each other; realloc of size 0 frees or not, as it
 * was built. xallocx resizes in place: the object keeps the size it had. C++'s operators stand in a file of their own:
 * the aligned ones call aligned_alloc, delete jumps to free or, aligned and with a size, to sdallocx; new and sized
 * delete have the fast path of malloc and free in them. A new[] that only jumps to new is recognized by its code. A new that
 * fails, and is called again after its program's new_handler has made room, calls malloc then, which counts it too.
 */
static const struct allocator_function jemalloc_functions[] = {
	PROBED("malloc", CALL_MALLOC, 1),
	PROBED("calloc", CALL_CALLOC, 1, 2),
	PROBED("realloc", CALL_RESIZE, 1, 2),
	PROBED("aligned_alloc", CALL_MALLOC, 2),
	PROBED("memalign", CALL_MALLOC, 2),
	PROBED("posix_memalign", CALL_POSIX_MEMALIGN, 1, 3),
	PROBED("valloc", CALL_MALLOC, 1),
	PROBED("pvalloc", CALL_MALLOC, 1),
	PROBED("mallocx", CALL_MALLOC, 1),
	PROBED("rallocx", CALL_RESIZE, 1, 2),
	PROBED("free", CALL_FREE, 1),
	PROBED("cfree", CALL_FREE, 1),
	PROBED("dallocx", CALL_FREE, 1),
	PROBED("sdallocx", CALL_FREE, 1),
	PROBED("free_sized", CALL_FREE, 1),
	PROBED("free_aligned_sized", CALL_FREE, 1),
	THROWS(PASSING_NO, "_Znwm", "malloc", CALL_NEW, 1),
	THROWS(PASSING_NO, "_Znam", "malloc", CALL_NEW, 1),
	PROBED("_ZnwmRKSt9nothrow_t", CALL_MALLOC, 1),
	PROBED("_ZnamRKSt9nothrow_t", CALL_MALLOC, 1),
	PROBED("_ZdlPvm", CALL_FREE, 1),
	PROBED("_ZdaPvm", CALL_FREE, 1),
};

/*
 * gperftools' tcmalloc; everything is also named tc_*, at the same addresses. posix_memalign calls memalign, valloc and
 * pvalloc jump to it (and pvalloc has rounded up to whole pages, which are then booked). realloc serves NULL itself,
 * and frees at size 0. Sized delete jumps to free now and then, which finds nothing left to end. The debugging libraries
 * check that what new, new[] and malloc made is freed by their own counterparts.
 */
static const struct allocator_function tcmalloc_functions[] = {
	PROBED("malloc", CALL_MALLOC, 1),
	PROBED("tc_malloc", CALL_MALLOC, 1),
	PROBED("tc_malloc_skip_new_handler", CALL_MALLOC, 1),
	PROBED("calloc", CALL_CALLOC, 1, 2),
	PROBED("tc_calloc", CALL_CALLOC, 1, 2),
	PROBED("realloc", CALL_RESIZE, 1, 2),
	PROBED("tc_realloc", CALL_RESIZE, 1, 2),
	PROBED("memalign", CALL_MALLOC, 2),
	PROBED("aligned_alloc", CALL_MALLOC, 2),
	PROBED("tc_memalign", CALL_MALLOC, 2),
	PASSES("posix_memalign", CALL_POSIX_MEMALIGN, 1, 3),
	PASSES("valloc", CALL_MALLOC, 1),
	PASSES("pvalloc", CALL_MALLOC, 1),
	PROBED("free", CALL_FREE, 1),
	PROBED("tc_free", CALL_FREE, 1),
	THROWS(PASSING_NO, "_Znwm", "_ZnwmRKSt9nothrow_t", CALL_NEW, 1),
	THROWS(PASSING_NO, "_Znam", "_ZnamRKSt9nothrow_t", CALL_NEW, 1),
	PROBED("_ZnwmRKSt9nothrow_t", CALL_MALLOC, 1),
	PROBED("_ZnamRKSt9nothrow_t", CALL_MALLOC, 1),
	THROWS(PASSING_NO, "_ZnwmSt11align_val_t", "_ZnwmSt11align_val_tRKSt9nothrow_t", CALL_NEW, 1),
	THROWS(PASSING_NO, "_ZnamSt11align_val_t", "_ZnamSt11align_val_tRKSt9nothrow_t", CALL_NEW, 1),
	PROBED("_ZnwmSt11align_val_tRKSt9nothrow_t", CALL_MALLOC, 1),
	PROBED("_ZnamSt11align_val_tRKSt9nothrow_t", CALL_MALLOC, 1),
	PROBED("_ZdlPvm", CALL_FREE, 1),
	PROBED("_ZdaPvm", CALL_FREE, 1),
	PROBED("_ZdlPvRKSt9nothrow_t", CALL_FREE, 1),
	PROBED("_ZdaPvRKSt9nothrow_t", CALL_FREE, 1),
	PROBED("_ZdlPvSt11align_val_t", CALL_FREE, 1),
	PROBED("_ZdaPvSt11align_val_t", CALL_FREE, 1),
	PROBED("_ZdlPvmSt11align_val_t", CALL_FREE, 1),
	PROBED("_ZdaPvmSt11align_val_t", CALL_FREE, 1),
	PROBED("_ZdlPvSt11align_val_tRKSt9nothrow_t", CALL_FREE, 1),
	PROBED("_ZdaPvSt11align_val_tRKSt9nothrow_t", CALL_FREE, 1),
};

/*
 * mimalloc 2 and 3, the shared library. Nearly everything is a few instructions and a jump: a function without a heap
 * argument to the one with it, aligned ones to *_aligned_at, array forms to the plain ones after the product, C's names
 * and C++'s operators to mi_* (or they are the same). Those at the end of such chains have the probes. The aligned
 * reallocs end in unnamed code that calls mi_heap_malloc_aligned_at and mi_free. C++'s operators
 * have bodies of their own in 2.0 and all end in mi_heap_alloc_new in 3.0. valloc books
 * what is asked for, pvalloc whole pages. From 3.0 on strdup and strndup are its own, and do not enter its malloc.
 */
static const struct allocator_function mimalloc_functions[] = {
	PROBED("malloc", CALL_MALLOC, 1),
	PROBED("mi_malloc", CALL_MALLOC, 1),
	PROBED("mi_malloc_small", CALL_MALLOC, 1),
	PROBED("mi_zalloc", CALL_MALLOC, 1),
	PROBED("mi_zalloc_small", CALL_MALLOC, 1),
	PROBED("calloc", CALL_CALLOC, 1, 2),
	PROBED("mi_calloc", CALL_CALLOC, 1, 2),
	PASSES("mi_mallocn", CALL_CALLOC, 1, 2),
	PROBED("mi_heap_malloc", CALL_MALLOC, 2),
	PROBED("mi_heap_malloc_small", CALL_MALLOC, 2),
	PROBED("mi_heap_zalloc", CALL_MALLOC, 2),
	PROBED("mi_heap_calloc", CALL_CALLOC, 2, 3),
	PROBED("mi_heap_mallocn", CALL_CALLOC, 2, 3),
	PASSES("realloc", CALL_RESIZE, 1, 2),
	PASSES("mi_realloc", CALL_RESIZE, 1, 2),
	PASSES("mi_rezalloc", CALL_RESIZE, 1, 2),
	PROBED("mi_heap_realloc", CALL_RESIZE, 2, 3),
	PROBED("mi_heap_rezalloc", CALL_RESIZE, 2, 3),
	PASSES("mi_malloc_aligned", CALL_MALLOC, 1),
	PASSES("mi_zalloc_aligned", CALL_MALLOC, 1),
	PASSES("mi_heap_malloc_aligned", CALL_MALLOC, 2),
	PROBED("mi_heap_malloc_aligned_at", CALL_MALLOC, 2),
	PROBED("mi_heap_zalloc_aligned_at", CALL_MALLOC, 2),
	PASSES("mi_realloc_aligned", CALL_RESIZE, 1, 2),
	PASSES("mi_rezalloc_aligned", CALL_RESIZE, 1, 2),
	PROBED("mi_heap_realloc_aligned", CALL_RESIZE, 2, 3),
	PROBED("mi_heap_realloc_aligned_at", CALL_RESIZE, 2, 3),
	PROBED("mi_heap_rezalloc_aligned", CALL_RESIZE, 2, 3),
	PROBED("mi_heap_rezalloc_aligned_at", CALL_RESIZE, 2, 3),
	PROBED("free", CALL_FREE, 1),
	PROBED("mi_free", CALL_FREE, 1),
	THROWS(PASSING_BY_JUMP, "_Znwm", "mi_malloc", CALL_NEW, 1),
	THROWS(PASSING_BY_JUMP, "_Znam", "mi_malloc", CALL_NEW, 1),
	PASSES("mi_strdup", CALL_DUPLICATE, 0),
	PASSES("mi_strndup", CALL_DUPLICATE, 0),
	PASSES("mi_heap_strdup", CALL_DUPLICATE, 0),
	PASSES("mi_heap_strndup", CALL_DUPLICATE, 0),
	THROWS(PASSING_BY_JUMP, "mi_new", "mi_malloc", CALL_NEW, 1),
	THROWS(PASSING_BY_JUMP, "mi_new_n", "mi_mallocn", CALL_NEW_ARRAY, 1, 2),
	THROWS(PASSING_NO, "mi_heap_alloc_new", "mi_heap_malloc", CALL_NEW, 2),
	THROWS(PASSING_BY_JUMP, "mi_heap_alloc_new_n", "mi_heap_mallocn", CALL_NEW_ARRAY, 2, 3),
	PROBED("mi_new_nothrow", CALL_MALLOC, 1),
};

/*
 * Firefox's, in its program: a jemalloc of its own, whose malloc and others are served as standard names
 * are, and which gives the engines (strings, arrays, the DOM) memory of arenas. Each function with an arena leads to its
 * namesake by a pointer, behind which a library for debugging may be, and never to malloc.
 */
static const struct allocator_function mozjemalloc_functions[] = {
	PROBED("moz_arena_malloc", CALL_MALLOC, 2),	PROBED("moz_arena_calloc", CALL_CALLOC, 2, 3),
	PROBED("moz_arena_realloc", CALL_RESIZE, 2, 3), PROBED("moz_arena_memalign", CALL_MALLOC, 3),
	PROBED("moz_arena_free", CALL_FREE, 2),
};

/*
 * CPython's allocator of small objects, of which the file's tables tell where it is (pymalloc.h). The first argument is a context. realloc
 * hands blocks of malloc's on to realloc, by jumps. NULL it serves in its own code or, where that has a jump to the first of these, there.
 */
static const struct allocator_function pymalloc_functions[] = {
	PROBED("_PyObject_Malloc", CALL_MALLOC, 2),
	PROBED("_PyObject_Calloc", CALL_CALLOC, 2, 3),
	PROBED("_PyObject_Realloc", CALL_RESIZE, 2, 3),
	PROBED("_PyObject_Free", CALL_FREE, 2),
};

/*
 * Any allocator's functions that are known by their names alone. What an implementation does within is found out from its
 * code: most of them only lead to others. realloc may treat NULL and size 0 in any way. Sizes that jump from one function
 * to the other are those asked for.
 */
#define NEW(suffix, nothrow)                                                                                           \
	THROWS(PASSING_BY_CODE, "_Znwm" suffix, "_Znwm" nothrow, CALL_NEW, 1),                                         \
		THROWS(PASSING_BY_CODE, "_Znam" suffix, "_Znam" nothrow, CALL_NEW, 1)
#define NOTHROW(suffix) PASSES("_Znwm" suffix, CALL_MALLOC, 1), PASSES("_Znam" suffix, CALL_MALLOC, 1)
#define DELETE(suffix)	PASSES("_ZdlPv" suffix, CALL_FREE, 1), PASSES("_ZdaPv" suffix, CALL_FREE, 1)
static const struct allocator_function standard_functions[] = {
	PASSES("malloc", CALL_MALLOC, 1),
	PASSES("calloc", CALL_CALLOC, 1, 2),
	/* One that calls malloc may end the old block by code of its own. */
	EITHER("realloc", CALL_RESIZE, 1, 2),
	PASSES("reallocarray", CALL_RESIZE_ARRAY, 1, 2, 3),
	PASSES("aligned_alloc", CALL_MALLOC, 2),
	PASSES("memalign", CALL_MALLOC, 2),
	PASSES("posix_memalign", CALL_POSIX_MEMALIGN, 1, 3),
	PASSES("valloc", CALL_MALLOC, 1),
	PASSES("pvalloc", CALL_MALLOC, 1),
	PASSES("free", CALL_FREE, 1),
	PASSES("cfree", CALL_FREE, 1),
	PASSES("free_sized", CALL_FREE, 1),
	PASSES("free_aligned_sized", CALL_FREE, 1),
	PASSES("strdup", CALL_DUPLICATE, 0),
	PASSES("strndup", CALL_DUPLICATE, 0),
	PASSES("__strdup", CALL_DUPLICATE, 0),
	PASSES("__strndup", CALL_DUPLICATE, 0),
	/* Without the hint, which stands elsewhere among the other's arguments. */
	NEW("", "RKSt9nothrow_t"),
	NEW("St11align_val_t", "St11align_val_tRKSt9nothrow_t"),
	NEW("12__hot_cold_t", "RKSt9nothrow_t"),
	NEW("St11align_val_t12__hot_cold_t", "St11align_val_tRKSt9nothrow_t"),
	NOTHROW("RKSt9nothrow_t"),
	NOTHROW("St11align_val_tRKSt9nothrow_t"),
	NOTHROW("RKSt9nothrow_t12__hot_cold_t"),
	NOTHROW("St11align_val_tRKSt9nothrow_t12__hot_cold_t"),
	DELETE(""),
	DELETE("m"),
	DELETE("RKSt9nothrow_t"),
	DELETE("St11align_val_t"),
	DELETE("mSt11align_val_t"),
	DELETE("St11align_val_tRKSt9nothrow_t"),
};

#define FUNCTIONS(array) .functions = (array), .function_count = sizeof(array) / sizeof((array)[0])

static const struct allocator families[] = {
	/*
	 * glibc's marker is exported by every shared glibc, and in .symtab of every static program that has glibc's
	 * malloc: both come from the same object file, so a program linked with a replacement has neither.
	 * __libc_malloc would not do: tcmalloc, jemalloc and mimalloc define it for just that purpose, and musl has one
	 * of its own. gnu_get_libc_version would not either: a static program lacks it unless it calls it.
	 */
	{.name = "glibc", .prefix = "", .markers = {"__libc_mallopt"}, FUNCTIONS(glibc_functions)},
	/*
	 * musl's loader is called by this name, and reallocarray is younger than mallocng; before it realloc and
	 * memalign jumped to malloc. In a static program the allocator's own name is to be seen.
	 */
	{.name = "musl", .prefix = "", .markers = {"__dls3", "reallocarray"}, FUNCTIONS(musl_functions)},
	{.name = "static musl",
	 .prefix = "",
	 .markers = {"__libc_malloc_impl", "__malloc_alloc_meta"},
	 FUNCTIONS(musl_functions)},
	{.name = "jemalloc",
	 .prefix = "",
	 .markers = {"mallocx", "mallctl"},
	 .replaces = true,
	 FUNCTIONS(jemalloc_functions)},
	{.name = "jemalloc (je_)",
	 .prefix = "je_",
	 .markers = {"je_mallocx", "je_mallctl"},
	 FUNCTIONS(jemalloc_functions)},
	{.name = "jemalloc (_rjem_)",
	 .prefix = "_rjem_",
	 .markers = {"_rjem_mallocx", "_rjem_mallctl"},
	 FUNCTIONS(jemalloc_functions)},
	{.name = "tcmalloc", .prefix = "", .markers = {"tc_malloc"}, .replaces = true, FUNCTIONS(tcmalloc_functions)},
	{.name = "mimalloc",
	 .prefix = "",
	 .markers = {"mi_malloc"},
	 .replaces = true,
	 .nests = true,
	 FUNCTIONS(mimalloc_functions)},
	{.name = "mozjemalloc",
	 .prefix = "",
	 .markers = {"moz_arena_malloc", "moz_arena_free"},
	 .replaces = true,
	 .nests = true,
	 FUNCTIONS(mozjemalloc_functions)},
	{.name = "CPython",
	 .prefix = "",
	 .markers = {"PyObject_Malloc", "PyMem_SetAllocator"},
	 .small = true,
	 FUNCTIONS(pymalloc_functions)},
};

static const struct allocator standard = {
	.name = "an allocator of no known family", .prefix = "", .nests = true, FUNCTIONS(standard_functions)};

_Static_assert(sizeof(families) / sizeof(families[0]) <= ALLOCATOR_FAMILIES_MAX, "families");

const struct allocator *allocator_table(unsigned int *ret_count)
{
	*ret_count = sizeof(families) / sizeof(families[0]);
	return families;
}

const struct allocator *allocator_standard(void)
{
	return &standard;
}

unsigned int allocator_marker(const struct allocator *allocator, const char *symbol)
{
	for (unsigned int i = 0; i < 2; i++)
		if (allocator->markers[i] && !strcmp(symbol, allocator->markers[i]))
			return i + 1;
	return 0;
}

const struct allocator_function *allocator_find(const struct allocator *allocator, const char *symbol)
{
	size_t length = strlen(allocator->prefix);

	if (strncmp(symbol, allocator->prefix, length) != 0 || (length && !strncmp(symbol + length, "_Z", 2)))
		return NULL;
	for (unsigned int i = 0; i < allocator->function_count; i++)
		if (strcmp(allocator->functions[i].symbol, symbol + length) == 0)
			return &allocator->functions[i];
	return NULL;
}

unsigned int allocator_arguments(const struct allocator_function *function)
{
	unsigned int mask = 0;

	for (unsigned int i = 0; i < ALLOCATOR_ARGS_MAX; i++)
		if (function->arg[i])
			mask |= 1u << (function->arg[i] - 1);
	return mask;
}
