/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A preloaded library that lets one call of heaptap fail: of the allocation functions, or of the C library's system calls. Calls are told
 * apart by their stack, and what fails is the first call from a stack, once. What was preloaded reaches no program that heaptap starts.
 *
 *   HEAPTAP_FAULT_LOG   file to which a line is added for each stack: its number, the function, and the return addresses, leaf first
 *   HEAPTAP_FAULT_SITE  the number of the stack whose first call is to fail; then only that line is added, once it has
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_site.h"

#define EXPORT __attribute__((visibility("default"), noinline))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

#define FRAME ((const uintptr_t *)__builtin_frame_address(0))

/* A function that returns `failure`, and errno is `error`, when it fails. */
#define WRAP(type, name, error, failure, parameters, ...)                                                              \
	EXPORT type name parameters                                                                                    \
	{                                                                                                              \
		static type(*real) parameters;                                                                         \
                                                                                                                       \
		real = real ? real : (type(*) parameters)next(#name);                                                  \
		if (fails(#name, FRAME)) {                                                                             \
			errno = error;                                                                                 \
			return failure;                                                                                \
		}                                                                                                      \
		return real(__VA_ARGS__);                                                                              \
	}

/* One that does what it should all the same, as close(2): what fails is only known afterwards. */
#define WRAP_DONE(type, name, error, failure, parameters, ...)                                                         \
	EXPORT type name parameters                                                                                    \
	{                                                                                                              \
		static type(*real) parameters;                                                                         \
		bool failing = fails(#name, FRAME);                                                                    \
		type result;                                                                                           \
                                                                                                                       \
		real = real ? real : (type(*) parameters)next(#name);                                                  \
		result = real(__VA_ARGS__);                                                                            \
		if (failing)                                                                                           \
			errno = error;                                                                                 \
		return failing ? failure : result;                                                                     \
	}

/* --- memory --- */

EXPORT void *malloc(size_t size)
{
	if (fails("malloc", FRAME)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	if (fails("calloc", FRAME)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
	if (size && fails("realloc", FRAME)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(old, size);
}

EXPORT void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || (bytes && fails("reallocarray", FRAME))) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(old, bytes);
}

WRAP(void *, mmap, ENOMEM, MAP_FAILED, (void *addr, size_t size, int prot, int flags, int fd, off_t offset), addr, size,
     prot, flags, fd, offset)
WRAP(void *, mmap64, ENOMEM, MAP_FAILED, (void *addr, size_t size, int prot, int flags, int fd, off_t offset), addr,
     size, prot, flags, fd, offset)
WRAP(int, madvise, EAGAIN, -1, (void *addr, size_t size, int advice), addr, size, advice)

/* --- files --- */

/* Their last argument is read whether it is there or not: where it is not, nobody looks at it. */
#define WRAP_OPEN(name)                                                                                                \
	EXPORT int name(const char *path, int flags, ...)                                                              \
	{                                                                                                              \
		static int (*real)(const char *, int, ...);                                                            \
		va_list args;                                                                                          \
		mode_t mode;                                                                                           \
                                                                                                                       \
		va_start(args, flags);                                                                                 \
		mode = va_arg(args, mode_t);                                                                           \
		va_end(args);                                                                                          \
		real = real ? real : (int (*)(const char *, int, ...))next(#name);                                     \
		if (fails(#name, FRAME)) {                                                                             \
			errno = EMFILE;                                                                                \
			return -1;                                                                                     \
		}                                                                                                      \
		return real(path, flags, mode);                                                                        \
	}

#define WRAP_OPENAT(name)                                                                                              \
	EXPORT int name(int directory, const char *path, int flags, ...)                                               \
	{                                                                                                              \
		static int (*real)(int, const char *, int, ...);                                                       \
		va_list args;                                                                                          \
		mode_t mode;                                                                                           \
                                                                                                                       \
		va_start(args, flags);                                                                                 \
		mode = va_arg(args, mode_t);                                                                           \
		va_end(args);                                                                                          \
		real = real ? real : (int (*)(int, const char *, int, ...))next(#name);                                \
		if (fails(#name, FRAME)) {                                                                             \
			errno = EMFILE;                                                                                \
			return -1;                                                                                     \
		}                                                                                                      \
		return real(directory, path, flags, mode);                                                             \
	}

WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)
WRAP_DONE(int, close, EIO, -1, (int fd), fd)
WRAP(ssize_t, read, EIO, -1, (int fd, void *buffer, size_t size), fd, buffer, size)
WRAP(ssize_t, pread, EIO, -1, (int fd, void *buffer, size_t size, off_t offset), fd, buffer, size, offset)
WRAP(ssize_t, pread64, EIO, -1, (int fd, void *buffer, size_t size, off_t offset), fd, buffer, size, offset)
WRAP(ssize_t, write, ENOSPC, -1, (int fd, const void *buffer, size_t size), fd, buffer, size)
WRAP(ssize_t, pwrite, ENOSPC, -1, (int fd, const void *buffer, size_t size, off_t offset), fd, buffer, size, offset)
WRAP(int, ftruncate, ENOSPC, -1, (int fd, off_t size), fd, size)
WRAP(int, fsync, EIO, -1, (int fd), fd)
WRAP(int, fdatasync, EIO, -1, (int fd), fd)
WRAP(int, renameat, EIO, -1, (int from, const char *old, int to, const char *new), from, old, to, new)
WRAP(int, unlink, EIO, -1, (const char *path), path)
WRAP(int, unlinkat, EIO, -1, (int directory, const char *path, int flags), directory, path, flags)
WRAP(int, mkdir, ENOSPC, -1, (const char *path, mode_t mode), path, mode)
WRAP(int, mkdirat, ENOSPC, -1, (int directory, const char *path, mode_t mode), directory, path, mode)
WRAP(int, fchmod, EIO, -1, (int fd, mode_t mode), fd, mode)
WRAP(int, stat, EIO, -1, (const char *restrict path, struct stat *restrict status), path, status)
WRAP(int, lstat, EIO, -1, (const char *restrict path, struct stat *restrict status), path, status)
WRAP(int, fstat, EIO, -1, (int fd, struct stat *status), fd, status)
WRAP(int, fstatat, EIO, -1, (int directory, const char *restrict path, struct stat *restrict status, int flags),
     directory, path, status, flags)
WRAP(ssize_t, readlink, EIO, -1, (const char *restrict path, char *restrict buffer, size_t size), path, buffer, size)
WRAP(int, dup2, EMFILE, -1, (int fd, int as), fd, as)
WRAP(int, pipe2, EMFILE, -1, (int fds[2], int flags), fds, flags)
WRAP(int, memfd_create, EMFILE, -1, (const char *name, unsigned int flags), name, flags)
WRAP(int, eventfd, EMFILE, -1, (unsigned int count, int flags), count, flags)
WRAP(int, signalfd, EMFILE, -1, (int fd, const sigset_t *mask, int flags), fd, mask, flags)
WRAP(int, flock, ENOLCK, -1, (int fd, int operation), fd, operation)
WRAP(FILE *, fopen, EMFILE, NULL, (const char *restrict path, const char *restrict mode), path, mode)
WRAP(FILE *, fopen64, EMFILE, NULL, (const char *restrict path, const char *restrict mode), path, mode)
WRAP(FILE *, fdopen, ENOMEM, NULL, (int fd, const char *mode), fd, mode)
WRAP(FILE *, tmpfile, EMFILE, NULL, (void), )
WRAP(int, fflush, ENOSPC, EOF, (FILE * file), file)
WRAP_DONE(int, fclose, ENOSPC, EOF, (FILE * file), file)
WRAP(char *, fgets, EIO, NULL, (char *restrict buffer, int size, FILE *restrict file), buffer, size, file)
WRAP(size_t, fread, EIO, 0, (void *restrict to, size_t size, size_t count, FILE *restrict file), to, size, count, file)
WRAP(ssize_t, __getdelim, EIO, -1, (char **restrict line, size_t *restrict size, int delimiter, FILE *restrict file),
     line, size, delimiter, file)
WRAP(DIR *, opendir, EMFILE, NULL, (const char *path), path)
WRAP(DIR *, fdopendir, ENOMEM, NULL, (int fd), fd)
WRAP(struct dirent *, readdir, EIO, NULL, (DIR * directory), directory)
WRAP(int, scandir, ENOMEM, -1,
     (const char *restrict path, struct dirent ***restrict names, int (*filter)(const struct dirent *),
      int (*compare)(const struct dirent **, const struct dirent **)),
     path, names, filter, compare)

/* --- waiting, talking --- */

WRAP(int, poll, EINTR, -1, (struct pollfd * fds, nfds_t count, int timeout), fds, count, timeout)
WRAP(int, epoll_create1, EMFILE, -1, (int flags), flags)
WRAP(int, epoll_ctl, ENOMEM, -1, (int epoll, int operation, int fd, struct epoll_event *event), epoll, operation, fd,
     event)
WRAP(int, epoll_wait, EINTR, -1, (int epoll, struct epoll_event *events, int most, int timeout), epoll, events, most,
     timeout)
WRAP(int, socket, EMFILE, -1, (int domain, int type, int protocol), domain, type, protocol)
WRAP(int, socketpair, EMFILE, -1, (int domain, int type, int protocol, int fds[2]), domain, type, protocol, fds)
WRAP(int, bind, ENOBUFS, -1, (int fd, const struct sockaddr *address, socklen_t size), fd, address, size)
WRAP(int, listen, ENOBUFS, -1, (int fd, int backlog), fd, backlog)
WRAP(int, accept4, EMFILE, -1, (int fd, struct sockaddr *address, socklen_t *size, int flags), fd, address, size, flags)
WRAP(int, connect, ENOBUFS, -1, (int fd, const struct sockaddr *address, socklen_t size), fd, address, size)
WRAP(int, getsockname, ENOBUFS, -1, (int fd, struct sockaddr *address, socklen_t *size), fd, address, size)
WRAP(int, setsockopt, ENOMEM, -1, (int fd, int level, int name, const void *value, socklen_t size), fd, level, name,
     value, size)
WRAP(ssize_t, send, ENOBUFS, -1, (int fd, const void *buffer, size_t size, int flags), fd, buffer, size, flags)
WRAP(ssize_t, sendmsg, ENOBUFS, -1, (int fd, const struct msghdr *message, int flags), fd, message, flags)
WRAP(ssize_t, recv, ENOMEM, -1, (int fd, void *buffer, size_t size, int flags), fd, buffer, size, flags)
WRAP(ssize_t, recvmsg, ENOMEM, -1, (int fd, struct msghdr *message, int flags), fd, message, flags)

/* --- processes --- */

WRAP(pid_t, fork, EAGAIN, -1, (void), )
WRAP(int, execve, ENOMEM, -1, (const char *path, char *const argv[], char *const environment[]), path, argv,
     environment)
WRAP(pid_t, waitpid, EINTR, -1, (pid_t pid, int *status, int options), pid, status, options)
WRAP(int, waitid, EINTR, -1, (idtype_t type, id_t id, siginfo_t *info, int options), type, id, info, options)
WRAP(int, pthread_create, EAGAIN, EAGAIN,
     (pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*run)(void *), void *restrict arg),
     thread, attributes, run, arg)
WRAP(int, setrlimit, EPERM, -1, (enum __rlimit_resource resource, const struct rlimit *limit), resource, limit)
WRAP(int, unshare, ENOMEM, -1, (int flags), flags)
WRAP(ssize_t, process_vm_readv, EFAULT, -1,
     (pid_t pid, const struct iovec *to, unsigned long to_count, const struct iovec *from, unsigned long from_count,
      unsigned long flags),
     pid, to, to_count, from, from_count, flags)
WRAP(ssize_t, process_vm_writev, EFAULT, -1,
     (pid_t pid, const struct iovec *from, unsigned long from_count, const struct iovec *to, unsigned long to_count,
      unsigned long flags),
     pid, from, from_count, to, to_count, flags)
WRAP(void *, dlopen, ENOENT, NULL, (const char *path, int flags), path, flags)

EXPORT int fcntl(int fd, int command, ...)
{
	static int (*real)(int, int, ...);
	va_list args;
	void *argument;

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	real = real ? real : (int (*)(int, int, ...))next("fcntl");
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fails("fcntl", FRAME)) {
		errno = EMFILE;
		return -1;
	}
	return real(fd, command, argument);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	real = real ? real : (int (*)(int, unsigned long, ...))next("ioctl");
	if (fails("ioctl", FRAME)) {
		errno = ENOMEM;
		return -1;
	}
	return real(fd, request, argument);
}

/* A process that heaptap has stopped can be let go always, unless it is gone: only taking hold of one fails. */
EXPORT long ptrace(enum __ptrace_request request, ...)
{
	static long (*real)(enum __ptrace_request, ...);
	va_list args;
	pid_t pid;
	void *address, *data;

	va_start(args, request);
	pid = va_arg(args, pid_t);
	address = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);
	real = real ? real : (long (*)(enum __ptrace_request, ...))next("ptrace");
	if ((request == PTRACE_SEIZE || request == PTRACE_ATTACH) && fails("ptrace", FRAME)) {
		errno = EPERM;
		return -1;
	}
	return real(request, pid, address, data);
}

/* bpf, perf_event_open and what else has no function of its own. */
EXPORT long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long words[6];
	va_list args;

	va_start(args, number);
	for (unsigned int i = 0; i < 6; i++)
		words[i] = va_arg(args, long);
	va_end(args);
	real = real ? real : (long (*)(long, ...))next("syscall");
	if (number != SYS_futex && fails("syscall", FRAME)) {
		errno = number == SYS_bpf ? ENOMEM : EMFILE;
		return -1;
	}
	return real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
