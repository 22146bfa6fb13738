/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The functions of all allocators that heaptap knows: how each is called, and which of them this program has. They are
 * found by weak references, so that one source is built for all allocators.
 */
enum shape {
	SIZE,
	SIZE_PAGES, /* booked in whole pages where pvalloc's work is done by a function that is asked for them */
	SIZE_FLAGS,
	NOTHROW,
	COUNT,
	ALIGN_SIZE,
	SIZE_ALIGN,
	SIZE_ALIGN_NOTHROW,
	POSIX,
	RESIZE,
	RESIZE_FLAGS,
	RESIZE_COUNT,
	RESIZE_ALIGN,
	HEAP_SIZE,
	HEAP_COUNT,
	HEAP_SIZE_ALIGN,
	HEAP_RESIZE,
	HEAP_RESIZE_ALIGN,
	STRING,
	STRING_MOST,
	FREE,
	FREE_NOTHROW,
	FREE_ALIGN,
	FREE_ALIGN_NOTHROW,
	FREE_FLAGS,
	FREE_SIZE,
	FREE_SIZE_FLAGS,
	FREE_SIZE_ALIGN,
};

#define FUNCTIONS(X)                                                                                                   \
	X(malloc, SIZE, 0)                                                                                             \
	X(calloc, COUNT, 0)                                                                                            \
	X(realloc, RESIZE, 0)                                                                                          \
	X(reallocarray, RESIZE_COUNT, 0)                                                                               \
	X(memalign, ALIGN_SIZE, 0)                                                                                     \
	X(aligned_alloc, ALIGN_SIZE, 0)                                                                                \
	X(posix_memalign, POSIX, 0)                                                                                    \
	X(valloc, SIZE, 0)                                                                                             \
	X(pvalloc, SIZE_PAGES, 1)                                                                                      \
	X(mallocx, SIZE_FLAGS, 1)                                                                                      \
	X(rallocx, RESIZE_FLAGS, 1)                                                                                    \
	X(tc_malloc_skip_new_handler, SIZE, 0)                                                                         \
	X(_Znwm, SIZE, 2)                                                                                              \
	X(_Znam, SIZE, 2)                                                                                              \
	X(_ZnwmRKSt9nothrow_t, NOTHROW, 0)                                                                             \
	X(_ZnamRKSt9nothrow_t, NOTHROW, 0)                                                                             \
	X(_ZnwmSt11align_val_t, SIZE_ALIGN, 2)                                                                         \
	X(_ZnamSt11align_val_t, SIZE_ALIGN, 2)                                                                         \
	X(_ZnwmSt11align_val_tRKSt9nothrow_t, SIZE_ALIGN_NOTHROW, 0)                                                   \
	X(_ZnamSt11align_val_tRKSt9nothrow_t, SIZE_ALIGN_NOTHROW, 0)                                                   \
	X(strdup, STRING, 3)                                                                                           \
	X(strndup, STRING_MOST, 3)                                                                                     \
	X(mi_malloc, SIZE, 0)                                                                                          \
	X(mi_zalloc, SIZE, 0)                                                                                          \
	X(mi_calloc, COUNT, 0)                                                                                         \
	X(mi_mallocn, COUNT, 0)                                                                                        \
	X(mi_realloc, RESIZE, 0)                                                                                       \
	X(mi_rezalloc, RESIZE, 0)                                                                                      \
	X(mi_reallocn, RESIZE_COUNT, 0)                                                                                \
	X(mi_recalloc, RESIZE_COUNT, 0)                                                                                \
	X(mi_malloc_aligned, SIZE_ALIGN, 0)                                                                            \
	X(mi_zalloc_aligned, SIZE_ALIGN, 0)                                                                            \
	X(mi_realloc_aligned, RESIZE_ALIGN, 0)                                                                         \
	X(mi_rezalloc_aligned, RESIZE_ALIGN, 0)                                                                        \
	X(mi_new, SIZE, 2)                                                                                             \
	X(mi_new_n, COUNT, 2)                                                                                          \
	X(mi_new_nothrow, SIZE, 0)                                                                                     \
	X(mi_heap_malloc, HEAP_SIZE, 0)                                                                                \
	X(mi_heap_zalloc, HEAP_SIZE, 0)                                                                                \
	X(mi_heap_calloc, HEAP_COUNT, 0)                                                                               \
	X(mi_heap_mallocn, HEAP_COUNT, 0)                                                                              \
	X(mi_heap_realloc, HEAP_RESIZE, 0)                                                                             \
	X(mi_heap_rezalloc, HEAP_RESIZE, 0)                                                                            \
	X(mi_heap_malloc_aligned, HEAP_SIZE_ALIGN, 0)                                                                  \
	X(mi_heap_zalloc_aligned, HEAP_SIZE_ALIGN, 0)                                                                  \
	X(mi_heap_realloc_aligned, HEAP_RESIZE_ALIGN, 0)                                                               \
	X(mi_heap_rezalloc_aligned, HEAP_RESIZE_ALIGN, 0)                                                              \
	X(free, FREE, 0)                                                                                               \
	X(cfree, FREE, 0)                                                                                              \
	X(dallocx, FREE_FLAGS, 0)                                                                                      \
	X(sdallocx, FREE_SIZE_FLAGS, 0)                                                                                \
	X(_ZdlPv, FREE, 0)                                                                                             \
	X(_ZdaPv, FREE, 0)                                                                                             \
	X(_ZdlPvm, FREE_SIZE, 0)                                                                                       \
	X(_ZdaPvm, FREE_SIZE, 0)                                                                                       \
	X(_ZdlPvRKSt9nothrow_t, FREE_NOTHROW, 0)                                                                       \
	X(_ZdaPvRKSt9nothrow_t, FREE_NOTHROW, 0)                                                                       \
	X(_ZdlPvSt11align_val_t, FREE_ALIGN, 0)                                                                        \
	X(_ZdaPvSt11align_val_t, FREE_ALIGN, 0)                                                                        \
	X(_ZdlPvSt11align_val_tRKSt9nothrow_t, FREE_ALIGN_NOTHROW, 0)                                                  \
	X(_ZdaPvSt11align_val_tRKSt9nothrow_t, FREE_ALIGN_NOTHROW, 0)                                                  \
	X(_ZdlPvmSt11align_val_t, FREE_SIZE_ALIGN, 0)                                                                  \
	X(_ZdaPvmSt11align_val_t, FREE_SIZE_ALIGN, 0)                                                                  \
	X(mi_free, FREE, 0)                                                                                            \
	X(mi_free_size, FREE_SIZE, 0)

