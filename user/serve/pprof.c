/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/pprof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "format/pprof_write.h"
#include "format/text.h"
#include "profile/subtract.h"
#include "serve/pprof_bases.h"

static struct source_want want_of(const struct request *request)
{
	return (struct source_want){
		.pid = request->pid,
		.container = *request->container ? request->container : NULL,
		.gc = request->gc,
		.regions = request->what == REQUEST_MAPPINGS,
		.counts = true, /* what clients read has no place for lifetimes */
	};
}

struct answer *pprof_explain(const struct request *request, int err)
{
	char sentence[REQUEST_CONTAINER_MAX + 160];
	unsigned int status = err == -ENOENT ? 404 : err == -EBUSY || err == -ENOSPC || err == -ESHUTDOWN ? 503 : 500;
	struct answer *answer;

	if (err == -ENOENT && request->what == REQUEST_MAPPINGS)
		snprintf(sentence, sizeof(sentence),
			 "no such process or container has mapped anything, or nothing is traced with --mappings");
	else if (err == -ENOENT && request->pid)
		snprintf(sentence, sizeof(sentence),
			 "no process %u is traced, or it has no profile; / lists those that have", request->pid);
	else if (err == -ENOENT && *request->container)
		snprintf(sentence, sizeof(sentence), "no container '%s' is traced; / lists those that are",
			 request->container);
	else if (err == -ENOENT)
		snprintf(sentence, sizeof(sentence), "nothing has been sampled yet");
	else if (err == -EBUSY)
		snprintf(sentence, sizeof(sentence), "too many requests at once; ask again in a few seconds");
	else if (err == -ENOSPC)
		snprintf(sentence, sizeof(sentence),
			 "delta_heap is asked for too much: there is no room to remember this answer");
	else if (err == -ESHUTDOWN)
		snprintf(sentence, sizeof(sentence), "heaptap is ending");
	else if (err == -EINVAL)
		snprintf(sentence, sizeof(sentence),
			 "these profiles cannot be merged: they were sampled differently; ask for one process by pid=");
	else
		snprintf(sentence, sizeof(sentence), "cannot make the profile: %s", strerror(-err));
	answer = answer_sentence(status, sentence);
	if (answer)
		answer->go_error = request->go;
	return answer;
}

/* --- profiles --- */

/* A moment: Go's heap profiles have no duration, and stores would take one that has for a difference. */
static void show_moment(struct profile *profile)
{
	profile->start_unix_ns += profile->duration_ns;
	profile->duration_ns = 0;
}

static const char *attachment(const struct request *request)
{
	switch (request->what) {
	case REQUEST_HEAP:
		return request->seconds ? "heap-delta" : "heap";
	case REQUEST_ALLOCS:
		return request->seconds ? "allocs-delta" : "allocs";
	case REQUEST_MAPPINGS:
		return request->seconds ? "mappings-delta" : "mappings";
	default:
		return "delta_heap";
	}
}

static struct answer *write_profile(const struct request *request, const struct profile *profile)
{
	struct answer *answer = answer_open(200, request->debug ? ANSWER_TEXT : "application/octet-stream");
	enum measure shown = request->what == REQUEST_ALLOCS ? ALLOC_SPACE : MEASURE_MAX;

	if (!answer)
		return NULL;
	if (request->debug)
		return answer_close(answer, text_write(profile, answer->out));
	answer->attachment = attachment(request);
	return answer_close(answer, pprof_write_shown(profile, shown, answer->out));
}

static int subtract_last(struct pprof_bases *bases, const struct request *request, struct profile *profile)
{
	const struct profile *last = pprof_bases_find(bases, request);

	if (!pprof_bases_reserve(bases, request, profile->sample_count, clock_now_ns()))
		return -ENOSPC;
	return last ? profile_subtract(profile, last, false) : 0;
}

/* Without what the scope's last answer had. That one is remembered until there is another. */
static struct answer *answer_since_last(struct pprof_bases *bases, const struct request *request,
					struct profile *profile)
{
	struct profile *now = pprof_bases_copy(profile);
	int err = now ? subtract_last(bases, request, profile) : -ENOMEM;
	struct answer *answer = err ? pprof_explain(request, err) : write_profile(request, profile);

	if (!err && answer && answer->status == 200)
		pprof_bases_keep(bases, request, now, clock_now_ns());
	else
		profile_free(now);
	return answer;
}

static struct answer *answer_profile(const struct request *request, struct pprof_bases *bases, struct profile *profile,
				     const struct profile *base)
{
	int err = 0;

	if (!base && request->what == REQUEST_DELTA_HEAP)
		return answer_since_last(bases, request, profile);
	if (base)
		err = profile_subtract(profile, base, request->what != REQUEST_DELTA_HEAP);
	else
		show_moment(profile);
	return err ? pprof_explain(request, err) : write_profile(request, profile);
}

struct answer *pprof_answer(struct source *source, const struct request *request, struct pprof_bases *bases,
			    const struct profile *base)
{
	struct source_want want = want_of(request);
	struct profile *profile;
	int err = source_profile(source, &want, &profile);
	struct answer *answer;

	if (err)
		return pprof_explain(request, err);
	answer = answer_profile(request, bases, profile, base);
	profile_free(profile);
	return answer;
}

