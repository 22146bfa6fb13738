/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/go_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "binary/elf.h"
#include "heap/go_profile.h"
#include "probe/go_sites.h"
#include "probe/go_variables.h"
#include "system/process_memory.h"
#include "system/shortage.h"
#include "trace/denial.h"
#include "trace/go_ages.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define READ_NS	       1000000000ULL /* between two readings */
#define READ_NS_MIN    50000000ULL
#define AGE_SHARE      4	      /* a young program is read after a quarter of its age */
#define COST_SHARE     50	      /* a reading may take that part of the time */
#define TRIES_MAX      8	      /* readings at a time, until two agree */
#define START_NS       10000000000ULL /* for a runtime to be there; a dynamic linker may take a while */
#define OFF_NS	       1000000000ULL  /* until a rate of 0 is believed: up to Go 1.23 it is set by an initialiser */
#define PAGE	       4096UL
#define RATE_MAX       ((u64)1 << 40)
#define REQUIRED_LINES "heaptap knows how Go 1.19 to 1.27 keep theirs"

/* Each image has one. */
struct go_reader {
	u32 image_number;
	u32 mapping_count; /* of the image, when it was looked at for a program of Go's */
	enum go_state state;
	const struct elf *elf;
	struct go_image image;
	u64 bias, rate; /* rate: where it stands */
	struct go_buckets_place place;
	struct go_sites sites; /* valid if sites_error is 0 */
	int sites_error;       /* of go_sites_find */
	bool asked;	       /* whether births and deaths can be followed has been seen to */
	u64 begun_ns, due_ns;
	bool running;		      /* it ran already when tracing began */
	struct memory_pieces *pieces; /* NULL: its memory is not open */
};

static void close_memory(struct go_reader *reader)
{
	if (reader->pieces)
		close(reader->pieces->fd);
	free(reader->pieces);
	reader->pieces = NULL;
}

void go_reader_close(struct go_reader **reader)
{
	if (!*reader)
		return;
	close_memory(*reader);
	free(*reader);
	*reader = NULL;
}

/* Its first reading may be 100 ms late, or a second in a population. */
void go_reader_end(const struct tracer *tracer, struct tracee *tracee)
{
	if (tracee->go && tracee->go->state == GO_STARTS && tracer->population == POPULATION_LISTED)
		log_note("pid %d is a Go program (%s), but ended before its own heap profile was read", tracee->pid,
			 tracee->go->image.version);
	go_reader_close(&tracee->go);
}

/* --- beginning --- */

/* NULL: it is no program of Go's. */
static struct binary *find_go(const struct tracer *tracer, const struct elf *elf)
{
	struct binary *file = elf ? binaries_files(tracer->binaries) : NULL;

	while (file && file->elf != elf)
		file = file->next;
	return file && file->go ? file : NULL;
}

/* How far from its linked addresses it runs. A segment may begin within the page that it is mapped from. */
static int find_bias(const struct mapping *mapping, u64 *ret_bias)
{
	u64 vaddr;

	if (!elf_offset_to_vaddr(mapping->elf, mapping->file_offset, &vaddr))
		*ret_bias = mapping->start - vaddr;
	else if (!elf_offset_to_vaddr(mapping->elf, mapping->file_offset + PAGE - 1, &vaddr))
		*ret_bias = mapping->start - (vaddr - (PAGE - 1));
	else
		return -ENOENT;
	return 0;
}

static const struct mapping *find_program(const struct tracer *tracer, const struct image *image, u64 *ret_bias)
{
	for (u32 i = 0; i < address_map_count(image->mappings); i++) {
		const struct mapping *mapping = address_map_get(image->mappings, i);

		if (find_go(tracer, mapping->elf) && !find_bias(mapping, ret_bias))
			return mapping;
	}
	return NULL;
}

/* A sentence for each program, once; of a population, whose programs are many, only in detail. */
static void refuse(const struct tracer *tracer, struct go_reader *reader, const struct image *image, int err)
{
	char why[DENIAL_TEXT_MAX];
	const char *version = reader->image.version, *reason;

	reader->state = GO_REFUSED;
	close_memory(reader);
	if (err == PROCESS_MEMORY_FOREIGN)
		reason = "its memory is another user's, which takes CAP_DAC_READ_SEARCH";
	else if (err == -EACCES || err == -EPERM)
		reason = denial_explain_process(why);
	else if (err == -ENOTSUP)
		reason = REQUIRED_LINES;
	else if (err == -ENOENT)
		reason = "the runtime's tables are not where Go puts them";
	else if (err == -EBADMSG)
		reason = "what stands there is not what that version keeps";
	else if (err == -E2BIG)
		reason = "it has more than a million of buckets";
	else
		reason = shortage_explain(err).text;
	if (tracer->population == POPULATION_LISTED)
		log_note("pid %u is a Go program (%s), but its own heap profile is not read: %s", image->pid,
			 *version ? version : "of an unknown version", reason);
	else
		log_detail("pid %u is a Go program (%s), but its own heap profile is not read: %s", image->pid,
			   *version ? version : "of an unknown version", reason);
}

