/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/report_page.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "cli/report_difference.h"
#include "format/output_file.h"
#include "live/page_views.h"
#include "live/recorded.h"
#include "system/shortage.h"

/* --- the file --- */

struct place {
	int dir;
	char name[NAME_MAX + 1];
};

static int explain(const char *html, int err)
{
	if (err == -ENOENT)
		log_error("cannot write '%s': there is no such directory", html);
	else if (err == -EEXIST)
		log_error("cannot write '%s': it is there, and no regular file", html);
	else
		log_error("cannot write '%s': %s", html, shortage_explain(err).text);
	return STATUS_FAILED;
}

/* A page takes the place of an older one, but not that of a device or a link, which would be gone. */
static int open_place(const char *html, struct place *place)
{
	char copy[PATH_MAX];
	struct stat status;

	if (strlen(text_path(copy, "%s", html)) != strlen(html))
		return -ENAMETOOLONG;
	snprintf(place->name, sizeof(place->name), "%s", basename(copy));
	text_path(copy, "%s", html);
	place->dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->dir < 0)
		return -errno;
	if (!fstatat(place->dir, place->name, &status, AT_SYMLINK_NOFOLLOW) && !S_ISREG(status.st_mode)) {
		close(place->dir);
		return -EEXIST;
	}
	return 0;
}

int report_page_check(const char *html)
{
	struct place place;
	int err = open_place(html, &place);

	if (!err && faccessat(place.dir, ".", W_OK | X_OK, AT_EACCESS))
		err = -errno;
	else if (!err)
		close(place.dir);
	return err ? explain(html, err) : STATUS_DONE;
}

/* --- what is in it --- */

/* The last part of a path that has one, since a page may leave the machine. */
static const char *shown_name(const char *path, char name[PATH_MAX])
{
	char copy[PATH_MAX];

	return strcpy(name, basename((char *)text_path(copy, "%s", path)));
}

static int explain_source(const struct report_options *options, int err)
{
	if (err == -ENOENT)
		log_error("no profile in '%s': nothing was sampled, or pprof was not among the formats", options->path);
	else
		log_error("cannot make the page of '%s': %s", options->path, shortage_explain(err).text);
	return err == -ENOENT ? STATUS_NO_TARGET : STATUS_FAILED;
}

static void warn(const struct profile *before, const struct profile *after, const void *arg)
{
	const struct report_options *options = arg;

	report_difference_warn(before, options->base, after, options->path);
}

/* Some MiB, made before the file is, so that either is to blame alone for its errors. */
static int make_page(struct source *source, struct source *before, const struct report_options *options,
		     char **ret_text, size_t *ret_size)
{
	char title[PATH_MAX], before_name[PATH_MAX];
	const struct page_views_options views = {
		.title = shown_name(options->path, title),
		.site_skip = options->site_skip,
		.before = before,
		.before_name = before ? shown_name(options->base, before_name) : NULL,
		.compare = warn,
		.arg = options,
	};
	FILE *out = open_memstream(ret_text, ret_size);
	int err = out ? page_views_write(source, &views, out) : -ENOMEM;

	if (out && fclose(out) && !err)
		err = -ENOMEM;
	return err ? explain_source(options, err) : STATUS_DONE;
}

static int write_page(const char *html, const char *text, size_t size)
{
	struct output_file file;
	struct place place;
	int err = open_place(html, &place);

	if (err)
		return explain(html, err);
	err = output_file_open(&file, place.dir);
	if (!err) {
		if (fwrite(text, 1, size, file.out) != size || fflush(file.out))
			err = errno ? -errno : -EIO;
		err = output_file_close(&file, err, place.name);
	}
	close(place.dir);
	if (err)
		return explain(html, err);
	log_note("page written to '%s'", html);
	return STATUS_DONE;
}

int report_page(const struct report_options *options)
{
	struct source *source = NULL, *before = NULL;
	int status = recorded_open(options->path, &source);
	char *text = NULL;
	size_t size;

	if (!status && options->base)
		status = recorded_open(options->base, &before);
	if (!status)
		status = make_page(source, before, options, &text, &size);
	if (!status)
		status = write_page(options->html, text, size);
	free(text);
	source_close(before);
	source_close(source);
	return status;
}
