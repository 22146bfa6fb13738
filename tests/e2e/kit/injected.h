/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* target_patient, and a counter that is injected into its function. Functions fail the running test themselves but for those that return errors. */
#include "child.h"
#include "patient.h"

#include "include/types.h"
#include "system/injection.h"

struct injected {
	struct child target;
	struct patient_page *page;
	int file;    /* of the code */
	u64 address; /* where it is mapped; 0: it is not */
	u64 one_stopped_ns, all_stopped_ns;
	struct injection_patch patch;
};

/* Words of targets that have threads, sleep, fork or get signals. */
#define INJECTED_KINDS 7
extern const char *const injected_kinds[INJECTED_KINDS][8];

/* Start it with the words of its command line behind the page, which are NULL-terminated, and wait until it works. */
void injected_start(struct injected *injected, const char *const *words);
void injected_release(struct injected *injected);

/*
 * Each tries again up to `tries` times where that may help. With more than one try, those in which a thread did not stop in time, as beside other
 * work, do not count until there were INJECTED_TRIES. 0 or negative errno.
 */
#define INJECTED_TRIES 2000
int injected_map(struct injected *injected, int tries);
int injected_patch(struct injected *injected, int tries);
int injected_undo(struct injected *injected, int tries);

/* Wait until each of its threads has done its work twice more; nothing may be wrong with it. */
void injected_check(const struct injected *injected);

/* In and out again: the counter counts, and then it does not; the code is as it was. */
void injected_cycle(struct injected *injected);

/* Wait until a thread of it is held. */
void injected_await_held(const struct injected *injected);

/* How often the injected code was run; the function's first bytes as they are in memory. */
u64 injected_count(const struct injected *injected);
void injected_function_bytes(const struct injected *injected, u8 ret_bytes[INJECTION_CODE_MAX]);
