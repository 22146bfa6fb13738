/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every function of whatever allocator this program runs with, at its edges, and a count of its own to hold heaptap
 * against: nothing can be put in front of an allocator that is linked in. What is there is found by weak references, so
 * that one source is built for all. Each function asks for sizes that no other one does. Run by test_matrix.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "matrix_functions.h"
#include "target.h"
#include "e2e/shims/truth_log.h"

#define PAGE	    4096
#define RECORDS_MAX ((TRUTH_FILE_BYTES - TRUTH_HEADER_BYTES) / sizeof(struct truth_record))

static struct truth_header *header;
static struct truth_record *records;
static volatile size_t huge = (size_t)PTRDIFF_MAX + 1;
static size_t more; /* bytes of MATRIX_MORE, by which all sizes but 0 are larger, so that a sampler takes every call */
extern const char __start_shim[] __attribute__((visibility("hidden")));
extern const char __stop_shim[] __attribute__((visibility("hidden")));

static void open_log(void)
{
	const char *prefix = getenv(TRUTH_VARIABLE);
	char name[4096];
	void *file;
	int fd;

	if (!prefix)
		exit(97);
	snprintf(name, sizeof(name), "%s.%d.1", prefix, getpid());
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, TRUTH_FILE_BYTES))
		exit(96);
	file = mmap(NULL, TRUTH_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		exit(95);
	header = file;
	records = (struct truth_record *)((char *)file + TRUTH_HEADER_BYTES);
	header->shim_start = (uintptr_t)__start_shim;
	header->shim_end = (uintptr_t)__stop_shim;
	header->magic = TRUTH_MAGIC;
}

static void note(enum truth_phase phase, const void *caller, size_t size, const void *addr, const void *old)
{
	uint64_t index = __atomic_fetch_add(&header->count, 1, __ATOMIC_SEQ_CST);

	if (index >= RECORDS_MAX)
		exit(94);
	records[index] = (struct truth_record){
		.caller = (uintptr_t)caller,
		.size = size,
		.addr = (uintptr_t)addr,
		.old = (uintptr_t)old,
		.function = TRUTH_MALLOC,
		.phase = phase,
		.pid = (uint32_t)getpid(),
	};
}

static const char nothrow;

/* A string of `size` bytes with its end: the last ones of a long one. */
static const char *text_of(size_t size)
{
	static char text[1 << 20];

	memset(text, 'x', sizeof(text) - 1);
	return text + sizeof(text) - size;
}

struct request {
	size_t alignment, count, size; /* `count` things of `size` */
	void *old;
};

/* The one place that calls, in the section by which heaptap's stacks are cut. */
__attribute__((noinline, section("shim"))) static void *call(const struct function *function,
							     const struct request *request)
{
	const void *caller = __builtin_return_address(0);
	size_t count = request->count, size = request->size, alignment = request->alignment, booked = size;
	void *old = request->old, *addr = NULL;
	void *heap = function->shape >= HEAP_SIZE && function->shape < STRING ? mi_heap_get_default() : NULL;
	void *(*code)() = (void *(*)())(uintptr_t)function->code;

	if (__builtin_mul_overflow(count, size, &booked))
		booked = SIZE_MAX;
	if (old)
		note(TRUTH_ENTER, caller, booked, NULL, old);
	switch (function->shape) {
	case SIZE_PAGES:
		booked = (weak_mi_malloc || weak_tc_malloc_skip_new_handler) && size <= huge
				 ? (size + PAGE - 1) / PAGE * PAGE
				 : size;
		addr = code(size);
		break;
	case SIZE:
		addr = code(size);
		break;
	case SIZE_FLAGS:
		addr = code(size, 0);
		break;
	case NOTHROW:
		addr = code(size, &nothrow);
		break;
	case COUNT:
		addr = code(count, size);
		break;
	case ALIGN_SIZE:
		addr = code(alignment, size);
		break;
	case SIZE_ALIGN:
		addr = code(size, alignment);
		break;
	case SIZE_ALIGN_NOTHROW:
		addr = code(size, alignment, &nothrow);
		break;
	case POSIX:
		if (((int (*)())code)(&addr, alignment, size))
			addr = NULL;
		break;
	case RESIZE:
		addr = code(old, size);
		break;
	case RESIZE_FLAGS:
		addr = code(old, size, 0);
		break;
	case RESIZE_COUNT:
		addr = code(old, count, size);
		break;
	case RESIZE_ALIGN:
		addr = code(old, size, alignment);
		break;
	case HEAP_SIZE:
		addr = code(heap, size);
		break;
	case HEAP_COUNT:
		addr = code(heap, count, size);
		break;
	case HEAP_SIZE_ALIGN:
		addr = code(heap, size, alignment);
		break;
	case HEAP_RESIZE:
		addr = code(heap, old, size);
		break;
	case HEAP_RESIZE_ALIGN:
		addr = code(heap, old, size, alignment);
		break;
	case STRING:
		addr = code(text_of(size));
		break;
	case STRING_MOST:
		addr = code(text_of(size + 10), size - 1);
		break;
	case FREE:
		code(old);
		return NULL;
	case FREE_NOTHROW:
		code(old, &nothrow);
		return NULL;
	case FREE_ALIGN:
		code(old, (size_t)16);
		return NULL;
	case FREE_ALIGN_NOTHROW:
		code(old, (size_t)16, &nothrow);
		return NULL;
	case FREE_FLAGS:
		code(old, 0);
		return NULL;
	case FREE_SIZE:
		code(old, size);
		return NULL;
	case FREE_SIZE_FLAGS:
		code(old, size, 0);
		return NULL;
	case FREE_SIZE_ALIGN:
		code(old, size, (size_t)16);
		return NULL;
	}
	note(TRUTH_RETURN, caller, booked, addr, old);
	return addr;
}

