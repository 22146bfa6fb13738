/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Debian's redis-server under test, and its only client. Functions fail the running cmocka test themselves; each
 * command has been answered when its function returns.
 */
#include "session.h"

#define REDIS_VALUE 20000 /* bytes of every value */

struct redis {
	int socket;
	unsigned int keys; /* key 0 to keys - 1 exist */
};

/*
 * Start the server as the scene's target, listening on a socket in its directory, and connect to it. It is linked with
 * jemalloc, which heaptap does not trace so far: with the C library preloaded it finds malloc and free there instead.
 */
void redis_start(struct redis *redis, struct scene *scene);
/* Ask it to end, and see that it does. */
void redis_stop(struct redis *redis, struct scene *scene);

void redis_set(struct redis *redis, unsigned int key);
void redis_get(struct redis *redis, unsigned int key);
