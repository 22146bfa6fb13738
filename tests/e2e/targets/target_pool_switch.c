/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An allocator of the program's own whose get() lets other coroutines run, as fiber frameworks do, until something has been
 * given back. WORKERS coroutines get and put ROUNDS objects of 64 bytes each in turn, and the last one keeps one of 96 bytes.
 * jump_get goes to pool_get through a pointer, so that where it returns cannot be found.
 */
#include <stdlib.h>
#include <ucontext.h>

#include "target.h"

#define WORKERS	    4
#define ROUNDS	    5
#define STACK_BYTES 65536

static ucontext_t scheduler, contexts[WORKERS];
static char stacks[WORKERS][STACK_BYTES];
static char object[96];
static int running, finished, available = 1;

void *pool_get(size_t size);
void *jump_get(size_t size);
void pool_put(void *put);

static void yield(void)
{
	int self = running;

	swapcontext(&contexts[self], &scheduler);
	running = self;
}

__attribute__((noinline)) void *pool_get(size_t size)
{
	while (!available)
		yield();
	available = 0;
	return size ? object : NULL;
}

void *(*volatile pool_get_pointer)(size_t) = pool_get;

asm(".pushsection .text\n"
    ".type jump_get, @function\n"
    "jump_get: mov pool_get_pointer(%rip), %rax\n"
    " jmp *%rax\n"
    ".size jump_get, . - jump_get\n"
    ".popsection\n");

__attribute__((noinline)) void pool_put(void *put)
{
	available = put == object;
}

static void work(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		void *held = pool_get(64);

		yield();
		pool_put(held);
		yield();
	}
	finished++;
	for (;;)
		yield();
}

int main(void)
{
	target_await();
	for (int i = 0; i < WORKERS; i++) {
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = stacks[i];
		contexts[i].uc_stack.ss_size = STACK_BYTES;
		contexts[i].uc_link = &scheduler;
		makecontext(&contexts[i], work, 0);
	}
	while (finished < WORKERS) {
		for (running = 0; running < WORKERS; running++) {
			int next = running;

			swapcontext(&scheduler, &contexts[next]);
			running = next;
		}
	}
	if (jump_get(96) != object)
		return 1;
	return 0;
}
