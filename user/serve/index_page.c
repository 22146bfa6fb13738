/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/index_page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "format/site_label.h"
#include "format/summary_line.h"
#include "live/listing_population.h"

#define ROWS_MAX 1000

static const char style[] = ":root{color-scheme:light dark;font:15px/1.45 system-ui,sans-serif}\n"
			    "body{margin:2rem auto;max-width:72rem;padding:0 1rem}\n"
			    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\n"
			    "table{border-collapse:collapse;width:100%}\n"
			    "th,td{padding:.25rem .6rem;text-align:left;border-bottom:1px solid #8886}\n"
			    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\n"
			    "pre{overflow-x:auto}\n";

struct answer *index_page_style(void)
{
	struct answer *answer = answer_open(200, "text/css; charset=utf-8");

	if (!answer)
		return NULL;
	fputs(style, answer->out);
	return answer_close(answer, 0);
}

static void print_head(const char *title, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<meta name=\"viewport\" content=\"width=device-width\"><title>",
	      out);
	answer_print_html(title, out);
	fputs("</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\n<body>\n<h1>", out);
	answer_print_html(title, out);
	fputs("</h1>\n", out);
}

/* --- processes --- */

static void print_bytes(u64 bytes, FILE *out)
{
	fprintf(out, "<td class=\"n\">%s</td>", units_bytes((double)bytes).text);
}

static void print_inuse(const struct profile *facts, u64 bytes, FILE *out)
{
	if (!profile_knows_inuse(facts))
		fputs("<td class=\"n\">not recorded</td>", out);
	else
		print_bytes(bytes, out);
}

static void print_links(const char *prefix, FILE *out)
{
	fprintf(out,
		"<td><a href=\"%s/page\">page</a> <a href=\"%s/debug/pprof/heap?gc=1\">heap</a> "
		"<a href=\"%s/debug/pprof/allocs\">allocs</a> <a href=\"%s/debug/pprof/heap?debug=1\">text</a> "
		"<a href=\"%s/debug/pprof/\">all</a></td></tr>\n",
		prefix, prefix, prefix, prefix, prefix);
}

static void print_process(const struct index_entry *entry, FILE *out)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1], prefix[32];
	const char *container = site_label_container(entry->facts, buffer);

	fprintf(out, "<tr><td class=\"n\">%u</td><td>", entry->facts->pid);
	answer_print_html(entry->facts->comm, out);
	fputs("</td><td>", out);
	answer_print_html(container ? container : "", out);
	fputs("</td>", out);
	print_inuse(entry->facts, entry->total[INUSE_SPACE], out);
	print_bytes(entry->total[ALLOC_SPACE], out);
	fprintf(out, "<td class=\"n\">%s</td>", units_digits(entry->samples).text);
	fprintf(out, "<td>%s%s</td>", entry->facts->exited ? "ended " : "",
		entry->lifespan.samples ? verdict_name(entry->lifespan.verdict) : "");
	snprintf(prefix, sizeof(prefix), "/pid/%u", entry->facts->pid);
	print_links(prefix, out);
}

static int compare_weight(const void *a, const void *b)
{
	const struct index_entry *left = *(const struct index_entry *const *)a;
	const struct index_entry *right = *(const struct index_entry *const *)b;

	if (left->total[INUSE_SPACE] != right->total[INUSE_SPACE])
		return left->total[INUSE_SPACE] > right->total[INUSE_SPACE] ? -1 : 1;
	return left->facts->pid < right->facts->pid ? -1 : left->facts->pid > right->facts->pid;
}

static void print_processes(const struct index_entry *const *entries, u32 count, FILE *out)
{
	u32 shown = 0;

	fputs("<h2>Processes</h2>\n<table><tr><th class=\"n\">PID</th><th>Name</th><th>Container</th>"
	      "<th class=\"n\">In use</th><th class=\"n\">Allocated</th><th class=\"n\">Samples</th><th></th><th></th></tr>\n",
	      out);
	for (u32 i = 0; i < count && shown < ROWS_MAX; i++)
		if (entries[i]->facts->pid) {
			print_process(entries[i], out);
			shown++;
		}
	fputs("</table>\n", out);
	if (count > shown)
		fprintf(out, "<p>%u more are in the profiles of all.</p>\n", count - shown);
}

/* --- containers --- */

