/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The truth about stacks: the shim as it is, and for each block that is handed out the chain of callers as libunwind
 * finds it, in the same process at the same call. Linked into a static program with --wrap instead of preloaded
 * (SHIM_STATIC), it does the same there by the compiler's own unwinder: a libunwind that could be linked into a static
 * PIE is not to be had.
 */
#ifdef SHIM_STATIC
#include <unwind.h>
#else
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#endif

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "chain_log.h"

static void note_chain(void *caller, unsigned long size);
#define SHIM_CHAIN(caller, size, addr) note_chain(caller, size)

#ifdef SHIM_STATIC
#define malloc	       __wrap_malloc
#define calloc	       __wrap_calloc
#define realloc	       __wrap_realloc
#define reallocarray   __wrap_reallocarray
#define memalign       __wrap_memalign
#define aligned_alloc  __wrap_aligned_alloc
#define posix_memalign __wrap_posix_memalign
#define valloc	       __wrap_valloc
#define pvalloc	       __wrap_pvalloc
#define free	       __wrap_free
#endif

#include "shim.c"

static _Atomic int chain_state;
static struct chain_header *chain_header;

static int open_chains(void)
{
	const char *prefix = getenv(TRUTH_VARIABLE);
	char name[NAME_MAX_BYTES / 2];
	void *file = MAP_FAILED;
	int fd;

	if (!prefix || strlen(prefix) + sizeof(CHAIN_SUFFIX) > sizeof(name))
		return LOG_OFF;
	strcpy(stpcpy(name, prefix), CHAIN_SUFFIX);
	fd = open_fresh(name);
	if (fd < 0)
		return LOG_OFF;
	if (!syscall(SYS_ftruncate, fd, CHAIN_FILE_BYTES))
		file = mmap(NULL, CHAIN_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	syscall(SYS_close, fd);
	if (file == MAP_FAILED)
		return LOG_OFF;
	chain_header = file;
	chain_header->shim_start = (uintptr_t)__start_shim;
	chain_header->shim_end = (uintptr_t)__stop_shim;
	chain_header->magic = CHAIN_MAGIC;
	return LOG_READY;
}

static bool chains_ready(void)
{
	int state = atomic_load_explicit(&chain_state, memory_order_acquire);

	if (state == LOG_UNOPENED && atomic_compare_exchange_strong(&chain_state, &state, LOG_OPENING)) {
		state = open_chains();
		atomic_store_explicit(&chain_state, state, memory_order_release);
	}
	while (state == LOG_OPENING)
		state = atomic_load_explicit(&chain_state, memory_order_acquire);
	return state == LOG_READY;
}

/* From the wrapper's caller on; the frames below it are the shim's. */
struct climb {
	uint64_t ip[CHAIN_DEPTH_MAX];
	uintptr_t caller;
	uint32_t depth;
	enum chain_end end;
};

/* False: that was all the room. */
static bool climb_step(struct climb *climb, uintptr_t ip)
{
	if (!climb->depth && ip != climb->caller)
		return true;
	if (climb->depth == CHAIN_DEPTH_MAX) {
		climb->end = CHAIN_FULL;
		return false;
	}
	climb->ip[climb->depth++] = ip;
	return true;
}

#ifdef SHIM_STATIC
static bool started;

/* Until now there was no telling where the program's call frame information is. */
__attribute__((constructor)) static void start(void)
{
	started = true;
}

static _Unwind_Reason_Code climb_frame(struct _Unwind_Context *context, void *climb)
{
	int exact = 0;
	uintptr_t ip = _Unwind_GetIPInfo(context, &exact);

	return !ip || climb_step(climb, ip + (exact != 0)) ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

__attribute__((noinline)) static void climb_all(struct climb *climb)
{
	if (!started)
		climb_step(climb, climb->caller);
	if (!started || (_Unwind_Backtrace(climb_frame, climb) != _URC_END_OF_STACK && climb->end == CHAIN_ROOT))
		climb->end = CHAIN_FAILED;
}
#else
/* The kernel's return from a signal handler, as libc hands it over: mov $15, %rax; syscall. */
static bool is_signal_return(unw_word_t ip)
{
	static const unsigned char code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};

	return !memcmp((const void *)ip, code, sizeof(code));
}

__attribute__((noinline)) static void climb_all(struct climb *climb)
{
	unw_context_t context;
	unw_cursor_t cursor;
	bool exact = false;
	unw_word_t ip;
	int more = -1;

	unw_getcontext(&context);
	if (!unw_init_local(&cursor, &context)) {
		while ((more = unw_step(&cursor)) > 0) {
			if (unw_get_reg(&cursor, UNW_REG_IP, &ip) || !ip || !climb_step(climb, ip + exact))
				break;
			exact = is_signal_return(ip);
		}
	}
	if (more < 0)
		climb->end = CHAIN_FAILED;
}
#endif

static void note_chain(void *caller, unsigned long size)
{
	struct climb climb;
	struct chain_record *record;
	int error = errno;
	uint64_t bytes, at;

	if (!chains_ready())
		return;
	climb.caller = (uintptr_t)caller;
	climb.depth = 0;
	climb.end = CHAIN_ROOT;
	climb_all(&climb);
	errno = error;
	bytes = offsetof(struct chain_record, ip) + climb.depth * sizeof(climb.ip[0]);
	at = climb.depth ? __atomic_fetch_add(&chain_header->used, bytes, __ATOMIC_RELAXED) : CHAIN_FILE_BYTES;
	if (at + bytes > CHAIN_FILE_BYTES - CHAIN_HEADER_BYTES) {
		__atomic_fetch_add(&chain_header->missed, 1, __ATOMIC_RELAXED);
		return;
	}
	record = (struct chain_record *)((char *)chain_header + CHAIN_HEADER_BYTES + at);
	record->size = size;
	record->pid = syscall(SYS_getpid);
	record->tid = syscall(SYS_gettid);
	record->end = climb.end;
	memcpy(record->ip, climb.ip, climb.depth * sizeof(climb.ip[0]));
	__atomic_store_n(&record->depth, climb.depth, __ATOMIC_RELEASE);
}

#ifndef SHIM_STATIC
static size_t (*libc_usable_size)(void *);

EXPORT size_t malloc_usable_size(void *addr)
{
	return libc_usable_size ? libc_usable_size(addr) : 0;
}

/*
 * jemalloc's own names, by which a program may ask, too, for what it gives to free() later. The lowest six bits
 * of the flags are the binary logarithm of the alignment, the next one asks for zeros; the rest chooses among caches.
 */
EXPORT void *mallocx(size_t size, int flags)
{
	int outer = outermost();
	void *addr = (flags & 63) > 4 ? __libc_memalign((size_t)1 << (flags & 63), size) : __libc_malloc(size);

	if (addr && flags & 64)
		memset(addr, 0, size);
	done(outer, TRUTH_MALLOC, __builtin_return_address(0), size, addr, NULL);
	return addr;
}

EXPORT void *rallocx(void *old, size_t size, int flags)
{
	int outer = outermost();
	void *addr;

	(void)flags;
	if (outer && old)
		note(TRUTH_REALLOC, TRUTH_ENTER, __builtin_return_address(0), size, NULL, old);
	addr = __libc_realloc(old, size);
	done(outer, TRUTH_REALLOC, __builtin_return_address(0), size, addr, old);
	return addr;
}

EXPORT void dallocx(void *old, int flags)
{
	(void)flags;
	if (outermost() && old)
		note(TRUTH_FREE, TRUTH_ENTER, __builtin_return_address(0), 0, NULL, old);
	__libc_free(old);
	depth--;
}

EXPORT size_t nallocx(size_t size, int flags)
{
	(void)flags;
	return size;
}

/*
 * A program may bring an allocator of its own as a library: the next one of that name is then not libc's, to which all
 * blocks belong that the shim hands out. After shim.c's own constructor, which looks for the next ones.
 */
__attribute__((constructor)) static void find_libc(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	if (!libc)
		return;
	*(void **)&next_reallocarray = dlsym(libc, "reallocarray");
	*(void **)&next_aligned_alloc = dlsym(libc, "aligned_alloc");
	*(void **)&next_posix_memalign = dlsym(libc, "posix_memalign");
	*(void **)&libc_usable_size = dlsym(libc, "malloc_usable_size");
}
#endif
