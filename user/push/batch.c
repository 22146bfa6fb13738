/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/batch.h"

#include <errno.h>
#include <string.h>

static u64 samples_of(const struct push_profile *profiles, u32 count)
{
	u64 sum = 0;

	for (u32 i = 0; i < count; i++)
		sum += profiles[i].stacks.count;
	return sum;
}

static u64 number_of(const struct batch *batch, const struct push_profile *profiles, u32 count)
{
	return batch->store->number ? batch->store->number(profiles, count) : count;
}

static void lose(struct batch *batch, const struct push_profile *profiles, u32 count, int err)
{
	const struct push_amount amount = {1, number_of(batch, profiles, count), samples_of(profiles, count)};

	push_amount_add(&batch->lost.taken, &amount);
	push_amount_add(&batch->lost.dropped[err == -EFBIG ? PUSH_TOO_LARGE : PUSH_NO_MEMORY], &amount);
}

/* 0: it is sent, or counted; -EFBIG: it must be smaller. */
static int send_request(struct batch *batch, const struct push_profile *profiles, u32 count)
{
	struct push_request request = {
		.content_type = batch->store->content_type,
		.gzip = true,
		.profiles = number_of(batch, profiles, count),
		.samples = samples_of(profiles, count),
		.taken_ns = batch->taken_ns,
	};
	int err = batch->store->encode(profiles, count, &request.body, &request.size);

	if (err == -EFBIG)
		return err;
	if (!err)
		request.path = strdup(batch->store->path);
	if (request.path)
		batch->send(&request, batch->arg);
	else
		lose(batch, profiles, count, -ENOMEM);
	push_request_free(&request);
	return 0;
}

/* What is left of the profile, in pieces of half as many stacks whenever one is too large. */
static void send_pieces(struct batch *batch, struct push_profile *profile)
{
	u32 most = STORE_SAMPLES_MAX;

	while (profile->stacks.count) {
		struct push_profile piece = *profile;
		int err;

		piece.stacks.count = profile->stacks.count < most ? profile->stacks.count : most;
		err = send_request(batch, &piece, 1);
		if (err && piece.stacks.count > 1) {
			most = piece.stacks.count / 2;
			continue;
		}
		if (err) {
			lose(batch, &piece, 1, err);
			most = STORE_SAMPLES_MAX; /* others need not be so large */
		} else {
			profile->part++;
		}
		profile->stacks.rows += piece.stacks.count;
		profile->stacks.count -= piece.stacks.count;
	}
}

/* They are sent as one request; in halves where that is too much. */
static void send_group(struct batch *batch, struct push_profile *profiles, u32 count)
{
	while (count) {
		u32 part = count;

		while (part > 1 && send_request(batch, profiles, part))
			part /= 2;
		if (part == 1)
			send_pieces(batch, profiles);
		profiles += part;
		count -= part;
	}
}

void batch_send(struct batch *batch, struct push_profile *profiles, u32 count)
{
	while (count) {
		u32 group = 1;

		while (group < count && samples_of(profiles, group + 1) <= STORE_SAMPLES_MAX)
			group++;
		send_group(batch, profiles, group);
		profiles += group;
		count -= group;
	}
}
