/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room format/: profiles to files and tables for people, and files back to profiles. It owns the formats of
 * docs/formats.md, the names of the files, and the layout of the tables. Everything in it works on a finished profile:
 * it neither traces nor decides which processes get files, and it never changes a profile it writes.
 *
 * This header: from a profile to files. Every file is written to a temporary name in the same directory, flushed, and
 * renamed, so that a full disk leaves the previous file intact.
 */
#include <stdio.h>
#include <sys/types.h>

#include "profile/profile.h"

enum format {
	FORMAT_PPROF = 1 << 0,
	FORMAT_TEXT = 1 << 1,
	FORMAT_FOLDED = 1 << 2,
	FORMAT_JSON = 1 << 3,
};

/*
 * Write `profile` in every format of the mask into directory `dir` (a descriptor) as <folder><pid>.<comm>[-N].<ext>, or
 * <folder><stem>.<ext> where it has a stem; N is profile->image when above 1, and before <ext> comes ".go" where a Go program kept the
 * profile itself. Where there is a profile of its regions, that goes to the same names in <folder>mappings/, and `profile` itself is left
 * out if it has no sample. `folder` is "", or has a slash at its end and fewer than OUTPUT_FILE_FOLDER_MAX characters. *ret_files is a
 * NULL-terminated list of the names written, with the
 * folder (free with string_list_free); set even on error, with those that were completed. 0 or the first negative errno:
 * a format that fails does not keep the others from being written.
 */
#define OUTPUT_FILE_FOLDER_MAX 64
#define OUTPUT_FILE_MAPPINGS   "mappings/"
int output_file_write(int dir, const struct profile *profile, unsigned int formats, const char *folder,
		      char ***ret_files);

/* `name` as part of a file name: cut, and with '_' for what is not of [A-Za-z0-9._-]. */
#define OUTPUT_FILE_NAME_MAX 64
void output_file_clean_name(const char *name, char clean[OUTPUT_FILE_NAME_MAX + 1]);

/*
 * The permissions of all files from here on, whatever the umask is; OUTPUT_FILE_MODE at first, since a profile tells the
 * addresses of a process that still runs, and whose code it is.
 */
#define OUTPUT_FILE_MODE 0600
void output_file_set_mode(mode_t mode);

/* In the directory of a recording of several processes: the profile of all of them. */
#define OUTPUT_FILE_MERGED	    "merged/"
#define OUTPUT_FILE_ALL		    "all.pb.gz"
#define OUTPUT_FILE_OF_ALL	    OUTPUT_FILE_MERGED OUTPUT_FILE_ALL
#define OUTPUT_FILE_MAPPINGS_OF_ALL OUTPUT_FILE_MERGED OUTPUT_FILE_MAPPINGS OUTPUT_FILE_ALL

/* The permissions of a directory of such files: who may read them may also find them. */
mode_t output_file_directory_mode(mode_t mode);

/* A file that appears under its name whole or not at all. */
#define TEMPORARY_NAME_MAX 48
struct output_file {
	int dir;
	char temporary[TEMPORARY_NAME_MAX];
	FILE *out;
};

/* 0, then write to `out` and close; or negative errno. */
int output_file_open(struct output_file *file, int dir);

/*
 * If `err` is 0 the file becomes `name`, whose folder is made if needed; else it is dropped and an older `name` stays. The first error: `err` or this; -ELOOP: a folder is a symbolic link.
 */
int output_file_close(struct output_file *file, int err, const char *name);

/* The process is about to end, whatever its other threads are writing: drop their files that are not complete. */
void output_file_abandon(int dir);
