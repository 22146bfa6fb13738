/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/python_leftovers.h"

#include <errno.h>

#include "system/breakpoints.h"
#include "system/proc_maps.h"
#include "system/shortage.h"
#include "trace/injected.h"
#include "trace/link_keeper.h"
#include "trace/python_pointers.h"

struct search {
	struct binaries *binaries;
	pid_t pid;
	struct python_pointers pointers; /* pymalloc NULL: it has none */
};

static int look_at_file(struct mapping *mapping, void *arg)
{
	struct search *search = arg;
	struct binary *file;
	int err = binaries_open_mapping(search->binaries, search->pid, mapping, &file);

	if (err)
		return err;
	return file && python_pointers_find(file, mapping, &search->pointers);
}

/* Is the breakpoint in a function of the allocator, or at the other way into it? */
static int is_probe(const struct mapping *mapping, int file, u64 offset, void *arg)
{
	const struct python_pointers *pointers = arg;
	const struct pymalloc *pymalloc = pointers->pymalloc;
	u64 vaddr = mapping->start + (offset - mapping->file_offset) - pointers->moved_by;

	(void)file;
	for (unsigned int i = 0; i < PYMALLOC_FUNCTIONS; i++)
		if (vaddr == pymalloc->entries[i] || vaddr - pymalloc->functions[i] < pymalloc->sizes[i])
			return 1;
	return 0;
}

/* A process that is gone has none left. 0 or negative errno. */
static int turn_back(const struct search *search)
{
	struct patience patience = injected_be_patient(search->pid);
	int err;

	do {
		err = python_pointers_turn(search->pid, &search->pointers, true, NULL);
	} while (injected_try_again(&patience, err));
	return err == -ESRCH ? 0 : err;
}

/* 0: they are given back; positive: a recording uses them; negative errno. */
static int give_back(const struct search *search)
{
	int probed = breakpoints_for_each(search->pid, is_probe, (void *)&search->pointers);
	int err = probed ? probed : turn_back(search);

	if (err)
		return err;
	/* One that has begun meanwhile took them for its own. */
	probed = breakpoints_for_each(search->pid, is_probe, (void *)&search->pointers);
	if (probed > 0)
		python_pointers_turn(search->pid, &search->pointers, false, NULL);
	return probed > 0 ? probed : 0;
}

static void look(const struct search *search, struct python_leftovers *ret)
{
	u32 counts[PYTHON_POINTER_STATES];
	int err;

	ret->looked++;
	if (python_pointers_count(search->pid, &search->pointers, counts) || !counts[PYTHON_POINTER_TURNED])
		return;
	err = give_back(search);
	ret->recorded += err > 0;
	ret->moving += err < 0;
	if (err)
		return;
	ret->pointers += counts[PYTHON_POINTER_TURNED];
	if (!ret->processes++)
		ret->first = search->pid;
}

int python_leftovers_give_back(const struct pid_list *pids, struct python_leftovers *ret)
{
	struct search search = {.binaries = binaries_new(NULL, false)};
	int err = search.binaries ? 0 : -ENOMEM;

	*ret = (struct python_leftovers){0};
	for (unsigned int i = 0; i < pids->count && !shortage_is(err); i++) {
		search.pid = pids->pids[i];
		search.pointers = (struct python_pointers){0};
		if (link_keeper_is_own(search.pid))
			continue;
		err = proc_maps_for_each(search.pid, look_at_file, &search);
		if (err > 0)
			look(&search, ret);
	}
	if (!shortage_is(err) && search.binaries)
		err = binaries_unopened(search.binaries)->lacking.err;
	binaries_free(search.binaries);
	return shortage_is(err) ? err : 0;
}
