/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An allocator of no known family, whose functions of standard names are built in the way that the macro SHAPE says. Blocks of
 * 128 KiB and more are mappings of their own, so their addresses come again; small ones are cut off a mapping and never come back.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define OWN   1 /* each function does the work itself: everything is inlined */
#define CALLS 2 /* they call each other and parts of no name, and jump to each other where that is all there is to do */
#define PLT   3 /* they jump through the PLT to functions of other names, which do the work */
#define MIXED 4 /* they do the work, or jump to another one, as the arguments want it */

#define EXPORT	  __attribute__((visibility("default"), noinline))
#define ALWAYS	  static inline __attribute__((always_inline))
#define HEAD	  64
#define WHOLE	  ((size_t)128 << 10)
#define ARENA	  ((size_t)1 << 36)
#define PAGE	  4096
#define SIZE_HUGE ((size_t)1 << 40)

/* In front of each block. */
struct head {
	size_t size, mapped; /* bytes of a mapping of its own; 0: cut off the arena */
	void *mapping;
};

static _Atomic(char *) arena;
static atomic_size_t used;

static __attribute__((noinline)) char *open_arena(void)
{
	char *fresh = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *none = NULL;

	if (fresh == MAP_FAILED)
		return NULL;
	if (!atomic_compare_exchange_strong(&arena, &none, fresh))
		munmap(fresh, ARENA);
	return atomic_load(&arena);
}

static __attribute__((noinline)) char *map(size_t size)
{
	char *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mapping == MAP_FAILED ? NULL : mapping;
}

ALWAYS void *take(size_t alignment, size_t size)
{
	size_t room = size + alignment + HEAD, mapped = 0;
	char *start, *block;

	if (size > SIZE_HUGE) {
		errno = ENOMEM;
		return NULL;
	}
	if (alignment < 16)
		alignment = 16;
	room = (size + 2 * alignment + HEAD + 15) & ~(size_t)15;
	if (room >= WHOLE) {
		start = map(room);
		mapped = room;
	} else {
		start = atomic_load(&arena);
		start = start ? start : open_arena();
		start = start ? start + atomic_fetch_add(&used, room) : NULL;
	}
	if (!start)
		return NULL;
	block = (char *)(((uintptr_t)start + HEAD + alignment - 1) & ~(uintptr_t)(alignment - 1));
	((struct head *)block)[-1] = (struct head){size, mapped, start};
	return block;
}

ALWAYS void give(void *block)
{
	struct head *head = (struct head *)block - 1;

	if (block && head->mapped)
		munmap(head->mapping, head->mapped);
}

ALWAYS void *move(void *old, size_t size)
{
	char *block = take(16, size);
	size_t kept = old ? ((struct head *)old)[-1].size : 0;

	if (block && old) {
		memcpy(block, old, kept < size ? kept : size);
		give(old);
	}
	return block;
}

ALWAYS size_t product(size_t count, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes;
}

ALWAYS void *cleared(size_t size)
{
	void *block = take(16, size);

	return block ? memset(block, 0, size) : NULL;
}

ALWAYS int given(void **ret_block, void *block)
{
	if (!block)
		return ENOMEM;
	*ret_block = block;
	return 0;
}

ALWAYS void *certain(void *block)
{
	if (!block)
		__builtin_trap();
	return block;
}

