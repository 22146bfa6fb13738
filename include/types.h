/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Fixed-width names for both worlds. BPF objects get them from vmlinux.h, everything else from here, so that a shared
 * header includes only this file.
 */
#ifdef __bpf__
#include "vmlinux.h"
#else
#include <stdbool.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#endif

_Static_assert(sizeof(u64) == 8 && sizeof(u32) == 4 && sizeof(u16) == 2, "fixed-width names");
