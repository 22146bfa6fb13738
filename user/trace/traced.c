/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which links serve which traced process; used by the tracer alone. */
#include "trace/traced.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "binary/elf.h"

static bool probed(const struct traced_file *files, const struct binary *file)
{
	for (; files; files = files->next)
		if (files->file == file)
			return true;
	return false;
}

/* One link on `file` into the list `files`, unless it is there. */
static int add_link(struct traced_links *links, struct traced_file **files, struct binary *file, pid_t pid, u32 scope,
		    unsigned int leave_out)
{
	struct traced_file *added;
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

static bool throws(const struct plan *plan)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].kind >= CALL_NEW)
			return true;
	return false;
}

/* Only sessions take the return legs of functions that throw. */
static bool is_apart(const struct traced_links *links, const struct binary *file)
{
	return links->kind == ATTACH_SESSION && !(links->leave_out & ATTACH_NO_NEW) && throws(file->plan);
}

int traced_probe(struct traced_links *links, struct traced *traced, struct binary *file)
{
	unsigned int leave_out = is_apart(links, file) ? ATTACH_NO_NEW : 0;
	int err;

	if (traced->wide)
		err = add_link(links, &links->wide, file, 0, SCOPE_BY_PID, leave_out);
	else
		err = add_link(links, &traced->files, file, traced->pid, traced->scope, leave_out);
	if (err || !leave_out)
		return err;
	return add_link(links, &links->throwing, file, 0, SCOPE_BY_PID, ATTACH_NO_OTHERS);
}

static const struct traced_file *files_of(const struct traced_links *links, const struct traced *traced)
{
	return traced->wide ? links->wide : traced->files;
}

bool traced_has(const struct traced_links *links, const struct traced *traced, const struct binary *file)
{
	return probed(files_of(links, traced), file);
}

bool traced_any(const struct traced_links *links, const struct traced *traced)
{
	return files_of(links, traced) != NULL;
}

const char *traced_names(const struct traced_links *links, const struct traced *traced)
{
	static char names[1024];
	size_t length = 0;

	names[0] = '\0';
	for (const struct traced_file *file = files_of(links, traced); file; file = file->next) {
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

int traced_widen(struct traced_links *links, struct traced *traced)
{
	int err = 0;

	if (traced->wide)
		return 0;
	for (struct traced_file *file = traced->files; file && !err; file = file->next)
		err = add_link(links, &links->wide, file->file, 0, SCOPE_BY_PID,
			       is_apart(links, file->file) ? ATTACH_NO_NEW : 0);
	if (err)
		return err;
	traced->wide = true;
	__atomic_store_n(&kernel_scope(links->kernel, traced->scope)->wide, 1, __ATOMIC_RELEASE);
	traced_drop(&traced->files, true);
	return 0;
}

void traced_drop(struct traced_file **files, bool later)
{
	struct traced_file *file, *next;

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

void traced_drop_unused(struct traced_file **files, bool (*is_used)(const struct binary *file, void *arg), void *arg)
{
	struct traced_file *file;

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
