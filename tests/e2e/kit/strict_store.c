/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "strict_store.h"

#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const char *store_start(struct scene *scene)
{
	static char address[64];
	struct child *child = &scene->more[0];
	struct pollfd poll_fd;
	char line[64] = "";
	unsigned int port;

	target_start(child, NULL,
		     (const char *const[]){"/usr/bin/python3", SOURCE_DIR "/tests/e2e/kit/strict_store.py", NULL});
	poll_fd = (struct pollfd){.fd = child->out, .events = POLLIN};
	for (size_t length = 0; !strchr(line, '\n');) {
		ssize_t got = poll(&poll_fd, 1, DEADLINE_MS) == 1
				      ? read(child->out, line + length, sizeof(line) - 1 - length)
				      : 0;

		if (got <= 0)
			fail_msg("the store serves nothing: %s", line);
		length += (size_t)got;
	}
	assert_int_equal(sscanf(line, "port %u", &port), 1);
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	return address;
}

void store_await(const struct scene *scene, const char *address, const char *measure, uint64_t sum)
{
	char words[64];

	snprintf(words, sizeof(words), "%s %" PRIu64 "\n", measure, sum);
	http_await(scene, format("http://%s/figures", address), words);
}

char *store_page(const struct scene *scene, const char *address, const char *page)
{
	struct http_response response;
	char *body;

	http_fetch(scene, format("http://%s/%s", address, page), &response);
	assert_int_equal(response.status, 200);
	body = strdup(response.body);
	http_release(&response);
	return body;
}

uint64_t store_number(const struct scene *scene, const char *address, const char *page, const char *word)
{
	char *body = store_page(scene, address, page);
	const char *at = strstr(body, word);
	uint64_t number;

	if (!at)
		fail_msg("no '%s' in: %s", word, body);
	number = strtoull(at + strlen(word), NULL, 10);
	free(body);
	return number;
}

void store_assert_content(const struct scene *scene, const char *address)
{
	char *refused = store_page(scene, address, "refused");

	assert_string_equal(refused, "");
	free(refused);
	assert_true(store_number(scene, address, "profiles", "profiles") > 0);
}
