/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The memory of another process. It runs on while it is read: nothing stops it, and what is read may be torn. A reader is a function, so that
 * what decodes such memory can be tested on memory that was made.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

#include "include/types.h"

/* Another user's, which may be opened with CAP_DAC_READ_SEARCH to read, with CAP_DAC_OVERRIDE to write. */
#define PROCESS_MEMORY_FOREIGN (-ENOKEY)

/*
 * A descriptor of it (O_RDONLY, O_RDWR), also where the first thread has ended. It stays that of the program which runs now: when the process
 * executes another one, it leads nowhere. -ESRCH: it is gone; PROCESS_MEMORY_FOREIGN: that capability is missing; or another negative errno.
 */
int process_memory_open(pid_t pid, int flags);

struct process_memory {
	/* Exactly `size` bytes: 0; -EFAULT: it has no such bytes, or is gone; or an error of reading. */
	int (*read)(void *arg, u64 address, void *buffer, size_t size);
	void *arg;
};

int process_memory_read(const struct process_memory *memory, u64 address, void *buffer, size_t size);
int process_memory_word(const struct process_memory *memory, u64 address, u64 *ret_word);

/* The memory behind a descriptor of process_memory_open, by pieces: small reads that lie together are one system call. */
#define MEMORY_PIECE 65536
struct memory_pieces {
	int fd;
	u64 start;
	size_t size; /* 0: none is held */
	u8 bytes[MEMORY_PIECE];
};

int memory_pieces_read(void *pieces, u64 address, void *buffer, size_t size); /* for struct process_memory */
void memory_pieces_drop(struct memory_pieces *pieces); /* the next read sees the process as it is then */
