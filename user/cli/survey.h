/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SURVEY_H
#define SURVEY_H
/*
 * Many processes looked at from outside, before any of them is traced: which allocator files they map, each file opened
 * once, and which of them have none. Nothing of them is probed or stopped. 2000 processes take half a second of one core.
 */
#include <sys/types.h>

#include "include/config.h"
#include "system/pid_list.h"
#include "probe/binaries.h"

#define SURVEY_NAMED 5

/* Processes that have something in common; the first few of them by number. */
struct survey_some {
	unsigned int count;
	pid_t first[SURVEY_NAMED];
};

struct survey {
	struct binaries *target; /* all their files */
	unsigned int processes;	 /* that run a program: not threads of the kernel, nor those that have ended since */
	struct survey_some users[ALLOCATORS_MAX]; /* of each allocator file, by target_file.allocator */
	struct survey_some plain;		  /* no allocator that is known */
	struct survey_some narrow;		  /* neither, and their program is of 32 bits */
	struct survey_some unread;		  /* their mappings may not be read */
	struct survey_file *denied;		  /* files that cannot be opened, by device and inode */
	unsigned int denied_count;
	char *denied_path; /* of the first one, and a process that maps it; NULL: none */
	pid_t denied_pid;
};

/* `pools`: those of --alloc, which outlive it. 0 or -ENOMEM, and then there is nothing to release. */
int survey_make(const struct custom_allocator *pools, const struct pid_list *pids, struct survey *ret_survey);
void survey_release(struct survey *survey);

/*
 * Of a mapping that binaries_open_mapping has no file for: because it cannot be opened? What is mapped as code and is no
 * ELF file can; and of a process that has ended nobody asks.
 */
bool survey_is_denied(pid_t pid, const struct mapping *mapping);

#endif
