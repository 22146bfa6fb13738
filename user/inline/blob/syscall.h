/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* System calls without a C library, whose errno they leave alone: the result, or a negative errno. */
#include "include/types.h"

#define SYSCALL_MMAP	9
#define SYSCALL_MADVISE 28
#define SYSCALL_GETPID	39

static inline s64 syscall_0(u64 number)
{
	s64 result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
	return result;
}

static inline s64 syscall_3(u64 number, u64 one, u64 two, u64 three)
{
	s64 result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(one), "S"(two), "d"(three)
			 : "rcx", "r11", "memory");
	return result;
}

static inline s64 syscall_6(u64 number, u64 one, u64 two, u64 three, u64 four, u64 five, u64 six)
{
	register u64 r10 __asm__("r10") = four;
	register u64 r8 __asm__("r8") = five;
	register u64 r9 __asm__("r9") = six;
	s64 result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(one), "S"(two), "d"(three), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
