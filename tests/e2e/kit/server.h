/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Real servers, started by a test for itself: in the scene's directory, on sockets there, as Debian's packages have
 * them (those that would start one when installed are only unpacked, by the build). Functions fail the running test
 * themselves; a server answers when its function has returned.
 */
#include "session.h"

/* `wrapper`: words in front of the server's argv, NULL-terminated; NULL: none. */
void server_start_redis(struct scene *scene, struct child *child, const char *const *wrapper);
void server_start_nginx(struct scene *scene, struct child *child, const char *const *wrapper);
void server_start_postgres(struct scene *scene, struct child *child, const char *const *wrapper);

/* Some thousand requests each, until all are answered. */
void server_load_redis(const struct scene *scene);
void server_load_nginx(const struct scene *scene);
void server_load_postgres(const struct scene *scene);
