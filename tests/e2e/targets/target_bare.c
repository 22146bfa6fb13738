/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program without libc, and so without an allocator: it says that it is ready and waits. Built for 64 and for 32
 * bits. */
#ifdef __x86_64__
#define READ  0
#define WRITE 1
#define EXIT  60
#else
#define READ  3
#define WRITE 4
#define EXIT  1
#endif

static long system_call(long number, long first, const void *second, long third)
{
	long result;

#ifdef __x86_64__
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
#else
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third) : "memory");
#endif
	return result;
}

void _start(void)
{
	static char byte = 'r';

	system_call(WRITE, 1, &byte, 1);
	system_call(READ, 0, &byte, 1);
	system_call(EXIT, 0, 0, 0);
	__builtin_unreachable();
}
