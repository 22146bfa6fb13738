/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs are told before they are loaded, and how large their maps are. */
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "trace/bpf_internal.h"

#define INITIAL_PIDNS_INUM 0xEFFFFFFCU /* PROC_PID_INIT_INO, fixed since 3.8 */
/* Sampling dense enough to have millions of samples gets more room than the 64 MiB of all maps else. */
#define DENSE_BELOW_BYTES 65536
#define RING_BYTES	  (16U << 20)
#define RING_BYTES_DENSE  (64U << 20)
#define SCOPES_POPULATION 2048
#define LIVE_MAX	  (1U << 20)
#define LIVE_MAX_DENSE	  (1U << 22)

static u32 pid_namespace(void)
{
	struct stat stat_buffer;

	if (stat("/proc/self/ns/pid", &stat_buffer) || stat_buffer.st_ino == INITIAL_PIDNS_INUM)
		return 0;
	return (u32)stat_buffer.st_ino;
}

static u64 environment_size(const char *name, u64 fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 10) : fallback;
}

/* A power of two, with room for a population to double before its first process has ended. */
static u32 scope_rows(const struct kernel_options *options)
{
	u32 wanted = options->population ? SCOPES_POPULATION + 2 * options->processes : options->processes + 1;
	u32 rows = SCOPES_MIN;

	while (rows < wanted && rows < SCOPES_MAX)
		rows *= 2;
	return rows;
}

/* The kernel's own way of writing a device number. */
static u32 kernel_device(dev_t device)
{
	return (u32)(major(device) << 20 | minor(device));
}

static void configure_filter(struct config *config, const struct kernel_options *options)
{
	if (options->comm)
		memcpy(config->comm, options->comm, strnlen(options->comm, sizeof(config->comm) - 1));
	config->exe_inode = options->exe_inode;
	config->exe_device = kernel_device(options->exe_device);
}

/* The maps that have a row for each scope. */
static int size_scopes(struct heaptap *skeleton, u32 rows)
{
	int err = bpf_map__set_max_entries(skeleton->maps.tallies, rows);

	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.ring_uses, rows);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.scopes, rows);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.free_scopes, rows);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.free_processes, rows);
	/* Children that share their parent's memory have no scope of their own, but a pid. */
	return err ? err : bpf_map__set_max_entries(skeleton->maps.scope_by_pid, 2 * rows);
}

int kernel_configure(struct kernel *kernel, const struct kernel_options *options)
{
	struct heaptap *skeleton = kernel->skeleton;
	bool dense = options->sample_bytes < DENSE_BELOW_BYTES;
	u64 live = environment_size("HEAPTAP_LIVE_MAX", dense ? LIVE_MAX_DENSE : LIVE_MAX);
	u64 ring = environment_size("HEAPTAP_RING_BYTES", dense ? RING_BYTES_DENSE : RING_BYTES);
	int err;

	kernel->scope_count = scope_rows(options);
	skeleton->rodata->config.sample_bytes = options->sample_bytes;
	skeleton->rodata->config.alloc_only = options->alloc_only;
	skeleton->rodata->config.show_allocator = options->show_allocator;
	skeleton->rodata->config.pidns_inum = pid_namespace();
	skeleton->rodata->config.ring_bytes = ring;
	skeleton->rodata->config.ring_half = ring / 2;
	skeleton->rodata->config.fair = options->population || options->processes > 1;
	skeleton->rodata->config.tally_mask = kernel->scope_count - 1;
	skeleton->rodata->config.self = (u32)getpid();
	configure_filter(&skeleton->rodata->config, options);
	err = size_scopes(skeleton, kernel->scope_count);
	if (err)
		return err;
	err = bpf_map__set_max_entries(skeleton->maps.ring, (u32)ring);
	if (err)
		return err;
	return bpf_map__set_max_entries(skeleton->maps.live, (u32)live);
}
