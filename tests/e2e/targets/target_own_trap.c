/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts a breakpoint into a function of its own and handles SIGTRAP, as programs do that patch themselves. Stands ready, calls the
 * function a hundred times, and ends well if each call came by the handler.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "target.h"

#define CALLS 100
#define PAGE  4096

extern const char own_place[];
static volatile int trapped;

__attribute__((noinline)) static void patched(void)
{
	__asm__ volatile(".globl own_place\nown_place: nop");
}

/* The nop has one byte, as the breakpoint has. */
static void handle(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	trapped++;
}

int main(void)
{
	const struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
	char *page = (char *)((uintptr_t)own_place / PAGE * PAGE);

	if (sigaction(SIGTRAP, &action, NULL) || mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		return 2;
	page[own_place - page] = (char)0xcc;
	if (mprotect(page, PAGE, PROT_READ | PROT_EXEC))
		return 2;
	target_await();
	for (int i = 0; i < CALLS; i++) {
		patched();
		free(malloc(100));
	}
	return trapped == CALLS ? 0 : 1;
}
