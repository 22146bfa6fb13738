/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `heaptap report`. Owns one profile at a time and the parsed index.json of the directory it lies in; that file is a
 * help and never a condition, so what is wrong with it is passed over. Called by main.
 */
#include "report.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "difference.h"
#include "ledger.h"
#include "lifespan.h"
#include "log.h"
#include "read_pprof.h"
#include "summary.h"
#include "writer.h"

#define INDEX_SIZE_MAX (64u << 20)

/* --- index.json --- */

/* NULL: none, or none that can be used. */
static cJSON *index_read(const char *directory)
{
	char *path, *text = NULL;
	struct stat status;
	cJSON *index = NULL;
	ssize_t size;
	int fd;

	if (asprintf(&path, "%s/index.json", directory) < 0)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size > INDEX_SIZE_MAX)
		goto out;
	text = malloc(status.st_size + 1);
	size = text ? read(fd, text, status.st_size) : -1;
	if (size > 0)
		index = cJSON_ParseWithLength(text, size);
out:
	free(text);
	if (fd >= 0)
		close(fd);
	free(path);
	return index;
}

/* A whole number that a double holds exactly, else 0. */
static u64 number_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 1ll << 53)
		return 0;
	return item->valuedouble;
}

static bool lists_file(const cJSON *process, const char *name)
{
	const cJSON *file;

	cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(process, "files")) if (cJSON_IsString(file) &&
											 !strcmp(file->valuestring,
												 name)) return true;
	return false;
}

/* The process that the profile in file `name` is of: named there, and with the same sums. NULL: none. */
static const cJSON *index_find(const cJSON *index, const char *name, const struct profile *profile)
{
	const cJSON *process;
	u64 totals[MEASURE_MAX];

	profile_totals(profile, totals);
	cJSON_ArrayForEach(process,
			   cJSON_GetObjectItemCaseSensitive(
				   index, "processes")) if (lists_file(process, name) &&
							    number_of(process, "alloc_space") == totals[ALLOC_SPACE] &&
							    number_of(process, "alloc_objects") ==
								    totals[ALLOC_OBJECTS]) return process;
	return NULL;
}

static void take_text(const cJSON *process, const char *name, char **text)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(process, name);
	char *copy = cJSON_IsString(item) ? strdup(item->valuestring) : NULL;

	if (!copy)
		return;
	free(*text);
	*text = copy;
}

static void take_ledger(const cJSON *process, struct profile *profile)
{
	const cJSON *ledger = cJSON_GetObjectItemCaseSensitive(process, "ledger");

	for (unsigned int i = 0; cJSON_IsObject(ledger) && i < COUNTER_MAX; i++)
		profile->ledger[i] = number_of(ledger, ledger_name(i));
}

/* What the index has beside the profile. */
static void take_process(const cJSON *process, struct profile *profile)
{
	const cJSON *slowdown = cJSON_GetObjectItemCaseSensitive(process, "slowdown_percent");
	const cJSON *peak = cJSON_GetObjectItemCaseSensitive(process, "peak");
	const cJSON *rss = cJSON_GetObjectItemCaseSensitive(process, "rss");
	u64 hits;

	profile->pid = number_of(process, "pid");
	profile->image = number_of(process, "image");
	take_text(process, "comm", &profile->comm);
	take_text(process, "exe", &profile->exe);
	profile->exited = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(process, "exited"));
	profile->peak_inuse_space = number_of(peak, "inuse_space");
	profile->peak_at_ns = number_of(peak, "at_ns");
	profile->rss_start_bytes = number_of(rss, "start_bytes");
	profile->rss_end_bytes = number_of(rss, "end_bytes");
	profile->rss_peak_bytes = number_of(rss, "peak_bytes");
	profile->cpu_ns = number_of(process, "cpu_ns");
	if (cJSON_IsNumber(slowdown))
		profile->slowdown_percent = slowdown->valuedouble;
	take_ledger(process, profile);
	/* The percentage was made of the cost of a trap, which the index leaves out. */
	hits = profile->ledger[COUNTER_HITS_ALLOC] + profile->ledger[COUNTER_HITS_FREE];
	if (hits)
		profile->hit_cost_ns = profile->slowdown_percent / 100 * profile->cpu_ns / hits;
}

/* --- one profile --- */

static void explain(const char *path, int err)
{
	if (err == -EBADMSG)
		log_error("'%s' is no profile: it is not gzip or not protobuf, or contradicts itself", path);
	else if (err == -EPROTO)
		log_error("'%s' is no heap profile: its sample types are not Go's alloc_ and inuse_ ones", path);
	else if (err == -EFBIG)
		log_error("'%s' is too large: it unpacks to more than 1 GiB", path);
	else
		log_error("cannot read '%s': %s", path, strerror(-err));
}

/* Without free probes nothing is known to be in use. */
static enum measure measure_for(const struct profile *profile, enum measure wanted)
{
	if (!profile->alloc_only)
		return wanted;
	return wanted == INUSE_OBJECTS ? ALLOC_OBJECTS : wanted == INUSE_SPACE ? ALLOC_SPACE : wanted;
}