static void say_off(const struct tracer *tracer, const struct go_reader *reader, const struct image *image)
{
	if (tracer->population == POPULATION_LISTED)
		log_note(
			"pid %u is a Go program (%s) whose own heap profiler is off: runtime.MemProfileRate is 0, as in all "
			"programs that do not ask for such a profile; import net/http/pprof in it, or leave out "
			"GODEBUG=memprofilerate=0",
			image->pid, reader->image.version);
}

static struct process_memory memory_of(struct go_reader *reader)
{
	return (struct process_memory){memory_pieces_read, reader->pieces};
}

/* Where everything is. -ENOENT: not yet, perhaps. */
static int locate(struct go_reader *reader, struct image *image)
{
	const struct process_memory memory = memory_of(reader);
	struct go_variables variables = {0};
	struct go_lines *lines = NULL;
	struct go_module module;
	int err = go_module_find(&reader->image, &memory, reader->bias, &module);

	err = err ? err : go_lines_open(reader->elf, &reader->image, &module, &lines);
	if (!err && go_variables_find((struct elf *)reader->elf, &reader->image, lines, &variables))
		err = -EBADMSG;
	reader->sites_error = err ? err : go_sites_find(reader->elf, &reader->image, lines, &reader->sites);
	go_lines_free(lines);
	if (err)
		return err;
	reader->rate = variables.rate + reader->bias;
	reader->place = (struct go_buckets_place){
		.list = variables.buckets + reader->bias,
		.cycle = variables.cycle + reader->bias,
		.text = module.text + reader->bias,
		.etext = module.etext + reader->bias,
		.minor = reader->image.minor,
	};
	image->go = calloc(1, sizeof(*image->go));
	if (!image->go)
		return -ENOMEM;
	*image->go = (struct go_reading){.elf = reader->elf, .bias = reader->bias, .module = module};
	memcpy(image->go->version, reader->image.version, sizeof(image->go->version));
	return 0;
}

static int open_memory(struct go_reader *reader, pid_t pid)
{
	int fd = process_memory_open(pid, O_RDONLY);

	if (fd < 0)
		return fd;
	reader->pieces = malloc(sizeof(*reader->pieces));
	if (!reader->pieces) {
		close(fd);
		return -ENOMEM;
	}
	reader->pieces->fd = fd;
	reader->pieces->size = 0;
	return 0;
}

/* Look for a program of Go's in an image in which none has been found so far. */
static void begin(const struct tracer *tracer, struct tracee *tracee, const struct image *image)
{
	struct go_reader *reader = tracee->go;
	const struct mapping *program;
	int err;

	reader->mapping_count = address_map_count(image->mappings);
	program = find_program(tracer, image, &reader->bias);
	if (!program)
		return;
	reader->elf = program->elf;
	reader->running = !program->from_ns;
	reader->begun_ns = clock_now_ns();
	reader->state = go_keeps_profile(program->elf, &reader->image) ? GO_STARTS : GO_OFF;
	if (reader->state == GO_OFF && reader->image.version[0]) {
		say_off(tracer, reader, image);
		return;
	}
	err = go_buckets_known(reader->image.minor) ? 0 : -ENOTSUP;
	err = err ? err : open_memory(reader, tracee->pid);
	if (err == -ESRCH)
		reader->state = GO_REFUSED;
	else if (err)
		refuse(tracer, reader, image, err);
}

/* --- reading --- */

/* Nothing locks the profile: what two readings in a row agree in was not being published. */
static int read_twice(struct go_reader *reader, struct go_buckets *ret_buckets)
{
	const struct process_memory memory = memory_of(reader);
	struct go_buckets before = {0};
	int err = -EAGAIN;

	*ret_buckets = (struct go_buckets){0};
	for (unsigned int i = 0; i < TRIES_MAX && err == -EAGAIN; i++) {
		go_buckets_release(&before);
		before = *ret_buckets;
		memory_pieces_drop(reader->pieces);
		err = go_buckets_read(&memory, &reader->place, ret_buckets);
		if (!err && !ret_buckets->at_once && !go_buckets_agree(&before, ret_buckets))
			err = -EAGAIN;
	}
	go_buckets_release(&before);
	if (err)
		go_buckets_release(ret_buckets);
	return err;
}

