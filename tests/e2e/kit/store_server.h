/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Stores for tests of delivery: store_server.py, alone or behind Debian's nginx, which does TLS, credentials and limits. Functions fail
 * the running test themselves.
 */
#include "session.h"

struct store_server {
	char dir[PATH_MAX]; /* its log, and what it is made of */
	struct child *child;
	unsigned int port;
};

/* Below the scene's directory, by that name. */
void store_server_start(struct scene *scene, struct store_server *server, struct child *child, const char *name);

/* nginx in front of it: https://localhost:PORT, whose certificate `ca_file` has, and https://localhost:STRANGE with one that nobody knows. */
struct store_proxy {
	unsigned int port, strange;
	char ca_file[PATH_MAX];
};
void store_server_start_proxy(struct scene *scene, const struct store_server *server, struct store_proxy *proxy);

/* http://127.0.0.1:PORT/KIND; as format returns it. */
const char *store_server_url(const struct store_server *server, const char *kind);

/* How many lines of its log have these words; until it is so many. */
unsigned int store_server_count(const struct store_server *server, const char *words);
void store_server_await(const struct store_server *server, const char *words, unsigned int count);

/* The number behind "sent": in the line for the answer of that kind that was broken off, once there is one. */
uint64_t store_server_sent(const struct store_server *server, const char *kind);
