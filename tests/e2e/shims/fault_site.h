/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Whether a call is the one to fail: by its stack, which has a number. That is made of its return addresses, each counted from the beginning of
 * its file and only once, so that it is the same in every run, whatever the depth of a recursion. What is here allocates nothing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#define DEPTH_MAX   64
#define GLANCE	    96 /* words of the stack that a call is known by, before it is unwound */
#define CALLS_MAX   (1U << 20)
#define SITES_MAX   (1U << 15)
#define HASH_FACTOR 0x9e3779b97f4a7c15ull

struct stack {
	uint64_t hash;
	uintptr_t frames[DEPTH_MAX]; /* from the beginning of the file */
	const char *files[DEPTH_MAX];
	unsigned int depth;
};

static _Atomic uint64_t calls[CALLS_MAX], sites[SITES_MAX];
static const char *log_path;
static uint64_t wanted;
static uintptr_t code_start, code_end;
static void *own_map;
static bool enabled;
static __thread bool inside __attribute__((tls_model("initial-exec")));

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * HASH_FACTOR;
	return hash ^ hash >> 29;
}

/* True if it was not there; a full table takes no more, and what does not fit is not tried. */
static bool add(_Atomic uint64_t *table, uint32_t size, uint64_t key)
{
	for (uint32_t i = 0; i < 64; i++) {
		_Atomic uint64_t *slot = &table[(key + i) % size];
		uint64_t found = 0;

		if (atomic_compare_exchange_strong(slot, &found, key))
			return true;
		if (found == key)
			return false;
	}
	return false;
}

/* What tells calls apart nearly always, and costs little: where the stack is, and what in it may be return addresses of the program. */
static uint64_t glance(const char *name, const uintptr_t *frame)
{
	uint64_t hash = mix((uintptr_t)name, (uintptr_t)frame);

	for (unsigned int i = 1; i < GLANCE; i++)
		if (i == 1 || (frame[i] >= code_start && frame[i] < code_end))
			hash = mix(hash, frame[i]);
	return hash | 1;
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
	struct stack *stack = arg;
	uintptr_t ip = _Unwind_GetIP(context);
	struct dl_find_object found;

	if (!ip || stack->depth == DEPTH_MAX || _dl_find_object((void *)(ip - 1), &found))
		return _URC_END_OF_STACK;
	if (found.dlfo_map_start == own_map)
		return _URC_NO_REASON;
	ip -= (uintptr_t)found.dlfo_map_start;
	for (unsigned int i = 0; i < stack->depth; i++)
		if (stack->frames[i] == ip)
			return _URC_NO_REASON;
	stack->files[stack->depth] = found.dlfo_link_map->l_name;
	stack->frames[stack->depth++] = ip;
	stack->hash = mix(stack->hash, ip);
	return _URC_NO_REASON;
}

/* In one piece, by no function that may be wrapped here or whose descriptors heaptap may count. */
static void write_line(const char *name, const struct stack *stack)
{
	char line[4096];
	size_t length = (size_t)snprintf(line, sizeof(line), "%016llx %s", (unsigned long long)stack->hash, name);
	long fd;

	for (unsigned int i = 0; i < stack->depth && length < sizeof(line) - 200; i++) {
		const char *slash = strrchr(stack->files[i], '/');

		length += (size_t)snprintf(line + length, sizeof(line) - length, " %.80s+0x%lx",
					   slash ? slash + 1 : "heaptap", stack->frames[i]);
	}
	line[length++] = '\n';
	__asm__ volatile("syscall"
			 : "=a"(fd)
			 : "a"(SYS_open), "D"(log_path), "S"(O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC), "d"(0644)
			 : "rcx", "r11", "memory");
	if (fd < 0)
		return;
	__asm__ volatile("syscall" : : "a"(SYS_write), "D"(fd), "S"(line), "d"(length) : "rcx", "r11", "memory");
	__asm__ volatile("syscall" : : "a"(SYS_close), "D"(fd) : "rcx", "r11", "memory");
}

static bool is_due(const char *name)
{
	struct stack stack = {.hash = mix(0, (unsigned char)name[0])};

	for (const char *at = name; *at; at++)
		stack.hash = mix(stack.hash, (unsigned char)*at);
	_Unwind_Backtrace(add_frame, &stack);
	if (!add(sites, SITES_MAX, stack.hash | 1) || (wanted && stack.hash != wanted))
		return false;
	write_line(name, &stack);
	return wanted;
}

/* Whether this call is the one to fail. errno is kept. */
static bool fails(const char *name, const uintptr_t *frame)
{
	int kept = errno;
	bool due = false;

	if (!enabled || inside)
		return false;
	inside = true;
	if (add(calls, CALLS_MAX, glance(name, frame)))
		due = is_due(name);
	inside = false;
	errno = kept;
	return due;
}

static void *next(const char *name)
{
	bool kept = inside;
	void *function;

	inside = true;
	function = dlsym(RTLD_NEXT, name);
	inside = kept;
	return function;
}

static int find_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size, (void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			code_start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			code_end = code_start + info->dlpi_phdr[i].p_memsz;
		}
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *site = getenv("HEAPTAP_FAULT_SITE");
	struct dl_find_object found;

	/* A shell that is to become heaptap passes it on. */
	if (strcmp(program_invocation_short_name, "heaptap"))
		return;
	log_path = getenv("HEAPTAP_FAULT_LOG");
	wanted = site ? strtoull(site, NULL, 16) : 0;
	unsetenv("LD_PRELOAD");
	dl_iterate_phdr(find_program, NULL);
	if (!_dl_find_object((void *)begin, &found))
		own_map = found.dlfo_map_start;
	enabled = log_path;
}
