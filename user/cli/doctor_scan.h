/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A look at processes from outside, before any of them is traced: which allocator files they map, each file opened once,
 * and which processes have none. Nothing is probed or stopped. 2000 processes take half a second of one core. And what is
 * printed of that: what would be probed, at which sites, and which other processes would pay.
 */
#include <sys/types.h>

#include "include/config.h"
#include "system/pid_list.h"
#include "probe/binaries.h"
#include "trace/attach_method.h"

#define DOCTOR_SCAN_NAMED 5

/* Processes that have something in common; the first few of them by number. */
struct doctor_scan_some {
	unsigned int count;
	pid_t first[DOCTOR_SCAN_NAMED], last;
};

/* A file that is mapped and cannot be opened, and the first process that maps it. */
struct doctor_scan_denied {
	struct doctor_scan_denied *next;
	dev_t device;
	ino_t inode;
	pid_t pid;
	int err; /* with which it was refused, negative errno */
	char path[];
};

struct doctor_scan {
	struct binaries *binaries; /* all their files */
	unsigned int processes;	   /* that run a program: no threads of the kernel, and none that has ended since */
	struct doctor_scan_some users[ALLOCATORS_MAX]; /* of each allocator file, by binary.allocator */
	struct doctor_scan_some plain;		       /* without an allocator that heaptap knows */
	struct doctor_scan_some narrow;		       /* without one, and of 32 bits */
	struct doctor_scan_some unread;		       /* their mappings may not be read */
	struct doctor_scan_denied *denied;	       /* in the order of finding */
	unsigned int denied_count;
	int error; /* negative errno: why the mappings of the last such process could not be read */
};

/* `pools`: those of --alloc, which outlive it. 0 or -ENOMEM, and then there is nothing to release. */
int doctor_scan_make(struct custom_allocator *pools, const struct pid_list *pids, struct doctor_scan *ret_scan);
void doctor_scan_release(struct doctor_scan *scan);

/* The links whose hits other processes pay for. */
enum doctor_links {
	LINKS_NONE,	/* all are filtered, or there are no other processes */
	LINKS_THROWING, /* those on the functions that throw (tracee.h says why) */
	LINKS_EVERY,	/* all are unfiltered */
};

/* The allocator files of one program. STATUS_DONE; STATUS_NO_TARGET, with what was searched, when there are none. */
int doctor_scan_print_files(const struct binaries *binaries);

/* The allocator files of many processes, the most used first; and the processes that cannot be traced. */
void doctor_scan_print(const struct doctor_scan *scan);

/*
 * How many other processes map the files under these links, and would pay. `pids`: those that are traced; they get
 * sorted. `calibration` NULL: what a hit costs is not known. `why`: printed as the reason where no others pay.
 */
void doctor_scan_print_payers(const struct binaries *binaries, enum doctor_links links, struct pid_list *pids,
			      const struct calibration *calibration, const char *why);