/* In a path: percents for everything but letters, digits and some signs. */
static void print_path_part(const char *name, FILE *out)
{
	for (; *name; name++) {
		unsigned char byte = (unsigned char)*name;

		if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
		    strchr("-._~", byte))
			fputc(byte, out);
		else
			fprintf(out, "%%%02X", byte);
	}
}

static void print_container(const struct profile *facts, const struct population *population, FILE *out)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1], prefix[3 * 256 + 16];
	FILE *path = fmemopen(prefix, sizeof(prefix), "w");

	fputs("<tr><td>", out);
	answer_print_html(site_label_container(facts, buffer), out);
	fputs("</td><td>", out);
	answer_print_html(facts->container, out);
	fprintf(out, "</td><td class=\"n\">%u</td>", population->living);
	print_inuse(facts, population->inuse_space, out);
	if (!path) {
		fputs("<td></td></tr>\n", out);
		return;
	}
	fputs("/container/", path);
	print_path_part(facts->container, path);
	fclose(path);
	prefix[sizeof(prefix) - 1] = '\0';
	print_links(prefix, out);
}

static int compare_containers(const void *a, const void *b)
{
	const struct profile *left = (*(const struct index_entry *const *)a)->facts;
	const struct profile *right = (*(const struct index_entry *const *)b)->facts;

	return strcmp(left->container ? left->container : "", right->container ? right->container : "");
}

/* Sorts the entries by container. */
static void print_containers(const struct index_entry **entries, u32 count, FILE *out)
{
	u32 shown = 0;

	if (count)
		qsort(entries, count, sizeof(*entries), compare_containers);
	for (u32 i = 0, end; i < count; i = end) {
		struct population population = {0};

		for (end = i; end < count && !compare_containers(&entries[i], &entries[end]); end++)
			population_add(&population, entries[end]);
		if (!entries[i]->facts->container || shown == ROWS_MAX)
			continue;
		if (!shown++)
			fputs("<h2>Containers</h2>\n<table><tr><th>Name</th><th>ID</th><th class=\"n\">Processes</th>"
			      "<th class=\"n\">In use</th><th></th></tr>\n",
			      out);
		print_container(entries[i]->facts, &population, out);
	}
	if (shown)
		fputs("</table>\n", out);
}

/* --- the page --- */

static void print_lost(const struct source_listing *listing, u64 lost, FILE *out)
{
	fprintf(out,
		"<p>Lost or incomplete: %" PRIu64 " events, %" PRIu64 " processes missed, %" PRIu64
		" refused. What was allocated before tracing began is not seen.</p>\n",
		lost, listing->processes_missing, listing->processes_refused);
}

static void print_everything(const struct source_listing *listing, FILE *out)
{
	struct population population;
	char line[SUMMARY_LINE_SIZE];

	listing_population(listing, &population);
	fprintf(out, "<p>Traced for %s, %s%s.</p>\n<p>%s</p>\n", units_seconds((double)listing->duration_ns).text,
		summary_line_interval(listing->sample_bytes).text, listing->ended ? "; tracing is over" : "",
		summary_line_population(&population, line));
	print_lost(listing, population.lost, out);
	fputs("<table><tr><td>everything, merged</td>", out);
	print_links("", out);
	fputs("</table>\n<p><a href=\"/metrics\">/metrics</a> for Prometheus, <a href=\"/sd\">/sd</a> for its HTTP service "
	      "discovery, <a href=\"/healthz\">/healthz</a>.</p>\n",
	      out);
}

struct answer *index_page_answer(const struct source_listing *listing)
{
	u32 count = listing->processes.count;
	const struct index_entry **entries = calloc(count + 1UL, sizeof(const struct index_entry *));
	struct answer *answer = entries ? answer_open(200, ANSWER_HTML) : NULL;

	if (!answer) {
		free(entries);
		return NULL;
	}
	for (u32 i = 0; i < count; i++)
		entries[i] = &listing->processes.entries[i];
	if (count)
		qsort(entries, count, sizeof(*entries), compare_weight);
	print_head("heaptap", answer->out);
	print_everything(listing, answer->out);
	print_processes(entries, count, answer->out);
	print_containers(entries, count, answer->out);
	fputs("</body></html>\n", answer->out);
	free(entries);
	return answer_close(answer, 0);
}