static int read_rate(struct go_reader *reader, u64 *ret_rate)
{
	const struct process_memory memory = memory_of(reader);
	int err;

	memory_pieces_drop(reader->pieces);
	err = process_memory_word(&memory, reader->rate, ret_rate);
	return !err && *ret_rate > RATE_MAX ? -EBADMSG : err;
}

static void say_read(const struct tracer *tracer, const struct go_reader *reader, const struct image *image, u64 rate)
{
	if (tracer->population == POPULATION_LISTED && reader->state == GO_STARTS && rate)
		log_note(
			"pid %u is a Go program (%s): its own heap profile is read, one sample in %llu bytes since its start",
			image->pid, reader->image.version, (unsigned long long)rate);
}

static void take(struct go_reader *reader, struct image *image, struct go_buckets *buckets, u64 now_ns)
{
	go_buckets_release(&image->go->buckets);
	image->go->buckets = *buckets;
	image->go->read_ns = now_ns;
	reader->state = GO_READ;
}

static void read_profile(struct tracer *tracer, struct tracee *tracee, struct image *image)
{
	struct go_reader *reader = tracee->go;
	const enum go_state before = reader->state;
	struct go_buckets buckets;
	u64 now_ns = clock_now_ns(), rate = 0;
	int err = read_rate(reader, &rate);

	err = err ? err : read_twice(reader, &buckets);
	if (err == -EAGAIN) {
		image->go->torn++;
		return;
	}
	/* It has ended, or another program runs in it: the last reading stays. */
	if (err == -EFAULT || err == -ESRCH)
		return;
	if (err) {
		refuse(tracer, reader, image, err);
		return;
	}
	if (!rate && before == GO_STARTS && !reader->running && now_ns - reader->begun_ns < OFF_NS) {
		go_buckets_release(&buckets);
		return;
	}
	say_read(tracer, reader, image, rate);
	image->go->rate = rate;
	take(reader, image, &buckets, now_ns);
	if (rate && !reader->asked)
		go_ages_begin(tracer, tracee, image, find_go(tracer, reader->elf),
			      reader->sites_error ? NULL : &reader->sites);
	reader->asked |= rate > 0;
	if (rate)
		return;
	reader->state = GO_OFF;
	if (before != GO_OFF)
		say_off(tracer, reader, image);
}

static u64 next_reading(const struct image *image, u64 begun_ns, u64 now_ns)
{
	u64 age = (now_ns - image->start_ns) / AGE_SHARE, cost = COST_SHARE * (now_ns - begun_ns);
	u64 wait = age < READ_NS_MIN ? READ_NS_MIN : age > READ_NS ? READ_NS : age;

	return now_ns + (cost > wait ? cost : wait);
}

static void start(struct tracer *tracer, struct tracee *tracee, struct image *image)
{
	struct go_reader *reader = tracee->go;
	int err = locate(reader, image);

	if (err == -ENOENT && clock_now_ns() - reader->begun_ns < START_NS)
		return;
	if (err)
		refuse(tracer, reader, image, err);
	else
		read_profile(tracer, tracee, image);
}

enum go_state go_reader_look(struct tracer *tracer, struct tracee *tracee, struct image *image, bool now)
{
	struct go_reader *reader = tracee->go;
	u64 begun_ns = clock_now_ns();

	if (!tracer->reads_go || !image)
		return GO_NONE;
	if (reader && reader->image_number != image->number)
		go_reader_end(tracer, tracee);
	if (!tracee->go) {
		tracee->go = reader = calloc(1, sizeof(*reader));
		if (!reader)
			return GO_NONE;
		reader->image_number = image->number;
	}
	if (reader->state == GO_NONE && reader->mapping_count != address_map_count(image->mappings))
		begin(tracer, tracee, image);
	if (reader->state == GO_NONE || reader->state == GO_REFUSED || !reader->pieces ||
	    (!now && begun_ns < reader->due_ns))
		return reader->state;
	if (!image->go)
		start(tracer, tracee, image);
	else
		read_profile(tracer, tracee, image);
	if (image->go)
		image->go->alone = !tracee_any(tracer, tracee);
	reader->due_ns = next_reading(image, begun_ns, clock_now_ns());
	return reader->state;
}

bool go_reader_is_open(const struct go_reader *reader)
{
	return reader && reader->pieces;
}

bool go_readers_will(const struct tracer *tracer)
{
	const struct binary *file = tracer->reads_go ? binaries_files(tracer->binaries) : NULL;
	struct go_image image;

	while (file && !(file->go && go_keeps_profile(file->elf, &image)))
		file = file->next;
	return file;
}
