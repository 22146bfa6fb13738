/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Padding behind instructions that a short jump at one of them reaches: there is room for a near jump, which leads on. */
#include <stddef.h>

#include "include/types.h"

#define LANDING_BYTES  5
#define LANDING_BEHIND 160 /* bytes of code in which it is looked for */

/*
 * `code` begins with the instruction in whose place the short jump is to be. Bytes from there to the landing; 0: there is none, or no
 * memory. No instruction comes there from the one in front of it; who jumps there is for the caller to find out.
 */
u32 landing_find(const u8 *code, size_t size);