/* By the free functions that there are, in turn; those that are told the size only where it is plainly known. */
static void give_back(void *addr, size_t size)
{
	static unsigned int turn;

	if (!addr)
		return;
	for (;;) {
		const struct function *function = &functions[turn++ % FUNCTION_COUNT];

		if (!function->code || function->shape < FREE || (function->shape > FREE_ALIGN_NOTHROW && !size))
			continue;
		call(function, &(struct request){.count = 1, .size = size, .old = addr});
		return;
	}
}

static bool is_resize(enum shape shape)
{
	return (shape >= RESIZE && shape <= RESIZE_ALIGN) || shape == HEAP_RESIZE || shape == HEAP_RESIZE_ALIGN;
}

static bool has_count(enum shape shape)
{
	return shape == COUNT || shape == RESIZE_COUNT || shape == HEAP_COUNT;
}

static void use_alignment(const struct function *function, size_t alignment, size_t size)
{
	struct request request = {.alignment = alignment, .count = 1, .size = size};
	bool plain = function->shape <= SIZE_FLAGS;

	call(function, &request);
	request.size++;
	give_back(call(function, &request), plain ? request.size : 0);
	request.size = 300000 + size;
	give_back(call(function, &request), plain ? request.size : 0);
	if (function->limits < 1) {
		request.size = 0;
		call(function, &request);
		give_back(call(function, &request), 0);
	}
	if (function->limits < 2) {
		request.size = huge;
		call(function, &request);
	}
}

static void use_counts(const struct function *function, size_t size)
{
	struct request request = {.count = 3, .size = size, .alignment = 64};

	call(function, &request);
	give_back(call(function, &request), 0);
	if (function->limits)
		return;
	request.count = SIZE_MAX / 2;
	call(function, &request);
	request = (struct request){.count = 1, .size = huge};
	call(function, &request);
}

static void *resized(const struct function *function, size_t alignment, void *old, size_t size)
{
	return call(function, &(struct request){.alignment = alignment, .count = 1, .size = size, .old = old});
}

/* Grows in place, moves, shrinks, fails, and goes to size 0. */
static void use_resize(const struct function *function, size_t alignment, size_t size)
{
	const struct function *plain = &functions[0];
	struct request request = {.count = 1, .size = size + 10};
	void *block = function->limits ? call(plain, &request) : resized(function, alignment, NULL, size);

	block = resized(function, alignment, block, size + 1);
	block = resized(function, alignment, block, size + 70);
	block = resized(function, alignment, block, 5 * size + 100000);
	block = resized(function, alignment, block, 3000000 + size);
	resized(function, alignment, block, huge);
	block = resized(function, alignment, block, size + 2);
	resized(function, alignment, block, size + 3);
	if (function->limits)
		return;
	give_back(resized(function, alignment, call(plain, &request), 0), 0);
	give_back(resized(function, alignment, NULL, 0), 0);
	resized(function, alignment, NULL, huge);
}

static void use(const struct function *function)
{
	static const size_t alignments[] = {8, 16, 32, 64, 4096};
	/* mi_*_small would not serve these; the steps keep one function's sizes from another's. */
	size_t size = more + 1000 + 1000 * (size_t)(function - functions);

	if (is_resize(function->shape))
		for (size_t i = 0; i < 3; i++)
			use_resize(function, alignments[2 * i], size + 100 * i);
	if (has_count(function->shape))
		use_counts(function, size + 400);
	else if (!is_resize(function->shape))
		for (size_t i = 0; i < sizeof(alignments) / sizeof(*alignments); i++)
			use_alignment(function, alignments[i], size + 10 * i);
	if (function->shape == POSIX)
		for (size_t alignment = 15; alignment <= 17; alignment++)
			use_alignment(function, alignment, size + 10 * alignment);
}

static void *use_all(void *arg)
{
	for (size_t i = 0; i < FUNCTION_COUNT; i++)
		if (functions[i].code && functions[i].shape < FREE)
			use(&functions[i]);
	return arg;
}

/* With any argument the functions that throw are left out: only session links know what becomes of their objects. */
int main(int argc, char *argv[] __attribute__((unused)))
{
	pthread_t thread;

	if (getenv("MATRIX_MORE"))
		more = strtoul(getenv("MATRIX_MORE"), NULL, 10);
	find_functions();
	for (size_t i = 0; i < FUNCTION_COUNT; i++)
		if (argc > 1 && functions[i].limits == 2)
			functions[i].code = NULL;
	open_log();
	target_await();
	use_all(NULL);
	if (pthread_create(&thread, NULL, use_all, NULL) || pthread_join(thread, NULL))
		return 1;
	return 0;
}
