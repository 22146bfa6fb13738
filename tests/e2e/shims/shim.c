/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The truth: a preloaded library in front of every allocation function of glibc. It passes each call through and writes
 * down the outermost ones, in the same process and run that heaptap looks at, since no two runs of a program agree to
 * the byte.
 *
 * It allocates nothing, and works from the process's first call on, long before its own constructor. A block given back
 * is written down before the call and one handed out after it, so that for any address the order of the log is the
 * order of the owners, whatever the threads do. Every wrapper keeps a frame and makes a real call: a frame-pointer walk
 * from within libc finds the shim first and the caller next.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "truth_log.h"

#define NAME_MAX_BYTES 4096
#define RECORDS_MAX    ((TRUTH_FILE_BYTES - TRUTH_HEADER_BYTES) / sizeof(struct truth_record))
/* Wrappers have a section of their own: by its bounds their frames are known from the caller's. */
#define EXPORT __attribute__((visibility("default"), noinline, section("shim")))

/*
 * Their code has names of its own, and the standard ones are aliases: a frame that is called as one of those which heaptap leaves out
 * (posix_memalign is) would not be found in the profile, nor the callers above it that it leaves out likewise, as operator new.
 */
#ifndef SHIM_STATIC
#define malloc	       shim_malloc
#define calloc	       shim_calloc
#define realloc	       shim_realloc
#define reallocarray   shim_reallocarray
#define memalign       shim_memalign
#define aligned_alloc  shim_aligned_alloc
#define posix_memalign shim_posix_memalign
#define valloc	       shim_valloc
#define pvalloc	       shim_pvalloc
#define free	       shim_free
#define cfree	       shim_cfree
#endif

/* What shim_unwind.c adds about a call that has handed out a block, while what it allocates itself still passes in
 * silence. */
#ifndef SHIM_CHAIN
#define SHIM_CHAIN(caller, size, addr) ((void)(caller))
#endif

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void *__libc_valloc(size_t size);
extern void *__libc_pvalloc(size_t size);
extern void __libc_free(void *old);

extern const char __start_shim[] __attribute__((visibility("hidden")));
extern const char __stop_shim[] __attribute__((visibility("hidden")));

enum log_state {
	LOG_UNOPENED,
	LOG_OPENING,
	LOG_READY,
	LOG_OFF
};

/*
 * One page that the kernel empties in a forked child, so that the child finds its log unopened and begins one of its
 * own at its first call. A child that shares the memory (vfork) finds its parent's, and books there until it execs.
 */
static union {
	struct {
		_Atomic int state;
		pid_t pid; /* the process that the log is of */
		struct truth_header *header;
		struct truth_record *records;
	};
	char page[4096];
} shim_log __attribute__((aligned(4096)));

/* Initial-exec: the dynamic model would call the allocator for its block. */
static __thread int depth __attribute__((tls_model("initial-exec")));

static void *(*next_reallocarray)(void *, size_t, size_t);
static void *(*next_aligned_alloc)(size_t, size_t);
static int (*next_posix_memalign)(void **, size_t, size_t);

static char *append_number(char *at, unsigned long number)
{
	char digits[24];
	int count = 0;

	do
		digits[count++] = '0' + number % 10;
	while (number /= 10);
	while (count)
		*at++ = digits[--count];
	return at;
}