int pprof_take_base(struct source *source, const struct request *request, struct profile **ret_base)
{
	struct source_want want = want_of(request);
	int err = source_profile(source, &want, ret_base);

	if (!err)
		pprof_bases_reduce(*ret_base);
	return err;
}

/* --- symbols --- */

struct symbol {
	u64 address;
	const char *name;
};

static int compare_symbols(const void *a, const void *b)
{
	u64 left = ((const struct symbol *)a)->address, right = ((const struct symbol *)b)->address;

	return left < right ? -1 : left > right;
}

/* The functions that stacks lead through, by address. The array is to be freed. */
static struct symbol *list_symbols(const struct profile *profile, size_t *ret_count)
{
	struct symbol *symbols = calloc(profile->location_count + 1UL, sizeof(*symbols));

	*ret_count = 0;
	for (u32 i = 0; symbols && i < profile->location_count; i++) {
		const struct profile_location *location = &profile->locations[i];

		/* The innermost inlined one is what Go's FuncForPC names. */
		if (location->line_count && location->lines->function)
			symbols[(*ret_count)++] = (struct symbol){location->address, location->lines->function};
	}
	if (*ret_count)
		qsort(symbols, *ret_count, sizeof(*symbols), compare_symbols);
	return symbols;
}

/* As strconv.ParseUint reads it with base 0, for the bases that clients use; 0: it is no address. */
static u64 address_of(const char *word, size_t length)
{
	bool hexadecimal = length > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	const char *digits = hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";
	char text[24];

	if (!length || length >= sizeof(text))
		return 0;
	memcpy(text, word, length);
	text[length] = '\0';
	if (text[2 * hexadecimal + strspn(text + 2 * hexadecimal, digits)])
		return 0;
	return strtoull(text, NULL, hexadecimal ? 16 : 10);
}

static void print_symbol(const struct symbol *symbols, size_t count, u64 address, FILE *out)
{
	struct symbol key = {.address = address};
	const struct symbol *found =
		address && count ? bsearch(&key, symbols, count, sizeof(*symbols), compare_symbols) : NULL;

	if (!found)
		return;
	fprintf(out, "%#" PRIx64 " ", address);
	text_print_line(found->name, out);
	fputc('\n', out);
}

static struct answer *print_symbols(const struct profile *profile, const char *addresses)
{
	struct answer *answer = answer_open(200, ANSWER_TEXT);
	size_t count, length;
	struct symbol *symbols;

	if (!answer)
		return NULL;
	symbols = list_symbols(profile, &count);
	fputs("num_symbols: 1\n", answer->out);
	for (const char *word = addresses; symbols && *word; word += length + (word[length] == '+')) {
		length = strcspn(word, "+");
		print_symbol(symbols, count, address_of(word, length), answer->out);
	}
	answer = answer_close(answer, symbols ? 0 : -ENOMEM);
	free(symbols);
	return answer;
}

struct answer *pprof_symbols(struct source *source, const struct request *request, const char *addresses)
{
	struct source_want want = want_of(request);
	struct profile *profile;
	struct answer *answer;
	int err = source_profile(source, &want, &profile);

	if (err)
		return pprof_explain(request, err);
	answer = print_symbols(profile, addresses);
	profile_free(profile);
	return answer;
}

/* --- the rest --- */

struct answer *pprof_command_line(void)
{
	struct answer *answer = answer_open(200, ANSWER_TEXT);

	if (!answer)
		return NULL;
	fputs("heaptap", answer->out);
	return answer_close(answer, 0);
}

static const struct {
	const char *name, *query, *description;
	bool counted;
} profiles[] = {
	{"allocs", "", "what was allocated since tracing began, and what of it is in use", true},
	{"cmdline", "", "the name of this program", false},
	{"delta_heap", "", "what was allocated since the last request for this, and what is in use", true},
	{"heap", "", "what is in use, as of the model collector's last cycle but one; with gc=1 as of now", true},
	{"heap", "?debug=1", "the same as text", true},
	{"heap", "?seconds=10", "what came and went in ten seconds", true},
	{"mappings", "", "what system calls mapped, and what still is: with --mappings", false},
	{"symbol", "", "names of functions by address, for clients that ask", false},
};

struct answer *pprof_index(struct source *source, const struct request *request)
{
	struct source_want want = want_of(request);
	struct profile *profile;
	int err = source_profile(source, &want, &profile);
	struct answer *answer;

	if (err)
		return pprof_explain(request, err);
	answer = answer_open(200, ANSWER_HTML);
	if (answer) {
		fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>/debug/pprof/</title>"
		      "<link rel=\"stylesheet\" href=\"/style.css\"></head>\n<body><h1>/debug/pprof/</h1>\n"
		      "<table><tr><th>Count</th><th>Profile</th><th></th></tr>\n",
		      answer->out);
		for (unsigned int i = 0; i < sizeof(profiles) / sizeof(*profiles); i++)
			fprintf(answer->out, "<tr><td>%u</td><td><a href=\"%s%s\">%s%s</a></td><td>%s</td></tr>\n",
				profiles[i].counted ? profile->sample_count : 0, profiles[i].name, profiles[i].query,
				profiles[i].name, profiles[i].query, profiles[i].description);
		fputs("</table></body></html>\n", answer->out);
		answer = answer_close(answer, 0);
	}
	profile_free(profile);
	return answer;
}
