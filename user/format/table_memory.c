/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"

static const char *const titles[MEMORY_PART_MAX] = {
	[MEMORY_HEAP] = "heap",
	[MEMORY_STACKS] = "stacks of threads",
	[MEMORY_FILES] = "code and other files that are mapped",
	[MEMORY_SHARED] = "memory shared with other processes",
	[MEMORY_OTHERS] = "anonymous mappings of others than the allocator",
};

/* --- one line --- */

struct line {
	char *text;
	size_t length;
	u64 unit;
	const char *unit_name;
	int digits; /* behind the point */
	bool begun; /* a part stands in it */
};

static void choose_unit(struct line *line, u64 sum)
{
	static const char *const names[] = {"KiB", "MiB", "GiB", "TiB"};
	unsigned int i = 0;

	for (line->unit = 1024; i < 3 && sum >= line->unit * 1024; i++)
		line->unit *= 1024;
	line->unit_name = names[i];
	line->digits = sum < line->unit * 100;
}

__attribute__((format(printf, 2, 3))) static void append(struct line *line, const char *format, ...)
{
	size_t room = TABLE_MEMORY_LINE_SIZE - line->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line->text + line->length, room, format, args);
	va_end(args);
	line->length += (size_t)length < room ? (size_t)length : room - 1;
}

static double in_unit(const struct line *line, u64 bytes)
{
	return (double)bytes / (double)line->unit;
}

static void append_part(struct line *line, u64 bytes, const char *name)
{
	if (in_unit(line, bytes) < (line->digits ? 0.05 : 0.5))
		return;
	append(line, " %c %.*f %s", line->begun ? '+' : '=', line->digits, in_unit(line, bytes), name);
	line->begun = true;
}

static void append_heap(struct line *line, const struct memory_parts *parts)
{
	u64 heap = parts->part[MEMORY_HEAP].resident;

	if (!parts->inuse_known) {
		append_part(line, heap, "heap");
	} else if (memory_untouched(parts)) {
		append_part(line, heap, "heap");
		if (line->begun)
			append(line, " (%.*f in use)", line->digits, in_unit(line, parts->inuse));
	} else {
		append_part(line, parts->inuse, "in use");
		append_part(line, memory_free(parts), "free");
		append_part(line, memory_kept(parts) - memory_free(parts), "rest of heap");
	}
}

/* How much a line says: fewer parts where it must be shorter. */
enum detail {
	DETAIL_LEAST, /* the heap and what is not */
	DETAIL_HEAP,  /* what is in use, the rest of the heap, and what is not the heap's */
	DETAIL_ALL = DETAIL_HEAP + MEMORY_PART_MAX - 1, /* between: so many of the largest other parts are named */
};

static void append_beside(struct line *line, const struct memory_amount *sum)
{
	if (sum->swap)
		append(line, "; %.*f swapped out", line->digits, in_unit(line, sum->swap));
	if (sum->hugetlb)
		append(line, "; %.*f HugeTLB", line->digits, in_unit(line, sum->hugetlb));
}

/* How many other parts are larger; of equal ones the first counts as the larger. */
static unsigned int rank(const struct memory_parts *parts, unsigned int part)
{
	unsigned int larger = 0;

	for (unsigned int i = MEMORY_HEAP + 1; i < MEMORY_PART_MAX; i++)
		larger += i < part ? parts->part[i].resident >= parts->part[part].resident
				   : parts->part[i].resident > parts->part[part].resident;
	return larger;
}

/* So many of the parts that are not the heap, in their order. How much they are together. */
static u64 append_largest(const struct memory_parts *parts, unsigned int count, struct line *line)
{
	u64 named = 0;

	for (unsigned int i = MEMORY_HEAP + 1; i < MEMORY_PART_MAX; i++) {
		if (rank(parts, i) >= count)
			continue;
		append_part(line, parts->part[i].resident, memory_part_names[i]);
		named += parts->part[i].resident;
	}
	return named;
}

