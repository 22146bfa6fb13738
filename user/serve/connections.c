/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/connections.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/thread.h"

#define LOOK_MS 100

struct connection {
	int fd;
	u64 deadline_ns; /* 0: none */
	struct connection *next, **at;
};

struct connections {
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	struct connection *first;
	struct thread watch;
	u32 scale;
	bool stop;
};

/* The descriptor is open: a connection leaves the list before it is closed. */
static void shut_down_late(struct connections *connections, u64 now)
{
	for (struct connection *connection = connections->first; connection; connection = connection->next)
		if (connection->deadline_ns && connection->deadline_ns < now) {
			shutdown(connection->fd, SHUT_RDWR);
			connection->deadline_ns = 0;
		}
}

static void watch(void *arg)
{
	struct connections *connections = arg;

	pthread_mutex_lock(&connections->lock);
	while (!connections->stop) {
		struct timespec next = clock_deadline(LOOK_MS);

		pthread_cond_clockwait(&connections->stopped, &connections->lock, CLOCK_MONOTONIC, &next);
		shut_down_late(connections, clock_now_ns());
	}
	pthread_mutex_unlock(&connections->lock);
}

struct connections *connections_new(u32 scale)
{
	struct connections *connections = calloc(1, sizeof(*connections));

	if (!connections)
		return NULL;
	connections->scale = scale;
	pthread_mutex_init(&connections->lock, NULL);
	pthread_cond_init(&connections->stopped, NULL);
	if (!thread_start(&connections->watch, watch, connections))
		return connections;
	connections_free(connections);
	return NULL;
}

void connections_free(struct connections *connections)
{
	if (!connections)
		return;
	pthread_mutex_lock(&connections->lock);
	connections->stop = true;
	pthread_cond_signal(&connections->stopped);
	pthread_mutex_unlock(&connections->lock);
	thread_finish(&connections->watch);
	pthread_cond_destroy(&connections->stopped);
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

static void set_limit(struct connections *connections, struct connection *connection, u64 limit_ms)
{
	if (!connection)
		return;
	pthread_mutex_lock(&connections->lock);
	connection->deadline_ns = limit_ms ? clock_now_ns() + limit_ms * 1000000 / connections->scale : 0;
	pthread_mutex_unlock(&connections->lock);
}

struct connection *connections_begin(struct connections *connections, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->fd = fd;
	pthread_mutex_lock(&connections->lock);
	connection->next = connections->first;
	connection->at = &connections->first;
	if (connection->next)
		connection->next->at = &connection->next;
	connections->first = connection;
	pthread_mutex_unlock(&connections->lock);
	connections_idle(connections, connection);
	return connection;
}

void connections_end(struct connections *connections, struct connection *connection)
{
	if (!connection)
		return;
	pthread_mutex_lock(&connections->lock);
	*connection->at = connection->next;
	if (connection->next)
		connection->next->at = connection->at;
	pthread_mutex_unlock(&connections->lock);
	free(connection);
}

void connections_answering(struct connections *connections, struct connection *connection)
{
	set_limit(connections, connection, 0);
}

void connections_sending(struct connections *connections, struct connection *connection, u64 bytes)
{
	set_limit(connections, connection, CONNECTION_SEND_MS + bytes * 1000 / CONNECTION_BYTES_SECOND);
}

void connections_idle(struct connections *connections, struct connection *connection)
{
	set_limit(connections, connection, CONNECTION_IDLE_MS);
}
