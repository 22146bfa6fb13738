/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_data.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "format/json_profile.h"
#include "format/page_difference.h"
#include "format/process_end.h"
#include "format/site_label.h"

#define PROCESSES_MAX 1000 /* in the list: what matters least is added up */

/* The first view is what most look at. */
static const struct page_detail first_detail = {.nodes = 4000, .sites = 500, .moments = 60, .rows = 120000};
static const struct page_detail later_detail = {.nodes = 1000, .sites = 100, .moments = 20, .rows = 20000};

/* --- views --- */

static int keep_view(struct page *page, const struct page_view *view, const char *text, size_t size)
{
	char *views;

	if (page->view_count && page->size + size > PAGE_DATA_MAX)
		return 1;
	if (!page->view_of)
		page->view_of = calloc(page->entry_count + 1UL, sizeof(*page->view_of));
	views = realloc(page->views, page->size + size + 1);
	if (views)
		page->views = views;
	if (!page->view_of || !views)
		return -ENOMEM;
	if (page->view_count)
		page->views[page->size++] = ',';
	memcpy(page->views + page->size, text, size);
	page->size += size;
	page->view_count++;
	if (view->entry < page->entry_count)
		page->view_of[view->entry] = page->view_count;
	return 0;
}

static int add_view(struct page *page, const struct page_view *view, const struct page_detail *detail)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int err = out ? page_view_write(page, view, detail, out) : -ENOMEM;

	if (out && fclose(out))
		err = -ENOMEM;
	if (!err)
		err = keep_view(page, view, text, size);
	free(text);
	return err;
}

static int add_first_view(struct page *page, const struct page_view *view)
{
	struct page_view with_glance = *view;
	int err;

	free(page->glance);
	page->glance = NULL;
	with_glance.glance = open_memstream(&page->glance, &page->glance_size);
	if (!with_glance.glance)
		return -ENOMEM;
	err = add_view(page, &with_glance, &first_detail);
	return fclose(with_glance.glance) ? -ENOMEM : err;
}

int page_data_add_view(struct page *page, const struct page_view *view)
{
	return page->view_count ? add_view(page, view, &later_detail) : add_first_view(page, view);
}

static void drop_difference(struct page *page)
{
	free(page->difference);
	free(page->difference_glance);
	page->difference = page->difference_glance = NULL;
}

int page_data_add_difference(struct page *page, const struct page_pair *pair)
{
	FILE *whole = open_memstream(&page->difference, &page->difference_size);
	FILE *glance = open_memstream(&page->difference_glance, &page->difference_glance_size);
	int err = whole && glance ? page_difference_write(pair, whole, glance) : -ENOMEM;

	if (whole && fclose(whole))
		err = -ENOMEM;
	if (glance && fclose(glance))
		err = -ENOMEM;
	if (err)
		drop_difference(page);
	return err;
}

/* --- recording and processes --- */

static void write_recording(const struct page *page, struct json *json)
{
	json_object(json, "recording");
	json_u64_text(json, "start_unix_ns", page->start_unix_ns);
	json_u64(json, "duration_ns", page->duration_ns);
	json_u64(json, "sample_bytes", page->sample_bytes);
	json_bool(json, "exact", page->sample_bytes == 1);
	json_bool(json, "alloc_only", page->alloc_only);
	json_text(json, "attach", page->attach && *page->attach ? page->attach : NULL);
	json_u64(json, "processes_missing", page->processes_missing);
	json_u64(json, "processes_refused", page->processes_refused);
	json_close(json);
}

static void write_process(const struct page *page, u32 index, struct json *json)
{
	const struct index_entry *entry = &page->entries[index];
	const struct profile *facts = entry->facts;
	const struct lifetime_summary *lifespan = &entry->lifespan;
	char container[SITE_LABEL_ID_COLUMNS + 1], end[PROCESS_END_SIZE];
	u32 view = page->view_of ? page->view_of[index] : 0;
	bool grows = lifespan->verdict == VERDICT_GROWING;

	json_object(json, NULL);
	json_u64(json, "pid", facts->pid);
	json_u64(json, "image", facts->image);
	json_text(json, "comm", facts->comm);
	json_text(json, "container", site_label_container(facts, container));
	json_text(json, "ended", facts->exited ? process_end(facts, end) : NULL);
	json_profile_measures(json, profile_measure_names, entry->total, facts->alloc_only);
	json_u64(json, "samples", entry->samples);
	json_u64_if(json, "rss_start", facts->rss_start_bytes, facts->rss_start_bytes);
	json_u64_if(json, "rss_end", facts->rss_end_bytes, facts->rss_end_bytes);
	json_u64_if(json, "rss_peak", facts->rss_peak_bytes, facts->rss_peak_bytes);
	json_text(json, "verdict", lifespan->samples ? verdict_name(lifespan->verdict) : NULL);
	json_double(json, "growth", grows ? lifespan->growth : NAN);
	json_double(json, "growth_error", grows ? lifespan->growth_error : NAN);
	json_u64_if(json, "view", view, view - 1UL);
	json_close(json);
}

