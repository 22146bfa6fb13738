/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A lock that threads get in the order in which they asked for it: with a mutex one that comes later may go first, again and again. */
#include <pthread.h>

#include "include/types.h"

struct turn {
	pthread_mutex_t lock;
	pthread_cond_t given;
	u64 asked, served;
};

void turn_init(struct turn *turn);
void turn_destroy(struct turn *turn); /* no thread may have it, or wait for it */
void turn_take(struct turn *turn);
void turn_give(struct turn *turn);