ALWAYS char *duplicate(const char *text, size_t length)
{
	char *copy = take(16, length + 1);

	if (copy) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

EXPORT void *malloc(size_t size);
EXPORT void free(void *block);
EXPORT void *memalign(size_t alignment, size_t size);
EXPORT void *realloc(void *old, size_t size);

#if SHAPE == OWN
#define DO_MALLOC(size)		    take(16, size)
#define DO_CALLOC(count, size)	    cleared(product(count, size))
#define DO_REALLOC(old, size)	    move(old, size)
#define DO_ARRAY(old, count, size)  move(old, product(count, size))
#define DO_ALIGNED(alignment, size) take(alignment, size)
#define DO_FREE(block)		    give(block)
#define DO_NEW(size)		    certain(take(16, size))
#define DO_DUPLICATE(text, length)  duplicate(text, length)
#elif SHAPE == CALLS
/* Parts that have no name in a stripped file: some lead to others, some do the work. */
static __attribute__((noinline)) void *array(void *old, size_t count, size_t size)
{
	size_t bytes = product(count, size);

	if (bytes == SIZE_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}
static __attribute__((noinline)) void *aligned(size_t alignment, size_t size)
{
	return alignment <= 16 ? malloc(size) : take(alignment, size);
}
static __attribute__((noinline)) void *resized(void *old, size_t size)
{
	void *block = malloc(size);
	size_t kept = old ? ((struct head *)old)[-1].size : 0;

	if (block && old) {
		memcpy(block, old, kept < size ? kept : size);
		free(old);
	}
	return block;
}
static __attribute__((noinline)) void *zeroed(size_t size)
{
	void *block = malloc(size);

	return block ? memset(block, 0, size) : NULL;
}
static __attribute__((noinline)) char *text_of(const char *text, size_t length)
{
	char *copy = malloc(length + 1);

	if (copy)
		((char *)memcpy(copy, text, length))[length] = '\0';
	return copy;
}
#define DO_MALLOC(size)		    take(16, size)
#define DO_CALLOC(count, size)	    zeroed(product(count, size))
#define DO_REALLOC(old, size)	    resized(old, size)
#define DO_ARRAY(old, count, size)  array(old, count, size)
#define DO_ALIGNED(alignment, size) aligned(alignment, size)
#define DO_FREE(block)		    give(block)
#define DO_NEW(size)		    certain(malloc(size))
#define DO_DUPLICATE(text, length)  text_of(text, length)
#elif SHAPE == PLT
EXPORT void *part_take(void *heap, size_t alignment, size_t size)
{
	return heap ? heap : take(alignment, size);
}
EXPORT void *part_move(void *heap, void *old, size_t size)
{
	return heap ? heap : move(old, size);
}
EXPORT void *part_clear(size_t size)
{
	return cleared(size);
}
EXPORT void part_give(void *block)
{
	give(block);
}
EXPORT void *part_certain(size_t size)
{
	return certain(take(16, size));
}
EXPORT char *part_duplicate(const char *text, size_t length)
{
	return duplicate(text, length);
}
#define DO_MALLOC(size)		    part_take(NULL, 16, size)
#define DO_CALLOC(count, size)	    part_clear(product(count, size))
#define DO_REALLOC(old, size)	    part_move(NULL, old, size)
#define DO_ARRAY(old, count, size)  part_move(NULL, old, product(count, size))
#define DO_ALIGNED(alignment, size) part_take(NULL, alignment, size)
#define DO_FREE(block)		    part_give(block)
#define DO_NEW(size)		    part_certain(size)
#define DO_DUPLICATE(text, length)  part_duplicate(text, length)
#elif SHAPE == MIXED
#define DO_MALLOC(size)	       take(16, size)
#define DO_CALLOC(count, size) cleared(product(count, size))
#define DO_REALLOC(old, size)  (!(old) ? malloc(size) : move(old, size))
#define DO_ARRAY(old, count, size)                                                                                     \
	(product(count, size) < 5000 ? realloc(old, product(count, size)) : move(old, product(count, size)))
#define DO_ALIGNED(alignment, size)                                                                                    \
	((alignment) <= 16 ? malloc(size) : (alignment) <= 32 ? memalign(64, size) : take(alignment, size))
#define DO_FREE(block)		   give(block)
#define DO_NEW(size)		   ((size) % 2 ? certain(take(16, size)) : certain(malloc(size)))
#define DO_DUPLICATE(text, length) duplicate(text, length)
#endif

EXPORT void *malloc(size_t size)
{
	return DO_MALLOC(size);
}
EXPORT void free(void *block)
{
	DO_FREE(block);
}
EXPORT void *calloc(size_t count, size_t size)
{
	return DO_CALLOC(count, size);
}
EXPORT void *realloc(void *old, size_t size)
{
	return DO_REALLOC(old, size);
}
EXPORT void *reallocarray(void *old, size_t count, size_t size)
{
	return DO_ARRAY(old, count, size);
}
#if SHAPE == MIXED
EXPORT void *memalign(size_t alignment, size_t size)
{
	return alignment <= 16 ? malloc(size) : take(alignment, size);
}
#else
EXPORT void *memalign(size_t alignment, size_t size)
{
	return DO_ALIGNED(alignment, size);
}
#endif
EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	return DO_ALIGNED(alignment, size);
}
EXPORT void *valloc(size_t size)
{
	return DO_ALIGNED(PAGE, size);
}
EXPORT void *pvalloc(size_t size)
{
	return DO_ALIGNED(PAGE, size);
}
EXPORT void cfree(void *block)
{
	DO_FREE(block);
}
EXPORT char *strdup(const char *text)
{
	return DO_DUPLICATE(text, strlen(text));
}
EXPORT char *strndup(const char *text, size_t most)
{
	return DO_DUPLICATE(text, strnlen(text, most));
}

EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
	if (alignment % sizeof(void *) || (alignment & (alignment - 1)) || !alignment)
		return EINVAL;
	return given(ret_block, DO_ALIGNED(alignment, size));
}

