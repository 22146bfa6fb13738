/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libbpf's ring buffer, with a bound on one drain: a target that allocates faster than we read must not starve signals.
 */
#include "trace/ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

struct ring {
	struct ring_buffer *buffer;
	int (*each)(void *arg, const struct event *event, size_t size);
	void *arg;
	int left, error;
};

/* libbpf advances past a record before it asks us, so stopping here loses nothing. */
static int take(void *arg, void *data, size_t size)
{
	struct ring *ring = arg;

	ring->error = ring->each(ring->arg, data, size);
	if (ring->error < 0)
		return ring->error;
	return --ring->left > 0 ? 0 : -EAGAIN;
}

int ring_open(int map_fd, int (*each)(void *arg, const struct event *event, size_t size), void *arg,
	      struct ring **ret_ring)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int err;

	if (!ring)
		return -ENOMEM;
	ring->each = each;
	ring->arg = arg;
	ring->buffer = ring_buffer__new(map_fd, take, ring, NULL);
	if (!ring->buffer) {
		err = -errno;
		free(ring);
		return err;
	}
	*ret_ring = ring;
	return 0;
}

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	ring_buffer__free(ring->buffer);
	free(ring);
}

int ring_fd(const struct ring *ring)
{
	return ring_buffer__epoll_fd(ring->buffer);
}

int ring_drain(struct ring *ring, int most)
{
	int taken;

	ring->left = most;
	ring->error = 0;
	taken = ring_buffer__consume(ring->buffer);
	if (ring->error < 0)
		return ring->error;
	return taken >= 0 || taken == -EAGAIN ? most - ring->left : taken;
}
