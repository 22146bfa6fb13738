/* SPDX-License-Identifier: GPL-2.0-or-later */
/* glibc_arena.c on processes that glibc serves, and on arenas that are not as they have to be. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile/glibc_arena.h"

/* glibc's own, also where a sanitizer has taken the place of malloc. */
extern void *__libc_malloc(size_t size);
extern void __libc_free(void *block);

#define BLOCKS 100
#define LARGE  5000 /* no thread keeps such for itself */
#define HEADER 16

/* A process that stands still, so that its lists do; and its bytes, but for one word, which is another one. */
struct view {
	pid_t pid;
	u64 address, word; /* 0: none is */
	u64 main_arena;
	void **blocks; /* that it made: every second one has been freed, so that no two of them are neighbours */
};

static bool copy(void *arg, u64 address, void *to, u64 size)
{
	const struct view *view = arg;
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)address, size};

	if (process_vm_readv(view->pid, &local, 1, &remote, 1, 0) != (ssize_t)size)
		return false;
	if (view->address && view->address - address < size)
		memcpy((char *)to + (view->address - address), &view->word, sizeof(view->word));
	return true;
}

static bool refuse(void *arg, u64 address, void *to, u64 size)
{
	(void)arg, (void)address, (void)to, (void)size;
	return false;
}

static u64 find(const struct view *view, glibc_heap_read *read)
{
	struct smaps smaps;
	u64 found = 0;

	assert_int_equal(smaps_read(smaps_open(view->pid), &smaps), 0);
	for (u32 i = 0; i < smaps.count && !found; i++)
		if (strstr(smaps.areas[i].name, "/libc.so.6"))
			found = glibc_arena_find(&smaps.areas[i], read, (void *)view);
	smaps_release(&smaps);
	return found;
}

static void *fill(void *arg)
{
	void **blocks = arg;

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = __libc_malloc(LARGE);
	for (int i = 0; i < BLOCKS; i += 2)
		__libc_free(blocks[i]);
	return NULL;
}

/* In an arena of its own: more than one is allowed, also where there is one processor. */
static void fill_in_thread(void **blocks)
{
	pthread_t thread;

	mallopt(M_ARENA_MAX, 8);
	if (pthread_create(&thread, NULL, fill, blocks) || pthread_join(thread, NULL))
		_exit(1);
}