static void make_line(const struct memory_parts *parts, enum detail detail, struct line *line)
{
	struct memory_amount sum = memory_sum(parts);
	u64 heap = parts->part[MEMORY_HEAP].resident, named;

	choose_unit(line, sum.resident);
	append(line, "%.*f %s", line->digits, in_unit(line, sum.resident), line->unit_name);
	if (detail == DETAIL_LEAST)
		append_part(line, heap, memory_part_names[MEMORY_HEAP]);
	else
		append_heap(line, parts);
	named = append_largest(parts, detail > DETAIL_HEAP ? detail - DETAIL_HEAP : 0, line);
	append_part(line, sum.resident - heap - named, "more");
	append_beside(line, &sum);
}

const char *table_memory_line(const struct memory_parts *parts, unsigned int columns, char text[TABLE_MEMORY_LINE_SIZE])
{
	*text = '\0';
	for (int detail = DETAIL_ALL; parts->known && detail >= DETAIL_LEAST; detail--) {
		struct line line = {.text = text};

		make_line(parts, (enum detail)detail, &line);
		if (line.length <= columns)
			break;
	}
	return text;
}

struct units_text table_memory_age(const struct profile *profile)
{
	u64 end_ns = profile->start_unix_ns + profile->duration_ns, read_ns = profile->memory.read_unix_ns;

	if (!profile->exited || !profile->memory.known || read_ns >= end_ns)
		return units_format("%s", "");
	return units_format("%s before the end", units_seconds((double)(end_ns - read_ns)).text);
}

static void append_size(struct line *line, u64 bytes, const char *when)
{
	if (bytes)
		append(line, "%s%s %s", line->begun ? ", " : "", units_bytes((double)bytes).text, when);
	line->begun |= bytes != 0;
}

const char *table_memory_sizes(const struct profile *profile, char text[TABLE_MEMORY_LINE_SIZE])
{
	struct line line = {.text = text};

	*text = '\0';
	append_size(&line, profile->exited ? 0 : profile->rss_end_bytes, "at the end");
	append_size(&line, profile->rss_start_bytes, "at the start");
	append_size(&line, profile->rss_peak_bytes, "at most");
	return text;
}

/* The kernel charges a little more than these, and puts sums together late: so they need not add up. */
static void make_group_line(const struct cgroup_usage *usage, bool brief, struct line *line)
{
	choose_unit(line, usage->used);
	append(line, "%.*f %s", line->digits, in_unit(line, usage->used), line->unit_name);
	append_part(line, usage->anon, "anon");
	append_part(line, usage->file, "file");
	append_part(line, usage->kernel, "kernel");
	if (!brief)
		append_part(line, usage->sock, "sock");
	if (!brief && usage->swap)
		append(line, "; %.*f swapped out", line->digits, in_unit(line, usage->swap));
	if (usage->limit)
		append(line, "; limit %s", units_bytes((double)usage->limit).text);
}

const char *table_memory_group_line(const struct cgroup_usage *usage, unsigned int columns,
				    char text[TABLE_MEMORY_LINE_SIZE])
{
	struct line line = {.text = text}, brief = line;

	*text = '\0';
	if (usage->known)
		make_group_line(usage, false, &line);
	if (line.length > columns)
		make_group_line(usage, true, &brief);
	return text;
}

void table_memory_print_group(const struct cgroup_usage *usage, const struct memory_parts *processes, FILE *out)
{
	char text[TABLE_MEMORY_LINE_SIZE];

	if (!usage->known)
		return;
	fprintf(out, "Memory of the group: %s\n", table_memory_group_line(usage, TABLE_MEMORY_LINE_SIZE, text));
	if (processes->known)
		fprintf(out,
			"  of its %" PRIu32
			" process%s with samples: %s resident together, %s where shared pages are divided "
			"(PSS)\n",
			processes->processes, processes->processes == 1 ? "" : "es",
			units_bytes((double)memory_sum(processes).resident).text,
			units_bytes((double)processes->share).text);
}

/* --- the table --- */

static void print_beside(const struct memory_amount *amount, FILE *out)
{
	if (amount->swap)
		fprintf(out, ", and %s swapped out", units_bytes((double)amount->swap).text);
	if (amount->hugetlb)
		fprintf(out, ", and %s in HugeTLB pages", units_bytes((double)amount->hugetlb).text);
	fputc('\n', out);
}

