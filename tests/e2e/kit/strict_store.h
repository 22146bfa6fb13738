/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The contract server strict_store.py, which takes profiles by the rules of profile stores. Functions fail the running test themselves. */
#include "http_client.h"

/* Start it, as the scene's first other child. Its "127.0.0.1:PORT", valid until the next start. */
const char *store_start(struct scene *scene);

/* Until its sum of a measure is that. */
void store_await(const struct scene *scene, const char *address, const char *measure, uint64_t sum);

/* The number behind a word of one of its pages. */
uint64_t store_number(const struct scene *scene, const char *address, const char *page, const char *word);

/* One of its pages; the caller frees it. */
char *store_page(const struct scene *scene, const char *address, const char *page);

/* It has refused nothing, and taken something. */
void store_assert_content(const struct scene *scene, const char *address);
