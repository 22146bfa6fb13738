/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sending.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#define LOOK_US 2000 /* between two looks at the ledger */

static void capture_begin(struct sending *sending, const struct scene *scene)
{
	sending->file = open(format("%s/said", scene->dir), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	sending->before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(sending->file >= 0 && sending->before >= 0);
	dup2(sending->file, STDERR_FILENO);
}

static void capture_end(struct sending *sending)
{
	ssize_t size;

	dup2(sending->before, STDERR_FILENO);
	close(sending->before);
	size = pread(sending->file, sending->said, sizeof(sending->said) - 1, 0);
	sending->said[size > 0 ? size : 0] = '\0';
	close(sending->file);
}

int sending_begin(struct sending *sending, const struct scene *scene, const struct delivery_options *options)
{
	int err;

	*sending = (struct sending){0};
	setenv("no_proxy", "*", 1); /* a proxy that this machine is to use does not know the test's servers */
	capture_begin(sending, scene);
	err = delivery_open(options, &sending->delivery);
	if (err)
		capture_end(sending);
	return err;
}

/* Bytes that gzip makes a little smaller. */
static unsigned char *make_body(unsigned int number, size_t size)
{
	unsigned char *body = malloc(size);
	uint64_t seed = number + 1;

	assert_non_null(body);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		body[i] = (unsigned char)(seed >> 60);
	}
	return body;
}

const char *sending_words(unsigned int number, size_t size)
{
	unsigned char *body = make_body(number, size);
	const char *words = format("\"crc\":%lu,\"size\":%zu}", crc32(0, body, (uInt)size), size);

	free(body);
	return words;
}

void sending_add(struct sending *sending, unsigned int number, size_t size, bool gzip)
{
	struct timespec now;
	struct push_request request = {.path = strdup("/push.v1.PusherService/Push"),
				       .content_type = "application/json",
				       .gzip = gzip,
				       .body = make_body(number, size),
				       .size = size,
				       .profiles = 2,
				       .samples = 30};

	clock_gettime(CLOCK_REALTIME, &now);
	request.taken_ns = now.tv_sec * 1000000000ll + now.tv_nsec;
	delivery_send(sending->delivery, &request);
	push_request_free(&request);
}

static void look(struct sending *sending, uint64_t deadline)
{
	delivery_ledger(sending->delivery, &sending->ledger);
	if (!push_ledger_balances(&sending->ledger) || now_ns() > deadline) {
		capture_end(sending);
		fail_msg("%lu requests taken, %lu sent, %lu waiting; %s", sending->ledger.taken.requests,
			 sending->ledger.sent.requests, sending->ledger.waiting.requests, sending->said);
	}
}

void sending_await_settled(struct sending *sending)
{
	uint64_t deadline = deadline_ns();

	look(sending, deadline);
	while (sending->ledger.waiting.requests) {
		usleep(LOOK_US);
		look(sending, deadline);
	}
}

void sending_await_attempts(struct sending *sending, uint64_t attempts)
{
	uint64_t deadline = deadline_ns();

	look(sending, deadline);
	while (sending->ledger.attempts < attempts) {
		usleep(LOOK_US);
		look(sending, deadline);
	}
}

void sending_finish(struct sending *sending)
{
	delivery_finish(sending->delivery, 0);
	delivery_ledger(sending->delivery, &sending->ledger);
	delivery_close(sending->delivery);
	sending->delivery = NULL;
	capture_end(sending);
	assert_true(push_ledger_balances(&sending->ledger));
	/* None is under way. */
	assert_int_equal(sending->ledger.attempts, sending->ledger.sent.requests +
							   sending->ledger.dropped[PUSH_REJECTED].requests +
							   push_ledger_failed(&sending->ledger));
}

void sending_assert_said(const struct sending *sending, const char *words)
{
	if (!strstr(sending->said, words))
		fail_msg("\"%s\" was not said, but:\n%s", words, sending->said);
}
