/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/debug_search.h"

#include <errno.h>
#include <stdlib.h>

#include "binary/debug_file.h"
#include "binary/debuginfod.h"
#include "binary/elf.h"
#include "system/root_fs.h"

#define DOWNLOADS_NS 60000000000u /* for all files of a recording: the user is waiting for it */

struct debug_search {
	const struct root_fs *root; /* of the process whose addresses are asked for; NULL: unknown */
	struct root_fs own_root;
	struct debuginfod *server; /* NULL: none */
	bool server_tried, server_missing;
};

struct debug_search *debug_search_new(void)
{
	struct debug_search *search = calloc(1, sizeof(*search));

	if (search)
		root_fs_open_own(&search->own_root);
	return search;
}

void debug_search_free(struct debug_search *search)
{
	if (!search)
		return;
	debuginfod_free(search->server);
	root_fs_close(&search->own_root);
	free(search);
}

void debug_search_set_root(struct debug_search *search, const struct root_fs *root)
{
	search->root = root;
}

static int ask_server(struct debug_search *search, const struct build_id *id, const char *path, struct elf **ret_debug)
{
	int err = 0;

	if (!search->server_tried) {
		err = debuginfod_new(DOWNLOADS_NS, &search->server);
		search->server_missing = err == -ENOENT;
		search->server_tried = true;
	}
	if (err || !search->server || path[0] != '/')
		return err == -ENOMEM ? err : -ENOENT;
	return debuginfod_find(search->server, id, path, ret_debug);
}

int debug_search_find(struct debug_search *search, const struct elf *elf, struct elf **ret_debug)
{
	const struct build_id id = debug_file_id(elf);
	int err = -ENOENT;

	*ret_debug = NULL;
	if (search->root)
		err = debug_file_find(elf, search->root, ret_debug);
	if (err == -ENOENT)
		err = debug_file_find(elf, &search->own_root, ret_debug);
	if (err == -ENOENT)
		err = ask_server(search, &id, elf_path(elf), ret_debug);
	return err == -ENOMEM ? err : 0;
}

static int find_alternate(struct debug_search *search, const struct alternate_link *link, const struct elf *file,
			  struct elf **ret_alternate)
{
	int err = -ENOENT;

	if (search->root)
		err = debug_file_find_alternate(link, file, search->root, ret_alternate);
	if (err == -ENOENT)
		err = debug_file_find_alternate(link, file, &search->own_root, ret_alternate);
	if (err == -ENOENT)
		err = ask_server(search, &link->id, elf_path(file), ret_alternate);
	return err;
}

int debug_search_alternate(struct debug_search *search, const struct elf *file, struct elf **ret_alternate,
			   bool *ret_missing)
{
	struct alternate_link link;
	int err = debug_file_read_alternate(file, &link);

	*ret_alternate = NULL;
	*ret_missing = false;
	if (err)
		return err == -ENOMEM ? err : 0;
	err = find_alternate(search, &link, file, ret_alternate);
	free(link.path);
	*ret_missing = err == -ENOENT;
	return err == -ENOMEM ? err : 0;
}

int debug_search_split(struct debug_search *search, const struct elf *file, const char *directory, const char *name,
		       struct elf **ret_split)
{
	int err = -ENOENT;

	*ret_split = NULL;
	if (search->root)
		err = debug_file_find_split(file, directory, name, search->root, ret_split);
	if (err == -ENOENT)
		err = debug_file_find_split(file, directory, name, &search->own_root, ret_split);
	return err == -ENOMEM ? err : 0;
}

int debug_search_package(struct debug_search *search, const struct elf *file, struct elf **ret_package)
{
	int err = -ENOENT;

	*ret_package = NULL;
	if (search->root)
		err = debug_file_find_package(file, search->root, ret_package);
	if (err == -ENOENT)
		err = debug_file_find_package(file, &search->own_root, ret_package);
	return err == -ENOMEM ? err : 0;
}

const char *debug_search_complaint(const struct debug_search *search)
{
	if (search->server_missing)
		return "DEBUGINFOD_URLS is set, but libdebuginfod is not installed";
	if (search->server && debuginfod_gave_up(search->server))
		return "the servers in DEBUGINFOD_URLS took longer than a minute";
	return NULL;
}
