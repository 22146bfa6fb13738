/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the directory is known by a list in memory, oldest first; the directory itself is listed once. */
#include "push/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "push/spool_directory.h"
#include "push/spool_file.h"
#include "system/shortage.h"

#define BLOCK 4096

struct entry {
	u64 number, bytes;
	s64 taken_ns;
	u64 profiles, samples;
	u32 tries;
};

struct push_spool {
	int dir;
	char *path; /* for messages */
	struct push_ledger *ledger;
	u64 bytes_max, bytes;
	struct entry *entries; /* from `first` to `end` */
	u64 first, end, next_number;
	bool loaded; /* the first is under way, or held for what is */
};

/* What is in the directory, and what is wrong with files, which is gathered into one sentence each. */
struct found {
	u64 *numbers; /* of all, in order; once they have been looked at, of the damaged ones */
	u64 count, damaged, strange;
	u64 strange_number; /* the first of them */
};

static u64 blocks(u64 bytes)
{
	return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

static struct push_amount amount_of(const struct entry *entry)
{
	return (struct push_amount){1, entry->profiles, entry->samples};
}

u64 push_spool_count(const struct push_spool *spool)
{
	return spool->end - spool->first;
}

u64 push_spool_bytes(const struct push_spool *spool)
{
	return spool->bytes;
}

/* --- the list --- */

static int append(struct push_spool *spool, const struct entry *entry)
{
	if (spool->first > spool->end / 2) {
		memmove(spool->entries, spool->entries + spool->first,
			(spool->end - spool->first) * sizeof(*spool->entries));
		spool->end -= spool->first;
		spool->first = 0;
	}
	if (array_grow(&spool->entries, spool->end, 1))
		return -ENOMEM;
	spool->entries[spool->end++] = *entry;
	spool->bytes += entry->bytes;
	return 0;
}

static void remove_file(const struct push_spool *spool, u64 number)
{
	char name[SPOOL_FILE_NAME_MAX];

	spool_file_name(number, name);
	if (unlinkat(spool->dir, name, 0) && errno != ENOENT)
		log_error("cannot remove '%s/%s': %s; it would be sent once more", spool->path, name, strerror(errno));
}

struct push_amount push_spool_drop(struct push_spool *spool)
{
	const struct entry entry = spool->entries[spool->first++];
	const struct push_amount amount = amount_of(&entry);

	spool->loaded = false;
	spool->bytes -= entry.bytes;
	remove_file(spool, entry.number);
	push_amount_subtract(&spool->ledger->waiting, &amount);
	return amount;
}

static void drop_for(struct push_spool *spool, enum push_cause cause)
{
	struct push_amount amount = push_spool_drop(spool);

	push_amount_add(&spool->ledger->dropped[cause], &amount);
}

/* The oldest that is not under way. */
static void displace_one(struct push_spool *spool)
{
	struct entry loaded;

	if (!spool->loaded) {
		drop_for(spool, PUSH_SPOOL_FULL);
		return;
	}
	loaded = spool->entries[spool->first];
	spool->entries[spool->first] = spool->entries[spool->first + 1];
	drop_for(spool, PUSH_SPOOL_FULL);
	spool->entries[spool->first] = loaded;
	spool->loaded = true;
}

/* Until there is room for so many files more, of so many bytes. -E2BIG: there cannot be; -EBUSY: not now. */
static int displace(struct push_spool *spool, u64 files, u64 bytes)
{
	const u64 stay_files = spool->loaded ? 1 : 0,
		  stay_bytes = spool->loaded ? spool->entries[spool->first].bytes : 0;

	if (bytes > spool->bytes_max)
		return -E2BIG;
	if (stay_bytes + bytes > spool->bytes_max)
		return -EBUSY;
	while (push_spool_count(spool) > stay_files &&
	       (spool->bytes + bytes > spool->bytes_max || push_spool_count(spool) + files > PUSH_SPOOL_FILES_MAX))
		displace_one(spool);
	return 0;
}

/* --- opening --- */

static int compare_numbers(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static int find_file(struct push_spool *spool, u64 number, struct found *found)
{
	struct spool_header header;
	struct push_amount amount;
	u64 size;
	int err = spool_file_check(spool->dir, number, &header, &size);

	if (err == -EBADMSG || err == -EIO) {
		found->numbers[found->damaged++] = number;
		return 0;
	}
	if (err == -EPERM || err == -ENXIO) {
		if (!found->strange++)
			found->strange_number = number;
		return 0;
	}
	if (err)
		return err;
	err = append(spool, &(struct entry){number, blocks(size), header.taken_ns, header.profiles, header.samples, 0});
	if (err)
		return err;
	amount = (struct push_amount){1, header.profiles, header.samples};
	push_amount_add(&spool->ledger->resumed, &amount);
	push_amount_add(&spool->ledger->waiting, &amount);
	return 0;
}

/* Nothing is removed yet: it may be another store's. */
static int find_files(struct push_spool *spool, struct found *found)
{
	int err = spool_directory_list(spool->dir, &found->numbers, &found->count);

	if (err)
		return err;
	if (found->count)
		qsort(found->numbers, found->count, sizeof(*found->numbers), compare_numbers);
	spool->next_number = found->count ? found->numbers[found->count - 1] + 1 : 1;
	for (u64 i = 0; i < found->count && !err; i++)
		err = find_file(spool, found->numbers[i], found);
	return err;
}

/* What was to go to one store is not sent to another one, which may be of another kind. */
static int check_store(const struct push_spool *spool, const struct found *found, const char *store)
{
	char before[SPOOL_STORE_MAX];
	const u64 held = push_spool_count(spool);

	spool_directory_read_store(spool->dir, before);
	if (!strcmp(before, store))
		return 0;
	if (!held && !found->damaged)
		return spool_directory_write_store(spool->dir, store);
	log_error("the spool '%s' holds %" PRIu64 " %s for '%s': name another directory, or remove them", spool->path,
		  held ? held : found->damaged, held ? "requests" : "damaged files",
		  *before ? before : "an unknown store");
	return -EEXIST;
}

static void remove_damaged(struct push_spool *spool, const struct found *found)
{
	const struct push_amount unknown = {.requests = found->damaged};
	char name[SPOOL_FILE_NAME_MAX];

	if (!found->damaged)
		return;
	push_amount_add(&spool->ledger->resumed, &unknown);
	push_amount_add(&spool->ledger->dropped[PUSH_SPOOL_DAMAGED], &unknown);
	for (u64 i = 0; i < found->damaged; i++)
		remove_file(spool, found->numbers[i]);
	spool_file_name(found->numbers[0], name);
	log_error("files in the spool '%s' were damaged and are removed, what they held is lost: %" PRIu64
		  ", the first '%s'",
		  spool->path, found->damaged, name);
}

static void say_strange(const struct push_spool *spool, const struct found *found)
{
	char name[SPOOL_FILE_NAME_MAX];

	if (!found->strange)
		return;
	spool_file_name(found->strange_number, name);
	log_error("files in the spool '%s' are not used: %" PRIu64
		  ", the first '%s': they are no plain files of this user alone",
		  spool->path, found->strange, name);
}

static void say_opening(const char *path, int err)
{
	if (err == -EPERM)
		log_error("the spool '%s' is not used: it is another user's, or others may write there", path);
	else if (err == -EWOULDBLOCK)
		log_error("the spool '%s' is in use by another heaptap", path);
	else if (err != -EEXIST)
		log_error("cannot use the spool '%s': %s", path, shortage_explain(err).text);
}

static int fill(struct push_spool *spool, const struct push_spool_options *options)
{
	struct found found = {0};
	int err;

	spool->dir = spool_directory_open(options->dir);
	if (spool->dir < 0)
		return spool->dir;
	err = find_files(spool, &found);
	err = err ? err : check_store(spool, &found, options->store);
	if (!err) {
		remove_damaged(spool, &found);
		say_strange(spool, &found);
		err = displace(spool, 0, 0);
	}
	free(found.numbers);
	return err;
}

int push_spool_open(const struct push_spool_options *options, struct push_ledger *ledger, struct push_spool **ret_spool)
{
	struct push_spool *spool = calloc(1, sizeof(*spool));
	struct push_ledger before = *ledger;
	int err = -ENOMEM;

	if (spool) {
		*spool = (struct push_spool){.dir = -1, .bytes_max = options->bytes_max, .ledger = ledger};
		spool->path = strdup(options->dir);
		err = spool->path ? fill(spool, options) : -ENOMEM;
	}
	if (!err) {
		*ret_spool = spool;
		return 0;
	}
	*ledger = before;
	say_opening(options->dir, err);
	push_spool_close(spool);
	return err;
}

void push_spool_close(struct push_spool *spool)
{
	if (!spool)
		return;
	if (spool->dir >= 0)
		close(spool->dir); /* and with it the lock */
	free(spool->entries);
	free(spool->path);
	free(spool);
}

/* --- using --- */

int push_spool_add(struct push_spool *spool, const struct push_request *request)
{
	struct push_amount amount = {1, request->profiles, request->samples};
	u64 bytes = blocks(sizeof(struct spool_header) + strlen(request->path) + strlen(request->content_type) +
			   request->size);
	u64 size;
	int err = displace(spool, 1, bytes);

	if (!err)
		err = spool_file_write(spool->dir, spool->next_number, request, &size);
	if (err)
		return err;
	err = append(spool, &(struct entry){spool->next_number, bytes, request->taken_ns, request->profiles,
					    request->samples, request->tries});
	if (err) {
		remove_file(spool, spool->next_number);
		return err;
	}
	spool->next_number++;
	push_amount_add(&spool->ledger->waiting, &amount);
	push_amount_add(&spool->ledger->spooled, &amount);
	return 0;
}

bool push_spool_first(const struct push_spool *spool, s64 *ret_taken_ns)
{
	if (!push_spool_count(spool))
		return false;
	*ret_taken_ns = spool->entries[spool->first].taken_ns;
	return true;
}

int push_spool_load(struct push_spool *spool, struct push_request *ret_request)
{
	char name[SPOOL_FILE_NAME_MAX];
	u64 number;
	int err;

	if (!push_spool_count(spool))
		return -ENOENT;
	number = spool->entries[spool->first].number;
	err = spool_file_read(spool->dir, number, ret_request);
	spool->loaded = !err;
	if (!err)
		ret_request->tries = spool->entries[spool->first].tries;
	if (!err || shortage_is(err))
		return err;
	spool_file_name(number, name);
	log_detail("'%s/%s' is damaged and removed, what it held is lost: %s", spool->path, name, strerror(-err));
	drop_for(spool, PUSH_SPOOL_DAMAGED);
	return -EBADMSG;
}

void push_spool_hold(struct push_spool *spool)
{
	spool->loaded = true;
}

void push_spool_put_back(struct push_spool *spool, const struct push_request *request)
{
	spool->entries[spool->first].tries = request->tries;
	spool->loaded = false;
}
