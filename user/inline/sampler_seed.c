/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/sampler_seed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "inline/running_sampler.h"
#include "inline/sampler_image.h"
#include "system/process_memory.h"

static int error_of(int err)
{
	return err == -EFAULT ? -ENOEXEC : err;
}

static int make_table(struct sampler_seed *seed, const struct running_sampler *sampler, const u64 *objects,
		      size_t count)
{
	struct sampler_config config;
	int err;

	if (pread(sampler->file, &config, sizeof(config), (off_t)sampler->config) != sizeof(config))
		return -EIO;
	err = object_table_init(&seed->table, config.table_bits);
	for (size_t i = 0; i < count && !err; i++)
		err = object_table_add(&seed->table, objects[i]) ? 0 : -ENOSPC;
	return err;
}

int sampler_seed_begin(struct sampler_seed *seed, const struct running_sampler *sampler, const u64 *objects,
		       size_t count)
{
	int err;

	*seed = (struct sampler_seed){
		/* Opened first: what an exec ends is not written to. */
		.memory = process_memory_open(sampler->pid, O_RDWR),
		.header = sampler->address + sampler->config - sampler_image_header()->config,
	};
	if (seed->memory < 0)
		return seed->memory;
	err = make_table(seed, sampler, objects, count);
	return error_of(err ? err : object_table_write(&seed->table, seed->memory, seed->header));
}

void sampler_seed_release(struct sampler_seed *seed)
{
	object_table_release(&seed->table);
	if (seed->memory >= 0)
		close(seed->memory);
	seed->memory = -1;
}

int sampler_seed_add(struct sampler_seed *seed, u64 object)
{
	if (!object_table_add(&seed->table, object))
		return -ENOSPC;
	return error_of(object_table_write_one(&seed->table, object, seed->memory, seed->header));
}

int sampler_seed_remove(struct sampler_seed *seed, u64 object)
{
	object_table_remove(&seed->table, object);
	return error_of(object_table_write_one(&seed->table, object, seed->memory, seed->header));
}