static void print_kept(const struct memory_parts *parts, FILE *out)
{
	if (parts->free_known)
		fprintf(out, "    %12s  kept free by glibc's malloc, at least\n",
			units_bytes((double)memory_free(parts)).text);
	fprintf(out, "    %12s  allocated before heaptap came, rounded up%s\n",
		units_bytes((double)(memory_kept(parts) - memory_free(parts))).text,
		parts->free_known ? "" : ", or kept free by the allocator");
}

static void print_heap(const struct memory_parts *parts, FILE *out)
{
	const struct memory_amount *heap = &parts->part[MEMORY_HEAP];
	struct units_text inuse = units_bytes((double)parts->inuse), error = units_bytes(parts->inuse_error);

	/* A Go program without an allocator of C's has its heap among the others. */
	if (!parts->inuse_known && !heap->resident && !heap->swap && !heap->hugetlb)
		return;
	fprintf(out, "  %12s  %s", units_bytes((double)heap->resident).text, titles[MEMORY_HEAP]);
	print_beside(heap, out);
	if (!parts->inuse_known)
		return;
	if (parts->inuse_error > 0)
		fprintf(out, "    %12s  in use, ±%s\n", inuse.text, error.text);
	else
		fprintf(out, "    %12s  in use\n", inuse.text);
	if (memory_untouched(parts))
		fprintf(out, "    %12s  of that at least is not resident: never touched, or swapped out\n",
			units_bytes((double)memory_untouched(parts)).text);
	else
		print_kept(parts, out);
	if (parts->heap_lazy)
		fprintf(out, "    %12s  of the heap the kernel may take back (LazyFree)\n",
			units_bytes((double)parts->heap_lazy).text);
}

/* Each process names its largest alone: a sum of several lacks what was not among them. */
static void print_others(const struct memory_parts *parts, FILE *out)
{
	const char *bound = parts->processes > 1 ? ", at least" : "";

	for (u32 i = 0; i < parts->other_count; i++) {
		const struct memory_other *other = &parts->others[i];
		char name[MEMORY_OTHER_NAME_SIZE];

		snprintf(name, sizeof(name), "%s", other->name);
		fprintf(out, "    %12s  %s, %" PRIu32 " mapping%s%s", units_bytes((double)other->amount.resident).text,
			text_printable(name), other->mappings, other->mappings == 1 ? "" : "s", bound);
		print_beside(&other->amount, out);
	}
}

static void print_title(const struct profile *profile, const struct memory_amount *sum, FILE *out)
{
	struct units_text age = table_memory_age(profile);

	fprintf(out, "\nMemory: %s resident", units_bytes((double)sum->resident).text);
	print_beside(sum, out);
	if (*age.text)
		fprintf(out, "  (as it was %s)\n", age.text);
}

/* To the reader: in their words. */
static bool differs(u64 a, u64 b)
{
	return strcmp(units_bytes((double)a).text, units_bytes((double)b).text) != 0;
}

void table_memory_print(const struct profile *profile, FILE *out)
{
	const struct memory_parts *parts = &profile->memory;
	struct memory_amount sum = memory_sum(parts);

	if (!parts->known)
		return;
	print_title(profile, &sum, out);
	print_heap(parts, out);
	for (unsigned int i = MEMORY_HEAP + 1; i < MEMORY_PART_MAX; i++) {
		const struct memory_amount *amount = &parts->part[i];

		if (!amount->resident && !amount->swap && !amount->hugetlb)
			continue;
		fprintf(out, "  %12s  %s", units_bytes((double)amount->resident).text, titles[i]);
		if (i == MEMORY_STACKS)
			fprintf(out, ", %" PRIu32 " mapping%s", parts->stacks, parts->stacks == 1 ? "" : "s");
		print_beside(amount, out);
		if (i == MEMORY_OTHERS)
			print_others(parts, out);
	}
	if (parts->counter && differs(parts->counter, sum.resident))
		fprintf(out, "  %12s  by VmRSS, which the kernel counts apart from the mappings, and late\n",
			units_bytes((double)parts->counter).text);
	if (differs(parts->share, sum.resident))
		fprintf(out, "  %12s  where a page that n processes have counts for one n-th (PSS)\n",
			units_bytes((double)parts->share).text);
}
