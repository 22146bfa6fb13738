/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is decided before the programs are loaded: which of them, their constants, how large their maps are. */
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

static void choose_programs(struct heaptap *skeleton, enum attach_kind kind)
{
	bool session = kind == ATTACH_SESSION;
	struct bpf_program *const programs[] = {
		session ? skeleton->progs.alloc_session : skeleton->progs.alloc_enter,
		session ? NULL : skeleton->progs.alloc_return,
	};

	for (int i = 0; i < 2 && programs[i]; i++) {
		bpf_program__set_autoload(programs[i], true);
		if (attach_kind_type(kind))
			bpf_program__set_expected_attach_type(programs[i], attach_kind_type(kind));
	}
}

/* The maps that have a row for each scope. */
static int size_scopes(struct heaptap *skeleton, u32 rows)
{
	struct bpf_map *const maps[] = {skeleton->maps.tallies, skeleton->maps.ring_uses, skeleton->maps.scopes,
					skeleton->maps.free_scopes, skeleton->maps.free_processes};
	int err = 0;

	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps) && !err; i++)
		err = bpf_map__set_max_entries(maps[i], rows);
	/* Children that share their parent's memory have no scope of their own, but a pid. */
	return err ? err : bpf_map__set_max_entries(skeleton->maps.scope_by_pid, 2 * rows);
}

int kernel_configure(struct kernel *kernel, const struct kernel_options *options)
{
	struct heaptap *skeleton = kernel->skeleton;
	struct config *config = &skeleton->rodata->config;
	bool dense = options->sample_bytes < DENSE_BELOW_BYTES;
	u64 live = environment_size("HEAPTAP_LIVE_MAX", dense ? LIVE_MAX_DENSE : LIVE_MAX);
	u64 ring = environment_size("HEAPTAP_RING_BYTES", dense ? RING_BYTES_DENSE : RING_BYTES);
	int err;

	kernel->scope_count = scope_rows(options);
	*config = (struct config){
		.sample_bytes = options->sample_bytes,
		.alloc_only = options->alloc_only,
		.show_allocator = options->show_allocator,
		.pidns_inum = pid_namespace(),
		.ring_bytes = ring,
		.ring_half = ring / 2,
		.fair = options->population || options->processes > 1,
		.tally_mask = kernel->scope_count - 1,
		.self = (u32)getpid(),
		.exe_inode = options->exe_inode,
		.exe_device = kernel_device(options->exe_device),
	};
	if (options->comm)
		memcpy(config->comm, options->comm, strnlen(options->comm, sizeof(config->comm) - 1));
	choose_programs(skeleton, options->kind);
	err = size_scopes(skeleton, kernel->scope_count);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.ring, (u32)ring);
	return err ? err : bpf_map__set_max_entries(skeleton->maps.live, (u32)live);
}