/* --- many processes --- */

struct ranked {
	u64 rank;
	u32 entry;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;

	if (left->rank != right->rank)
		return left->rank > right->rank ? -1 : 1;
	return left->entry < right->entry ? -1 : left->entry > right->entry;
}

/* left_out[i]: entry i is not among the first PROCESSES_MAX by rank, and has no view. NULL: no memory. */
static bool *leave_out(const struct page *page)
{
	bool *left_out = calloc(page->entry_count + 1UL, sizeof(*left_out));
	struct ranked *ranked = calloc(page->entry_count + 1UL, sizeof(*ranked));

	for (u32 i = 0; ranked && i < page->entry_count; i++)
		ranked[i] = (struct ranked){index_entry_rank(&page->entries[i]), i};
	if (ranked)
		qsort(ranked, page->entry_count, sizeof(*ranked), compare_ranks);
	for (u32 i = PROCESSES_MAX; left_out && ranked && i < page->entry_count; i++)
		left_out[ranked[i].entry] = !page->view_of || !page->view_of[ranked[i].entry];
	if (!ranked) {
		free(left_out);
		left_out = NULL;
	}
	free(ranked);
	return left_out;
}

/* What those have together. */
static void write_rest(const struct page *page, const bool *left_out, struct json *json)
{
	u64 total[MEASURE_MAX] = {0}, samples = 0;
	u32 count = 0;

	for (u32 i = 0; i < page->entry_count; i++) {
		if (!left_out[i])
			continue;
		count++;
		samples += page->entries[i].samples;
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			total[m] += page->entries[i].total[m];
	}
	if (!count) {
		json_null(json, "processes_rest");
		return;
	}
	json_object(json, "processes_rest");
	json_u64(json, "count", count);
	json_profile_measures(json, profile_measure_names, total, page->alloc_only);
	json_u64(json, "samples", samples);
	json_close(json);
}

static int write_processes(const struct page *page, struct json *json)
{
	bool *left_out = leave_out(page);

	json_rows(json, "processes");
	for (u32 i = 0; left_out && i < page->entry_count; i++)
		if (!left_out[i])
			write_process(page, i, json);
	json_close(json);
	if (!left_out)
		return -ENOMEM;
	write_rest(page, left_out, json);
	free(left_out);
	return 0;
}

/* --- all --- */

static void write_about(const struct page *page, struct json *json)
{
	json_u64(json, "heaptap_page", 1);
	json_text(json, "version", HEAPTAP_VERSION);
	json_text(json, "title", page->title);
	json_bool(json, "live", page->live);
	write_recording(page, json);
}

static void write_views(const char *views, size_t size, struct json *json)
{
	json_array(json, "views");
	if (size)
		json_written(json, NULL, views, size);
	json_close(json);
}

static void write_difference(const char *difference, size_t size, struct json *json)
{
	if (difference)
		json_written(json, "difference", difference, size);
	else
		json_null(json, "difference");
}

int page_data_write_glance(const struct page *page, FILE *out)
{
	struct json json;

	if (!page->view_count && !page->difference) {
		fputs("null", out);
		return fflush(out) ? -errno : 0;
	}
	json_begin_in_page(&json, out);
	write_about(page, &json);
	json_array(&json, "processes");
	json_close(&json);
	json_null(&json, "processes_rest");
	write_views(page->glance, page->difference ? 0 : page->glance_size, &json);
	write_difference(page->difference_glance, page->difference_glance_size, &json);
	return json_end(&json);
}

int page_data_write(const struct page *page, FILE *out)
{
	struct json json;
	int err, written;

	json_begin_in_page(&json, out);
	write_about(page, &json);
	err = write_processes(page, &json);
	write_views(page->views, page->view_count ? page->size : 0, &json);
	write_difference(page->difference, page->difference_size, &json);
	written = json_end(&json);
	return err ? err : written;
}

void page_data_release(struct page *page)
{
	free(page->view_of);
	free(page->views);
	free(page->glance);
	drop_difference(page);
}
