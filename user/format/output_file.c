/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "format/folded.h"
#include "format/json_profile.h"
#include "format/pprof_write.h"
#include "format/text.h"

/* A .folded file holds one measure: in use, or allocated where in-use is unknown. */
static int write_folded_file(const struct profile *profile, FILE *out)
{
	return folded_write(profile, out, profile->alloc_only ? ALLOC_SPACE : INUSE_SPACE);
}

static const struct {
	enum format format;
	const char *extension;
	int (*write)(const struct profile *profile, FILE *out);
} formats_known[] = {
	{FORMAT_PPROF, "pb.gz", pprof_write},
	{FORMAT_TEXT, "txt", text_write},
	{FORMAT_FOLDED, "folded", write_folded_file},
	{FORMAT_JSON, "json", json_profile_write},
};

#define TEMPORARY_MAX 1000
#define FORMAT_COUNT  (sizeof(formats_known) / sizeof(formats_known[0]))

/* --- atomic files --- */

static void name_temporary(char temporary[TEMPORARY_NAME_MAX], unsigned int i)
{
	snprintf(temporary, TEMPORARY_NAME_MAX, ".heaptap-%d-%u.tmp", (int)getpid(), i);
}

static mode_t file_mode = OUTPUT_FILE_MODE;

void output_file_set_mode(mode_t mode)
{
	file_mode = mode;
}

/* O_EXCL: two writers, or a name planted by someone else, are never written into. */
int output_file_open(struct output_file *file, int dir)
{
	int fd = -1, err;

	file->dir = dir;
	for (unsigned int i = 0; fd < 0 && i < TEMPORARY_MAX; i++) {
		name_temporary(file->temporary, i);
		fd = openat(dir, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OUTPUT_FILE_MODE);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		return -errno;
	/* Nobody else may read it before that is asked for. */
	file->out = file_mode != OUTPUT_FILE_MODE && fchmod(fd, file_mode) ? NULL : fdopen(fd, "w");
	if (file->out)
		return 0;
	err = -errno;
	close(fd);
	unlinkat(dir, file->temporary, 0);
	return err;
}

mode_t output_file_directory_mode(mode_t mode)
{
	return mode | (mode & 0444) >> 2 | 0100;
}

/* Make each folder that `path` leads through, unless it is there. 0 or negative errno. */
static int make_folders(int dir, const char *path)
{
	mode_t mode = output_file_directory_mode(file_mode);

	for (const char *end = strchr(path, '/'); end; end = strchr(end + 1, '/')) {
		char folder[OUTPUT_FILE_FOLDER_MAX];
		bool made;

		snprintf(folder, sizeof(folder), "%.*s", (int)(end - path), path);
		made = !mkdirat(dir, folder, 0700);
		if (!made && errno != EEXIST)
			return -errno;
		if (made && mode != 0700 && fchmodat(dir, folder, mode, 0))
			return -errno;
	}
	return 0;
}

/*
 * The folder that `name` is in, as a descriptor, or negative errno. No link is followed: in a directory of another user it
 * would lead to a place of that user's choice.
 */
static int open_folder(int dir, const char *name)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	const char *slash = strrchr(name, '/');
	char folder[OUTPUT_FILE_FOLDER_MAX];
	long fd;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - name) : 1, slash ? name : ".");
	fd = syscall(SYS_openat2, dir, folder, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* Give the file its name. One descriptor is needed, and the file itself, which is closed, has left one. */
static int name_file(const struct output_file *file, const char *name)
{
	const char *slash = strrchr(name, '/');
	int folder = open_folder(file->dir, name), err = 0;

	if (folder == -ENOENT) {
		err = make_folders(file->dir, name);
		folder = err ? err : open_folder(file->dir, name);
	}
	if (folder < 0)
		return folder;
	if (renameat(file->dir, file->temporary, folder, slash ? slash + 1 : name))
		err = -errno;
	close(folder);
	return err;
}

int output_file_close(struct output_file *file, int err, const char *name)
{
	if (fclose(file->out) && !err)
		err = -errno;
	if (!err)
		err = name_file(file, name);
	if (err)
		unlinkat(file->dir, file->temporary, 0);
	return err;
}

void output_file_abandon(int dir)
{
	char temporary[TEMPORARY_NAME_MAX];

	for (unsigned int i = 0; i < TEMPORARY_MAX; i++) {
		name_temporary(temporary, i);
		unlinkat(dir, temporary, 0);
	}
}

/* --- one process --- */

static bool is_name_character(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
	       c == '-';
}

void output_file_clean_name(const char *name, char clean[OUTPUT_FILE_NAME_MAX + 1])
{
	size_t i;

	if (!name || !*name)
		name = "unknown";
	for (i = 0; i < OUTPUT_FILE_NAME_MAX && name[i]; i++)
		clean[i] = is_name_character(name[i]) ? name[i] : '_';
	clean[i] = '\0';
	if (clean[0] == '.')
		clean[0] = '_';
}

/* NULL: no memory. */
static char *file_name(const struct profile *profile, const char *folder, const char *extension)
{
	char comm[OUTPUT_FILE_NAME_MAX + 1], image[16] = "", *name;
	const char *go = profile->go.version[0] ? ".go" : "";
	int length;

	output_file_clean_name(profile->comm, comm);
	if (profile->image > 1)
		snprintf(image, sizeof(image), "-%" PRIu32, profile->image);
	if (profile->stem)
		length = asprintf(&name, "%s%s.%s", folder, profile->stem, extension);
	else
		length = asprintf(&name, "%s%" PRIu32 ".%s%s%s.%s", folder, profile->pid, comm, image, go, extension);
	return length < 0 ? NULL : name;
}

/* Those of one profile, behind the `written` ones that are in `files` already. The first negative errno. */
static int write_formats(int dir, const struct profile *profile, unsigned int formats, const char *folder, char **files,
			 unsigned int *written)
{
	int first_err = 0;

	for (unsigned int i = 0; i < FORMAT_COUNT; i++) {
		struct output_file file;
		char *name;
		int err;

		if (!(formats & formats_known[i].format))
			continue;
		name = file_name(profile, folder, formats_known[i].extension);
		err = name ? output_file_open(&file, dir) : -ENOMEM;
		err = err ? err : output_file_close(&file, formats_known[i].write(profile, file.out), name);
		if (!err)
			files[(*written)++] = name;
		else
			free(name);
		first_err = first_err ? first_err : err;
	}
	return first_err;
}

int output_file_write(int dir, const struct profile *profile, unsigned int formats, const char *folder,
		      char ***ret_files)
{
	char **files = calloc(2 * FORMAT_COUNT + 1, sizeof(*files)), below[OUTPUT_FILE_FOLDER_MAX];
	unsigned int written = 0;
	int err, below_err = 0;

	*ret_files = files;
	if (!files)
		return -ENOMEM;
	err = profile->sample_count || !profile->regions ? write_formats(dir, profile, formats, folder, files, &written)
							 : 0;
	if (profile->regions) {
		snprintf(below, sizeof(below), "%s" OUTPUT_FILE_MAPPINGS, folder);
		below_err = write_formats(dir, profile->regions, formats, below, files, &written);
	}
	return err ? err : below_err;
}
