/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which links serve which traced process; used by the tracer alone. */
#include "trace/tracee.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "binary/elf.h"

static bool probed(const struct tracee_file *files, const struct binary *file)
{
	for (; files; files = files->next)
		if (files->file == file)
			return true;
	return false;
}

/* One link on `file` into the list `files`, unless it is there. */
static int add_link(struct tracee_links *links, struct tracee_file **files, struct binary *file, pid_t pid, u32 scope,
		    unsigned int leave_out)
{
	struct tracee_file *added;
	int err;

	if (probed(*files, file))
		return 0;
	err = kernel_set_ranges(links->kernel, file->allocator, &file->plan->ranges);
	if (err)
		return err;
	added = calloc(1, sizeof(*added));
	if (!added)
		return -ENOMEM;
	err = attach_open(links->kind, kernel_programs(links->kernel), elf_fd(file->elf), file->plan, pid, scope,
			  file->allocator, links->leave_out | leave_out, &added->attach);
	if (err) {
		free(added);
		return err;
	}
	added->file = file;
	added->next = *files;
	*files = added;
	return 0;
}

/* Only sessions take the return legs of functions that throw. */
static bool is_apart(const struct tracee_links *links, const struct binary *file)
{
	return links->kind == ATTACH_SESSION && !(links->leave_out & ATTACH_NO_NEW) && plan_throws(file->plan);
}

int tracee_probe(struct tracee_links *links, struct tracee *tracee, struct binary *file)
{
	unsigned int leave_out = is_apart(links, file) ? ATTACH_NO_NEW : 0;
	int err;

	if (tracee->wide)
		err = add_link(links, &links->wide, file, 0, SCOPE_BY_PID, leave_out);
	else
		err = add_link(links, &tracee->files, file, tracee->pid, tracee->scope, leave_out);
	if (err || !leave_out)
		return err;
	return add_link(links, &links->throwing, file, 0, SCOPE_BY_PID, ATTACH_NO_OTHERS);
}

static const struct tracee_file *files_of(const struct tracee_links *links, const struct tracee *tracee)
{
	return tracee->wide ? links->wide : tracee->files;
}

bool tracee_has(const struct tracee_links *links, const struct tracee *tracee, const struct binary *file)
{
	return probed(files_of(links, tracee), file);
}

bool tracee_any(const struct tracee_links *links, const struct tracee *tracee)
{
	return files_of(links, tracee) != NULL;
}

const char *tracee_names(const struct tracee_links *links, const struct tracee *tracee)
{
	static char names[1024];
	size_t length = 0;

	names[0] = '\0';
	for (const struct tracee_file *file = files_of(links, tracee); file; file = file->next) {
		const struct plan *plan = file->file->plan;

		for (u32 i = 0; i < plan->probe_count && length < sizeof(names); i++)
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
						   plan->probes[i].symbol);
		if (length < sizeof(names))
			length += (size_t)snprintf(names + length, sizeof(names) - length, " in '%s'%s",
						   elf_path(file->file->elf), file->next ? "; " : "");
	}
	return names;
}

int tracee_widen(struct tracee_links *links, struct tracee *tracee)
{
	int err = 0;

	if (tracee->wide)
		return 0;
	for (struct tracee_file *file = tracee->files; file && !err; file = file->next)
		err = add_link(links, &links->wide, file->file, 0, SCOPE_BY_PID,
			       is_apart(links, file->file) ? ATTACH_NO_NEW : 0);
	if (err)
		return err;
	tracee->wide = true;
	__atomic_store_n(&kernel_scope(links->kernel, tracee->scope)->wide, 1, __ATOMIC_RELEASE);
	tracee_drop(&tracee->files, true);
	return 0;
}

void tracee_drop(struct tracee_file **files, bool later)
{
	struct tracee_file *file, *next;

	for (file = *files; file; file = next) {
		next = file->next;
		if (later)
			attach_close_later(file->attach);
		else
			attach_close(file->attach);
		free(file);
	}
	*files = NULL;
}

void tracee_drop_unused(struct tracee_file **files, bool (*is_used)(const struct binary *file, void *arg), void *arg)
{
	struct tracee_file *file;

	while ((file = *files)) {
		file->unused = is_used(file->file, arg) ? 0 : file->unused + 1;
		if (file->unused < 2) {
			files = &file->next;
			continue;
		}
		*files = file->next;
		attach_close_later(file->attach);
		free(file);
	}
}
