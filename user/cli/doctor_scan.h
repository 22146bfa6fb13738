/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_DOCTOR_SCAN_H
#define CLI_DOCTOR_SCAN_H
/*
 * Many processes looked at from outside, before any of them is traced: which allocator files they map, each file opened
 * once, and which of them have none. Nothing of them is probed or stopped. 2000 processes take half a second of one core.
 */
#include <sys/types.h>

#include "include/config.h"
#include "system/pid_list.h"
#include "probe/binaries.h"

#define DOCTOR_SCAN_NAMED 5

/* Processes that have something in common; the first few of them by number. */
struct doctor_scan_some {
	unsigned int count;
	pid_t first[DOCTOR_SCAN_NAMED];
};

struct doctor_scan {
	struct binaries *binaries; /* all their files */
	unsigned int processes;	   /* that run a program: not threads of the kernel, nor those that have ended since */
	struct doctor_scan_some users[ALLOCATORS_MAX]; /* of each allocator file, by target_file.allocator */
	struct doctor_scan_some plain;		       /* no allocator that is known */
	struct doctor_scan_some narrow;		       /* neither, and their program is of 32 bits */
	struct doctor_scan_some unread;		       /* their mappings may not be read */
	struct survey_file *denied;		       /* files that cannot be opened, by device and inode */
	unsigned int denied_count;
	char *denied_path; /* of the first one, and a process that maps it; NULL: none */
	pid_t denied_pid;
};

/* `pools`: those of --alloc, which outlive it. 0 or -ENOMEM, and then there is nothing to release. */
int doctor_scan_make(const struct custom_allocator *pools, const struct pid_list *pids, struct doctor_scan *ret_survey);
void doctor_scan_release(struct doctor_scan *scan);

/*
 * Of a mapping that binaries_open_mapping has no file for: because it cannot be opened? What is mapped as code and is no
 * ELF file can; and of a process that has ended nobody asks.
 */
bool doctor_scan_is_denied(pid_t pid, const struct mapping *mapping);

#endif
