/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Is what a file defines as malloc a wrapper, which hands the calls on to another file's? Such a file has no memory of its
 * own, and what it hands on to is probed. It uses glibc's other names for malloc, or asks the loader for "malloc".
 */
#include "include/types.h"

struct elf;
struct elf_dynamic;

/* `dynamic` NULL: no other file can have one. */
bool wrapper_is(const struct elf *elf, const struct elf_dynamic *dynamic);