/* C++'s operators, by their names. */
#define OPERATOR_NEW(name)                                                                                             \
	EXPORT void *name(size_t size);                                                                                \
	EXPORT void *name(size_t size)                                                                                 \
	{                                                                                                              \
		return DO_NEW(size);                                                                                   \
	}
#define OPERATOR_NEW_NOTHROW(name)                                                                                     \
	EXPORT void *name(size_t size, const void *tag);                                                               \
	EXPORT void *name(size_t size, const void *tag __attribute__((unused)))                                        \
	{                                                                                                              \
		return DO_MALLOC(size);                                                                                \
	}
#define OPERATOR_NEW_ALIGNED(name)                                                                                     \
	EXPORT void *name(size_t size, size_t alignment);                                                              \
	EXPORT void *name(size_t size, size_t alignment)                                                               \
	{                                                                                                              \
		return certain(DO_ALIGNED(alignment, size));                                                           \
	}
#define OPERATOR_NEW_ALIGNED_NOTHROW(name)                                                                             \
	EXPORT void *name(size_t size, size_t alignment, const void *tag);                                             \
	EXPORT void *name(size_t size, size_t alignment, const void *tag __attribute__((unused)))                      \
	{                                                                                                              \
		return DO_ALIGNED(alignment, size);                                                                    \
	}
#define OPERATOR_DELETE(name)                                                                                          \
	EXPORT void name(void *block);                                                                                 \
	EXPORT void name(void *block)                                                                                  \
	{                                                                                                              \
		DO_FREE(block);                                                                                        \
	}

OPERATOR_NEW(_Znwm)
OPERATOR_NEW(_Znam)
OPERATOR_NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
OPERATOR_NEW_NOTHROW(_ZnamRKSt9nothrow_t)
OPERATOR_NEW_ALIGNED(_ZnwmSt11align_val_t)
OPERATOR_NEW_ALIGNED(_ZnamSt11align_val_t)
OPERATOR_NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
OPERATOR_NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)
OPERATOR_DELETE(_ZdlPv)
OPERATOR_DELETE(_ZdaPv)
OPERATOR_DELETE(_ZdlPvm)
OPERATOR_DELETE(_ZdaPvm)
OPERATOR_DELETE(_ZdlPvRKSt9nothrow_t)
OPERATOR_DELETE(_ZdaPvRKSt9nothrow_t)
OPERATOR_DELETE(_ZdlPvSt11align_val_t)
OPERATOR_DELETE(_ZdaPvSt11align_val_t)
OPERATOR_DELETE(_ZdlPvmSt11align_val_t)
OPERATOR_DELETE(_ZdaPvmSt11align_val_t)
OPERATOR_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
OPERATOR_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