/* The next free name, so that an image after exec does not overwrite the log of the one before. */
static int open_fresh(const char *prefix)
{
	char name[NAME_MAX_BYTES];
	char *end = name;
	int fd = -1;

	while (*prefix && end < name + sizeof(name) - 64)
		*end++ = *prefix++;
	*end++ = '.';
	end = append_number(end, syscall(SYS_getpid));
	*end++ = '.';
	for (unsigned int n = 1; n < 1000 && fd < 0; n++) {
		*append_number(end, n) = '\0';
		fd = syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

static void describe(struct truth_header *header)
{
	ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", header->exe, sizeof(header->exe) - 1);

	header->exe[length > 0 ? length : 0] = '\0';
	header->pid = (uint32_t)shim_log.pid;
	header->shim_start = (uintptr_t)__start_shim;
	header->shim_end = (uintptr_t)__stop_shim;
	header->magic = TRUTH_MAGIC;
}

static int open_log(void)
{
	const char *prefix = getenv(TRUTH_VARIABLE);
	void *file = MAP_FAILED;
	int fd;

	if (syscall(SYS_madvise, &shim_log, sizeof(shim_log), MADV_WIPEONFORK) || !prefix)
		return LOG_OFF;
	fd = open_fresh(prefix);
	if (fd < 0)
		return LOG_OFF;
	if (!syscall(SYS_ftruncate, fd, TRUTH_FILE_BYTES))
		file = mmap(NULL, TRUTH_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	syscall(SYS_close, fd);
	if (file == MAP_FAILED)
		return LOG_OFF;
	shim_log.pid = syscall(SYS_getpid);
	shim_log.header = file;
	shim_log.records = (struct truth_record *)((char *)file + TRUTH_HEADER_BYTES);
	describe(file);
	return LOG_READY;
}

static int log_ready(void)
{
	int state = atomic_load_explicit(&shim_log.state, memory_order_acquire);
	int error = errno;

	if (state == LOG_UNOPENED && atomic_compare_exchange_strong(&shim_log.state, &state, LOG_OPENING)) {
		state = open_log();
		atomic_store_explicit(&shim_log.state, state, memory_order_release);
		errno = error;
	}
	while (state == LOG_OPENING)
		state = atomic_load_explicit(&shim_log.state, memory_order_acquire);
	return state == LOG_READY;
}

static void note(enum truth_function function, enum truth_phase phase, void *caller, size_t size, void *addr, void *old)
{
	struct truth_record *record;
	uint64_t index;

	if (!log_ready())
		return;
	index = __atomic_fetch_add(&shim_log.header->count, 1, __ATOMIC_SEQ_CST);
	if (index >= RECORDS_MAX) {
		__atomic_fetch_add(&shim_log.header->missed, 1, __ATOMIC_RELAXED);
		return;
	}
	record = &shim_log.records[index];
	record->caller = (uintptr_t)caller;
	record->size = size;
	record->addr = (uintptr_t)addr;
	record->old = (uintptr_t)old;
	record->function = function;
	record->pid = shim_log.pid;
	record->tid = syscall(SYS_gettid);
	__atomic_store_n(&record->phase, phase, __ATOMIC_RELEASE);
}

/* Both for a call from outside; a call that libc makes while it serves one is passed on in silence. */
static int outermost(void)
{
	return depth++ == 0;
}

static void done(int outer, enum truth_function function, void *caller, size_t size, void *addr, void *old)
{
	if (outer)
		note(function, TRUTH_RETURN, caller, size, addr, old);
	if (outer && addr)
		SHIM_CHAIN(caller, size, addr);
	depth--;
}

static size_t product(size_t count, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? 0 : bytes;
}

EXPORT void *malloc(size_t size)
{
	int outer = outermost();
	void *addr = __libc_malloc(size);

	done(outer, TRUTH_MALLOC, __builtin_return_address(0), size, addr, NULL);
	return addr;
}

EXPORT void *calloc(size_t count, size_t size)
{
	int outer = outermost();
	void *addr = __libc_calloc(count, size);

	done(outer, TRUTH_CALLOC, __builtin_return_address(0), product(count, size), addr, NULL);
	return addr;
}

EXPORT void *realloc(void *old, size_t size)
{
	int outer = outermost();
	void *addr;

	if (outer && old)
		note(TRUTH_REALLOC, TRUTH_ENTER, __builtin_return_address(0), size, NULL, old);
	addr = __libc_realloc(old, size);
	done(outer, TRUTH_REALLOC, __builtin_return_address(0), size, addr, old);
	return addr;
}

EXPORT void *reallocarray(void *old, size_t count, size_t size)
{
	int outer = outermost();
	size_t bytes = product(count, size);
	void *addr;

	if (outer && old)
		note(TRUTH_REALLOCARRAY, TRUTH_ENTER, __builtin_return_address(0), bytes, NULL, old);
	addr = next_reallocarray ? next_reallocarray(old, count, size) : __libc_realloc(old, bytes);
	if (outer && old && !addr && !bytes && count && size) {
		/* The product overflowed: a failure that keeps the old block, and no request for nothing. */
		depth--;
		note(TRUTH_REALLOCARRAY, TRUTH_RETURN, __builtin_return_address(0), SIZE_MAX, NULL, old);
		return addr;
	}
	done(outer, TRUTH_REALLOCARRAY, __builtin_return_address(0), bytes, addr, old);
	return addr;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
	int outer = outermost();
	void *addr = __libc_memalign(alignment, size);

	done(outer, TRUTH_MEMALIGN, __builtin_return_address(0), size, addr, NULL);
	return addr;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	int outer = outermost();
	void *addr = next_aligned_alloc ? next_aligned_alloc(alignment, size) : __libc_memalign(alignment, size);

	done(outer, TRUTH_ALIGNED_ALLOC, __builtin_return_address(0), size, addr, NULL);
	return addr;
}

/* Before the constructor has found libc's own; valid alignments only, as early callers pass. */
__attribute__((section("shim"))) static int early_posix_memalign(void **ret_addr, size_t alignment, size_t size)
{
	void *addr = __libc_memalign(alignment, size);

	if (!addr)
		return ENOMEM;
	*ret_addr = addr;
	return 0;
}

EXPORT int posix_memalign(void **ret_addr, size_t alignment, size_t size)
{
	int outer = outermost();
	int error = (next_posix_memalign ? next_posix_memalign : early_posix_memalign)(ret_addr, alignment, size);

	done(outer, TRUTH_POSIX_MEMALIGN, __builtin_return_address(0), size, error ? NULL : *ret_addr, NULL);
	return error;
}

EXPORT void *valloc(size_t size)
{
	int outer = outermost();
	void *addr = __libc_valloc(size);

	done(outer, TRUTH_VALLOC, __builtin_return_address(0), size, addr, NULL);
	return addr;
}

EXPORT void *pvalloc(size_t size)
{
	int outer = outermost();
	void *addr = __libc_pvalloc(size);

	done(outer, TRUTH_PVALLOC, __builtin_return_address(0), size, addr, NULL);
	return addr;
}

EXPORT void free(void *old)
{
	if (outermost() && old)
		note(TRUTH_FREE, TRUTH_ENTER, __builtin_return_address(0), 0, NULL, old);
	__libc_free(old);
	depth--;
}

EXPORT void cfree(void *old)
{
	if (outermost() && old)
		note(TRUTH_CFREE, TRUTH_ENTER, __builtin_return_address(0), 0, NULL, old);
	__libc_free(old);
	depth--;
}

#ifndef SHIM_STATIC
#undef malloc
#undef calloc
#undef realloc
#undef reallocarray
#undef memalign
#undef aligned_alloc
#undef posix_memalign
#undef valloc
#undef pvalloc
#undef free
#undef cfree

#define NAME(standard) __attribute__((visibility("default"), alias("shim_" standard)))

extern NAME("malloc") void *malloc(size_t size);
extern NAME("calloc") void *calloc(size_t count, size_t size);
extern NAME("realloc") void *realloc(void *old, size_t size);
extern NAME("reallocarray") void *reallocarray(void *old, size_t count, size_t size);
extern NAME("memalign") void *memalign(size_t alignment, size_t size);
extern NAME("aligned_alloc") void *aligned_alloc(size_t alignment, size_t size);
extern NAME("posix_memalign") int posix_memalign(void **ret_addr, size_t alignment, size_t size);
extern NAME("valloc") void *valloc(size_t size);
extern NAME("pvalloc") void *pvalloc(size_t size);
extern NAME("free") void free(void *old);
extern NAME("cfree") void cfree(void *old);
#endif

#if !defined(SHIM_STATIC) && !defined(SHIM_MUSL)
/* Names that libc exports under no alias of its own. What dlsym itself may allocate is written down like any other
 * call. */
__attribute__((constructor)) static void find_next(void)
{
	log_ready();
	*(void **)&next_reallocarray = dlsym(RTLD_NEXT, "reallocarray");
	*(void **)&next_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	*(void **)&next_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
}
#endif