static struct view begin(bool in_thread)
{
	struct view view = {.blocks = mmap(NULL, BLOCKS * sizeof(void *), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
	int ends[2];
	char byte = 'r';

	assert_true(view.blocks != MAP_FAILED);
	assert_int_equal(pipe(ends), 0);
	/* Where a sanitizer serves malloc nobody has the main arena yet, and after the fork it would be the new thread's. */
	__libc_free(__libc_malloc(1));
	view.pid = fork();
	if (!view.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (in_thread)
			fill_in_thread(view.blocks);
		else
			fill(view.blocks);
		if (write(ends[1], &byte, 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	view.main_arena = find(&view, copy);
	assert_true(view.main_arena != 0);
	return view;
}

static void end(struct view *view)
{
	kill(view->pid, SIGKILL);
	waitpid(view->pid, NULL, 0);
	munmap(view->blocks, BLOCKS * sizeof(void *));
}

/* The arena that the block is in lists it, with its neighbours that are free. */
static bool is_listed(const struct glibc_blocks *blocks, const void *block)
{
	for (u32 i = 0; i < blocks->count; i++)
		if ((uintptr_t)block - HEADER - blocks->blocks[i].addr < blocks->blocks[i].size)
			return true;
	return false;
}

static void check_listed(struct view *view)
{
	struct glibc_blocks found;

	assert_int_equal(glibc_arena_list(view->main_arena, copy, view, &found), 0);
	for (int i = 0; i < BLOCKS; i++)
		assert_int_equal(is_listed(&found, view->blocks[i]), i % 2 == 0);
	glibc_blocks_release(&found);
}

static void test_glibc_arena_lists_exactly_the_blocks_that_are_free(void **state)
{
	struct view view = begin(false);

	(void)state;
	check_listed(&view);
	end(&view);
}

static void test_glibc_arena_of_another_thread_is_found_by_the_main_one(void **state)
{
	struct view main_one = begin(false), other = begin(true);

	(void)state;
	assert_true((uintptr_t)main_one.blocks[0] >> 26 != (uintptr_t)other.blocks[0] >> 26);
	check_listed(&other);
	end(&main_one);
	end(&other);
}

static void test_glibc_arena_counts_no_byte_twice(void **state)
{
	struct view view = begin(true);
	struct glibc_blocks found;

	(void)state;
	assert_int_equal(glibc_arena_list(view.main_arena, copy, &view, &found), 0);
	assert_true(found.count >= BLOCKS / 2);
	for (u32 i = 0; i < found.count; i++)
		for (u32 j = 0; j < i; j++)
			assert_true(found.blocks[i].addr >= found.blocks[j].addr + found.blocks[j].size ||
				    found.blocks[j].addr >= found.blocks[i].addr + found.blocks[i].size);
	glibc_blocks_release(&found);
	end(&view);
}

static void test_glibc_arena_that_cannot_be_read_is_not_known(void **state)
{
	struct view view = begin(false);
	struct glibc_blocks found;

	(void)state;
	assert_int_equal(find(&view, refuse), 0);
	assert_int_equal(glibc_arena_list(view.main_arena, refuse, &view, &found), -EAGAIN);
	glibc_blocks_release(&found);
	end(&view);
}

/* Words of the main arena that another layout, or a moment within a change, would have. */
static void test_glibc_arena_that_is_not_as_it_has_to_be_is_refused(void **state)
{
	static const struct {
		u64 at, word;
	} wrong[] = {
		{96, 8},		  /* the top is no block */
		{112 + 126 * 16, 16},	  /* the last list has a block */
		{112 + 126 * 16 + 8, 16}, /* or a last one alone */
		{112 + 100 * 16, 24},	  /* a list of something that is no block */
		{2160, 0},		  /* no next arena */
		{2184, 1ULL << 60},	  /* more bytes than there ever were */
	};
	struct view view = begin(false);
	struct glibc_blocks found;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		view.address = view.main_arena + wrong[i].at;
		view.word = wrong[i].word;
		if (glibc_arena_list(view.main_arena, copy, &view, &found) != -EAGAIN)
			fail_msg("with another word at %llu it was taken", (unsigned long long)wrong[i].at);
		glibc_blocks_release(&found);
		assert_int_equal(find(&view, copy), 0);
	}
	end(&view);
}

/* A block that is in use again by the time it is read is none of the list: that ends there. */
static void test_glibc_arena_list_ends_where_it_is_torn(void **state)
{
	struct view view = begin(false);
	struct glibc_blocks whole, torn;

	(void)state;
	assert_int_equal(glibc_arena_list(view.main_arena, copy, &view, &whole), 0);
	view.address = (uintptr_t)view.blocks[BLOCKS / 2] + 8; /* where it is linked to the one before it */
	assert_int_equal(glibc_arena_list(view.main_arena, copy, &view, &torn), 0);
	assert_false(is_listed(&torn, view.blocks[BLOCKS / 2]));
	assert_true(torn.count < whole.count);
	glibc_blocks_release(&whole);
	glibc_blocks_release(&torn);
	end(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glibc_arena_lists_exactly_the_blocks_that_are_free),
		cmocka_unit_test(test_glibc_arena_of_another_thread_is_found_by_the_main_one),
		cmocka_unit_test(test_glibc_arena_counts_no_byte_twice),
		cmocka_unit_test(test_glibc_arena_that_cannot_be_read_is_not_known),
		cmocka_unit_test(test_glibc_arena_that_is_not_as_it_has_to_be_is_refused),
		cmocka_unit_test(test_glibc_arena_list_ends_where_it_is_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
