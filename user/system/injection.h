/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Code brought into a running process, and jumps to it: in two steps, of which the first is slow and stops one thread, and the second stops
 * all and writes five bytes a jump. After each step, and within it, the process is one that can run on for ever; so it does if
 * heaptap is killed. Both are undone but for the mapped memory, in which a thread may still be.
 *
 * Nothing is guessed: where the memory is not what the caller expects, it is left alone.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "include/types.h"

#define INJECTION_JUMP	   5 /* bytes of a near one */
#define INJECTION_CODE_MAX 24
#define INJECTION_MOVES	   5
#define INJECTION_WITNESS  16

/* Memory for the code: bytes of a file, which are mapped private and executable, and zeros behind them to read and write. */
struct injection_image {
	int file;	    /* of the caller's; the process gets it for reading only, and does not keep it open */
	u64 bytes;	    /* of the file, whole pages */
	u64 data_bytes;	    /* whole pages */
	u64 wiped_bytes;    /* of the data, from the first on, that a forked child finds zero; whole pages */
	u64 near, near_end; /* addresses from and to which its code jumps */
};

/*
 * Map it. 0 and its address, and for how long one thread was stopped; or what stopped_threads_do, borrowed_thread_begin and passed_file_give
 * fail with; -ENOENT: the process has no code by which it can be made to call the kernel; -ENOSPC: there is no place;
 * -EOWNERDEAD: its first thread has ended, and descriptors are had from that.
 */
int injection_map(pid_t pid, const struct injection_image *image, u64 *ret_address, u64 *ret_stopped_ns);

/*
 * Could it be done, and the jumps be written, as far as that can be seen without stopping the process? 0 and where it would be mapped; or
 * what they would fail with. The filters of seccomp can be read only when it is stopped.
 */
int injection_examine(pid_t pid, const struct injection_image *image, u64 *ret_address);

/*
 * A jump. Whole instructions are moved, which fill `size` bytes; of these the jump's are written, all of which must lie in one page. The process may have executed the same program
 * once more since the code was brought into it, at the same addresses: it is looked for where the jump leads. A short one leads to a landing,
 * the patch before it: a near one in padding, where nobody else comes.
 */
struct injection_patch {
	u64 address;
	u8 size;
	u8 was[INJECTION_CODE_MAX];
	u8 becomes[INJECTION_JUMP];
	u32 jump_size; /* of that */
	bool landing;
	u64 probe; /* where the function is probed while there is no jump; 0: nowhere. For callers. */
	u8 witness[INJECTION_WITNESS]; /* where it leads */
	u8 move_count;
	struct {
		u64 from, to; /* instructions but the first, and where they are moved to */
	} moves[INJECTION_MOVES];
};

/*
 * What changes with the jumps, at the same moment for the process: it is called while all threads are stopped, before the first is written. With
 * `on` it may refuse by a negative errno, having changed nothing; if the jumps cannot be written after all, it is called once more without.
 */
struct stopped_threads;
struct injection_turn {
	int (*turn)(struct stopped_threads *threads, bool on, void *arg);
	void *arg;
};

/*
 * Write all of them, in this order, or none: functions that end objects belong first. `turn`: NULL, nothing else changes. 0; -EILSEQ: the memory is not what was there;
 * -ENOEXEC: the code is not where they lead; or, the process being as it was, -EAGAIN: a thread is in the midst of the instructions, or a signal handler will return there;
 * -EBUSY: or another process shares the memory; what stopped_threads_do and the turn fail with.
 */
int injection_patch(pid_t pid, const struct injection_patch *patches, u32 count, const struct injection_turn *turn,
		    u64 *ret_stopped_ns);

/* Is the memory what is to be there before that? 0; -EILSEQ; -ESRCH, or another error of reading it. Nothing is stopped. */
int injection_compare(pid_t pid, const struct injection_patch *patches, u32 count);

/*
 * Put back what was there, from the last on. A patch that is not there is left alone, so that this can be done twice. 0; -EILSEQ: one is
 * neither there nor not, and all others are undone; -EAGAIN: a signal handler will return to a landing, and only landings are left.
 */
int injection_undo(pid_t pid, const struct injection_patch *patches, u32 count, u64 *ret_stopped_ns);

/* The same, all of its threads being stopped already. */
int injection_undo_stopped(struct stopped_threads *threads, const struct injection_patch *patches, u32 count);

/* Does an error of these say only how things are at the moment? */
bool injection_may_pass(int err);

/* What an error of these means for a person, after the process's name: "a debugger has it". */
const char *injection_refusal(int err);
