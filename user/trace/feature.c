/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads the programs of bpf/feature.bpf.c one at a time and sees what happens: failing is an answer here.
 */
#include "trace/feature.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "feature.skel.h"
#include "system/address_map.h"
#include "system/proc_maps.h"
#include "system/shortage.h"
#include "trace/attach.h"
#include "trace/sideband.h"
#include "trace/uprobe_link.h"

#define SELF   "/proc/self/exe"
#define COOKIE 0x68656170746170ULL /* any number that does not come by itself */

/* What is probed. The nop is one that every kernel emulates; volatile assembly keeps each call. */
static __attribute__((noinline)) void site(void)
{
	__asm__ volatile("nop");
}

struct own_code {
	u64 addr, offset;
};

static int find_own_code(struct mapping *mapping, void *arg)
{
	struct own_code *code = arg;

	if (code->addr < mapping->start || code->addr >= mapping->end)
		return 0;
	code->offset = code->addr - mapping->start + mapping->file_offset;
	return 1;
}

int feature_find_offset(void (*function)(void), u64 *ret_offset)
{
	struct own_code code = {.addr = (u64)function};
	int found = proc_maps_for_each(getpid(), find_own_code, &code);

	if (found != 1)
		return found ? found : -ENOENT;
	*ret_offset = code.offset;
	return 0;
}

static void *call_in_thread(void *function)
{
	(*(void (**)(void))function)();
	return NULL;
}

int feature_call_elsewhere(void (*function)(void))
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, call_in_thread, &function);

	return err ? -err : -pthread_join(thread, NULL);
}

/* Load one program of the object and nothing else. */
static int load(struct feature *skeleton, struct bpf_program *program, u32 attach_type)
{
	bpf_program__set_autoload(program, true);
	if (attach_type)
		bpf_program__set_expected_attach_type(program, attach_type);
	bpf_map__set_autocreate(skeleton->maps.feature_events, program == skeleton->progs.feature_ring);
	return feature__load(skeleton);
}

/* Load the program of that name and, if `expected` is not negative, run it once: it must return that. */
static int try_program(const char *name, int expected)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct feature *skeleton = feature__open();
	struct bpf_program *program;
	int err;

	if (!skeleton)
		return -errno;
	program = bpf_object__find_program_by_name(skeleton->obj, name);
	err = load(skeleton, program, 0);
	if (!err && expected >= 0) {
		err = bpf_prog_test_run_opts(bpf_program__fd(program), &run);
		if (!err && run.retval != (u32)expected)
			err = -EPROTO;
	}
	feature__destroy(skeleton);
	return err;
}

int feature_regions(enum region_method method)
{
	struct feature *skeleton = feature__open();
	int err = -errno;

	if (skeleton)
		err = load(skeleton,
			   method == REGIONS_BY_FUNCTION ? skeleton->progs.feature_fexit
							 : skeleton->progs.feature_sys_exit,
			   0);

	if (!err)
		err = feature__attach(skeleton);
	feature__destroy(skeleton);
	return err;
}

static int try_btf(void)
{
	const u16 magic = 0xeb9f;
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	u16 found = 0;
	ssize_t size;

	if (fd < 0)
		return -errno;
	size = read(fd, &found, sizeof(found));
	close(fd);
	return size == (ssize_t)sizeof(found) && found == magic ? 0 : -EBADMSG;
}

static int try_sideband(void)
{
	struct sideband *sideband;
	int err = sideband_open(false, &sideband);

	if (!err)
		sideband_close(sideband);
	return err;
}

/*
 * One way of attaching, tried on site(). The link is made here and not by the process that holds links (trace/link_keeper.h):
 * its filter lets breakpoints into this process alone, so one that stays because heaptap is killed meanwhile goes with it.
 */
struct trial {
	struct feature *skeleton;
	int link_fd, perf_fd;
};

static void trial_close(struct trial *trial)
{
	if (trial->link_fd >= 0)
		close(trial->link_fd);
	if (trial->perf_fd >= 0)
		close(trial->perf_fd);
	feature__destroy(trial->skeleton);
}

