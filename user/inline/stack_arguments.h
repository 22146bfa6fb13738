/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Functions that look at what their callers have on the stack: at arguments for which there are no registers left, or at the
 * return address. When the sampler calls such a function, what it looks at is the sampler's.
 *
 * A function's instructions are read one by one, and those of whatever it jumps to: that has the same arguments. The file's call
 * frame information tells how far rsp or rbp is from the caller's frame.
 */
#include "binary/elf.h"

struct stack_arguments;

/* For one file, which is borrowed. 0, -ENOMEM, or an error of reading. */
int stack_arguments_new(struct elf *elf, struct stack_arguments **ret_file);
void stack_arguments_free(struct stack_arguments *file);

/* Does the function at that file offset, of `size` bytes, do so for all that can be found out? */
bool stack_arguments_may_have(struct stack_arguments *file, u64 offset, u64 size);