/* Any prototype will do for an address. */
#define X(name, shape, limits) extern char weak_##name[] __asm__(#name) __attribute__((weak));
FUNCTIONS(X)
#undef X
extern void *mi_heap_get_default(void) __attribute__((weak));
extern const char *gnu_get_libc_version(void) __attribute__((weak));

struct function {
	const void *code; /* NULL: this allocator has none */
	enum shape shape;
	int limits; /* 1: a size of 0 is not allowed; 2: failing is not allowed either, it throws; 3: nor there, it does not */
};

#define X(name, shape, limits) NUMBER_##name,
enum {
	FUNCTIONS(X) FUNCTION_COUNT
};
#undef X
static struct function functions[FUNCTION_COUNT];

/* In code, because the linker takes an undefined weak address in data for NULL, whatever will be preloaded. */
static void find_functions(void)
{
	struct function *function = functions;

#define X(name, shape, limits) *function++ = (struct function){weak_##name, shape, limits};
	FUNCTIONS(X)
#undef X
	/* jemalloc has none of its own, and takes and gives nothing that is glibc's. */
	if (weak_mallocx)
		functions[NUMBER_pvalloc].code = functions[NUMBER_cfree].code = NULL;
	/* musl's own call malloc, and their frames cannot be unwound. */
	if (!gnu_get_libc_version)
		functions[NUMBER_strdup].code = functions[NUMBER_strndup].code = NULL;
}
