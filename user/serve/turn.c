/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/turn.h"

void turn_init(struct turn *turn)
{
	pthread_mutex_init(&turn->lock, NULL);
	pthread_cond_init(&turn->given, NULL);
	turn->asked = turn->served = 0;
}

void turn_destroy(struct turn *turn)
{
	pthread_cond_destroy(&turn->given);
	pthread_mutex_destroy(&turn->lock);
}

void turn_take(struct turn *turn)
{
	u64 number;

	pthread_mutex_lock(&turn->lock);
	number = turn->asked++;
	while (turn->served != number)
		pthread_cond_wait(&turn->given, &turn->lock);
	pthread_mutex_unlock(&turn->lock);
}

/* All are woken, a hundred at most: which of them is next only they know. */
void turn_give(struct turn *turn)
{
	pthread_mutex_lock(&turn->lock);
	turn->served++;
	pthread_cond_broadcast(&turn->given);
	pthread_mutex_unlock(&turn->lock);
}
