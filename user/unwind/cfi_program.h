/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The programs of call frame information: what they say about the registers that a table follows, address by
 * address.
 *
 * libdw can run them as well, one address at a time and each time from the start of the function, keeping every
 * register that a program names: the time of a hostile program is then the square of its size, and its memory is 16
 * bytes times a register number that it chooses. Here a program runs once, in memory that does not depend on it.
 */
#include <stddef.h>

#include "include/types.h"
#include "include/unwind.h"
#include "unwind/cfi_rule.h"
#include "unwind/cfi_sections.h"

/* A common information entry: what the programs of many functions start from. */
struct cfi_common {
	u64 offset; /* in its section */
	u64 code_factor;
	s64 data_factor;
	struct cfi_frame initial;
	u8 encoding;	/* of addresses */
	bool has_sizes; /* its functions' augmentation data begin with their size */
	bool is_signal;
	bool is_usable;
};

/* Run the entry's own program, into `initial`. */
void cfi_common_run(struct cfi_common *common, struct cfi_reader program);

struct cfi_function {
	const struct cfi_section *section;
	struct cfi_reader program;
	u64 address, size;
	u64 offset; /* of its code in the file */
	u32 common; /* index */
};

/*
 * Call `each` with the rule in force from `distance` behind the function's start on, ascending from 0, until it returns
 * non-zero; returns that value, or 0 at the end. `is_lost`: the rule is CFA_UNKNOWN because unwind_rule cannot say what
 * the program does.
 */
int cfi_function_run(const struct cfi_function *function, const struct cfi_common *common,
		     int (*each)(void *arg, u64 distance, const struct unwind_rule *rule, bool is_lost), void *arg);

/*
 * Call `each` with the instructions of the program as they are written, but for those that say from where on the next ones count: this
 * is `distance` behind the function's start. Until it returns non-zero; returns that value, 0 at the end; -EBADMSG: the program is
 * damaged.
 */
int cfi_function_copy(const struct cfi_function *function, const struct cfi_common *common,
		      int (*each)(void *arg, u64 distance, const u8 *instruction, size_t size), void *arg);