static int trial_open(struct trial *trial, enum attach_kind kind)
{
	u64 offset, cookie = COOKIE;
	struct bpf_program *program;
	int err;

	*trial = (struct trial){.skeleton = feature__open(), .link_fd = -1, .perf_fd = -1};
	err = -errno;
	if (!trial->skeleton)
		return err ? err : -ENOMEM;
	program =
		kind == ATTACH_SESSION ? trial->skeleton->progs.feature_session : trial->skeleton->progs.feature_uprobe;
	err = feature_find_offset(site, &offset);
	if (!err)
		err = load(trial->skeleton, program, attach_kind_type(kind));
	if (err)
		return err;
	if (kind == ATTACH_PERF)
		trial->link_fd = uprobe_link_create_perf(bpf_program__fd(program), SELF, offset, cookie, getpid(),
							 false, &trial->perf_fd);
	else
		trial->link_fd = uprobe_link_create_multi(bpf_program__fd(program), attach_kind_type(kind), SELF,
							  &offset, &cookie, 1, getpid(), false);
	return trial->link_fd < 0 ? trial->link_fd : 0;
}

/* How often the program runs for one call of site(). */
static u64 trial_hits(const struct trial *trial, void (*call)(void))
{
	volatile u64 *hits = &trial->skeleton->bss->hits;
	u64 before = *hits;

	call();
	return *hits - before;
}

static void site_elsewhere(void)
{
	feature_call_elsewhere(site);
}

/* The entry runs the program with our cookie; a session skips the return leg when asked to, and takes it else. */
static int trial_check(const struct trial *trial, enum attach_kind kind)
{
	volatile struct feature__bss *bss = trial->skeleton->bss;

	bss->skip_return = 1;
	if (trial_hits(trial, site) != 1 || bss->cookie != COOKIE)
		return -EPROTO;
	bss->skip_return = 0;
	if (kind == ATTACH_SESSION && trial_hits(trial, site) != 2)
		return -EPROTO;
	return 0;
}

/* *ret_filter: whether the filter by process sees other threads than the main one. */
static int try_kind(enum attach_kind kind, int *ret_filter)
{
	struct trial trial;
	int err = trial_open(&trial, kind);

	*ret_filter = err;
	if (!err) {
		err = trial_check(&trial, kind);
		*ret_filter = trial_hits(&trial, site_elsewhere) == 1 ? 0 : -EPROTO;
	}
	trial_close(&trial);
	return err;
}

/* Without descriptors the trials fail in ways that tell nothing: none is made then. */
static bool cannot_try(struct features *ret_features)
{
	int err = shortage_check();

	for (enum feature_id id = FEATURE_BPF; id < FEATURE_MAX; id++)
		ret_features->error[id] = err;
	return err;
}

void feature_probe(struct features *ret_features)
{
	int unused;

	memset(ret_features, 0, sizeof(*ret_features));
	if (cannot_try(ret_features))
		return;
	ret_features->error[FEATURE_BPF] = try_program("feature_bpf", -1);
	ret_features->error[FEATURE_BTF] = try_btf();
	ret_features->error[FEATURE_RING] = try_program("feature_ring", BPF_RINGBUF_HDR_SZ + sizeof(u64));
	ret_features->error[FEATURE_TP_BTF] = try_program("feature_tp_btf", -1);
	/* So libbpf fails where it cannot read the types that are there. */
	if (ret_features->error[FEATURE_TP_BTF] == -ESRCH && !ret_features->error[FEATURE_BTF] &&
	    shortage_memory_is_limited())
		ret_features->error[FEATURE_TP_BTF] = -ENOMEM;
	ret_features->error[FEATURE_SIDEBAND] = try_sideband();
	/* Those above take some milliseconds: they need no probe. */
	ret_features->error[FEATURE_SESSION] = try_kind(ATTACH_SESSION, &unused);
	ret_features->error[FEATURE_MULTI] = try_kind(ATTACH_MULTI, &ret_features->error[FEATURE_MULTI_FILTER]);
	ret_features->error[FEATURE_PERF] = try_kind(ATTACH_PERF, &unused);
	ret_features->error[FEATURE_FUNCTIONS] = feature_regions(REGIONS_BY_FUNCTION);
	ret_features->error[FEATURE_SYSCALLS] = feature_regions(REGIONS_BY_TRACEPOINT);
}