static int render(const struct profile *profile, const struct options *options)
{
	enum measure measure = measure_for(profile, options->measure);
	int err = 0;

	switch (options->report_format) {
	case REPORT_TABLE:
		if (options->lifetimes)
			summary_print_lifetimes(profile, options->top, stdout);
		else
			summary_print_by(profile, measure, options->top, stdout);
		break;
	case REPORT_TEXT:
		err = write_text(profile, stdout);
		break;
	case REPORT_FOLDED:
		err = write_folded(profile, stdout, measure);
		break;
	}
	errno = err ? -err : 0;
	if (!err && !fflush(stdout) && !ferror(stdout))
		return STATUS_DONE;
	log_error("cannot write to standard output: %s", errno ? strerror(errno) : "output is incomplete");
	return STATUS_FAILED;
}

/*
 * Leave in use what is known to be older. Figures that speak of everything in use go, since nobody could set them
 * beside what is left. False when nothing is known of ages.
 */
static bool keep_older(struct profile *profile, double seconds)
{
	if (!profile->model.known)
		return false;
	for (u32 i = 0; i < profile->sample_count; i++)
		profile->samples[i].inuse_count = lifespan_older(profile, &profile->samples[i], (u64)(seconds * 1e9));
	profile->model.known = false;
	profile->peak_inuse_space = 0;
	profile->rss_start_bytes = profile->rss_end_bytes = profile->rss_peak_bytes = 0;
	return true;
}

/* 0 and the profile with what the index has beside it, or the status to return, the reason said. */
static int read_file(const char *path, const cJSON *index, struct profile **ret_profile)
{
	const char *slash = strrchr(path, '/');
	const cJSON *process;
	int err = read_pprof(path, ret_profile);

	if (err) {
		explain(path, err);
		return err == -ENOENT ? STATUS_NO_TARGET : STATUS_FAILED;
	}
	process = index_find(index, slash ? slash + 1 : path, *ret_profile);
	if (process)
		take_process(process, *ret_profile);
	return STATUS_DONE;
}

static int report_file(const char *path, const cJSON *index, const struct options *options)
{
	struct profile *profile;
	int status = read_file(path, index, &profile);

	if (status)
		return status;
	if (options->older_s > 0 && !keep_older(profile, options->older_s)) {
		log_error("'%s' does not say how old objects are: frees were not recorded, or not by heaptap", path);
		profile_free(profile);
		return STATUS_FAILED;
	}
	if (options->older_s > 0)
		log_note("in use: only what is known to have lived for more than %g s", options->older_s);
	status = render(profile, options);
	profile_free(profile);
	return status;
}

static int report_one(const struct options *options)
{
	char *copy = strdup(options->path);
	cJSON *index = copy ? index_read(dirname(copy)) : NULL;
	int status = report_file(options->path, index, options);

	cJSON_Delete(index);
	free(copy);
	return status;
}

static int report_difference(const struct options *options)
{
	struct profile *before, *after;
	int status = read_file(options->base, NULL, &before);

	if (status)
		return status;
	status = read_file(options->path, NULL, &after);
	if (!status) {
		if (difference_print(before, after, options->top, stdout) || fflush(stdout) || ferror(stdout)) {
			log_error("cannot write to standard output");
			status = STATUS_FAILED;
		}
		profile_free(after);
	}
	profile_free(before);
	return status;
}

/* --- a directory of them --- */

static int is_profile(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 6 && entry->d_name[0] != '.' && !strcmp(entry->d_name + length - 6, ".pb.gz");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int report_entry(const char *name, bool first, const cJSON *index, const struct options *options)
{
	char *path;
	int status;

	if (asprintf(&path, "%s/%s", options->path, name) < 0) {
		log_error("out of memory");
		return STATUS_FAILED;
	}
	if (!first && options->report_format == REPORT_TABLE)
		putchar('\n');
	status = report_file(path, index, options);
	free(path);
	return status;
}

static int report_empty(const cJSON *index, const struct options *options)
{
	if (!index) {
		log_error("no profile in '%s': no file there ends in .pb.gz", options->path);
		return STATUS_NO_TARGET;
	}
	log_note("no profile in '%s': nothing was sampled, or pprof was not among the formats", options->path);
	return STATUS_DONE;
}

/* One bad file does not hide the others; the status tells of it. */
static int report_directory(const struct options *options)
{
	struct dirent **entries;
	int count = scandir(options->path, &entries, is_profile, by_name), status = STATUS_DONE;
	cJSON *index;

	if (count < 0) {
		log_error("cannot read directory '%s': %s", options->path, strerror(errno));
		return STATUS_FAILED;
	}
	index = index_read(options->path);
	if (!count)
		status = report_empty(index, options);
	for (int i = 0; i < count; i++) {
		if (!ferror(stdout) && report_entry(entries[i]->d_name, !i, index, options) != STATUS_DONE)
			status = STATUS_FAILED;
		free(entries[i]);
	}
	cJSON_Delete(index);
	free(entries);
	return status;
}

int report_run(const struct options *options)
{
	struct stat status;

	signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error to tell, not a death */
	if (options->base)
		return report_difference(options);
	if (!stat(options->path, &status))
		return S_ISDIR(status.st_mode) ? report_directory(options) : report_one(options);
	if (errno == ENOENT || errno == ENOTDIR) {
		log_error("no such file or directory: '%s'", options->path);
		return STATUS_NO_TARGET;
	}
	log_error("cannot read '%s': %s", options->path, strerror(errno));
	return STATUS_FAILED;
}
