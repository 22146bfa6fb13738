/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/function_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "view/code_label.h"

#define STACK_UNKNOWN "(stack unknown)" /* as in site_label.c */

/* --- functions --- */

static int number_text(struct function_table *table, const char *text, const struct interned **ret_entry)
{
	return intern_add(&table->texts, text, (u32)strlen(text) + 1, ret_entry) < 0 ? -ENOMEM : 0;
}

/* `file` may be "". */
static int number_function(struct function_table *table, const char *name, const char *file, u32 *ret_function)
{
	const struct interned *name_entry, *file_entry;
	struct intern_key key = {0};
	int added;

	if (number_text(table, name, &name_entry) || number_text(table, file, &file_entry))
		return -ENOMEM;
	intern_key_put_u64(&key, name_entry->index);
	intern_key_put_u64(&key, file_entry->index);
	added = intern_add_key(&table->functions, &key, ret_function);
	if (added <= 0)
		return added;
	if (array_grow(&table->names, table->count, 1))
		return -ENOMEM;
	table->names[table->count++] = (const char *)name_entry->bytes;
	return 0;
}

int function_table_text(struct function_table *table, const char *text, const char **ret_text)
{
	const struct interned *entry;

	*ret_text = NULL;
	if (!text)
		return 0;
	if (number_text(table, text, &entry))
		return -ENOMEM;
	*ret_text = (const char *)entry->bytes;
	return 0;
}

int function_table_name(struct function_table *table, const char *name, u32 *ret_function)
{
	return number_function(table, name, "", ret_function);
}

void function_table_release(struct function_table *table)
{
	intern_release(&table->texts);
	intern_release(&table->functions);
	free(table->names);
}

/* --- steps --- */

/* The functions of a profile by the place of their names, since one name may be long and in thousands of lines. */
struct numbering {
	struct function_table *table;
	struct intern places;
	u32 *function; /* by number of the place */
	u32 count;
};

static const char *mapped_file(const struct profile *profile, const struct profile_location *location)
{
	const char *path =
		location->mapping < profile->mapping_count ? profile->mappings[location->mapping].path : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "";
}

static int number_line(struct numbering *numbering, const struct profile *profile,
		       const struct profile_location *location, const struct profile_line *line, u32 *ret_function)
{
	struct intern_key key = {0};
	u32 place;
	int added;

	intern_key_put_u64(&key, (u64)(uintptr_t)line->function);
	intern_key_put_u64(&key, location->mapping);
	added = intern_add_key(&numbering->places, &key, &place);
	if (added > 0) {
		if (array_grow(&numbering->function, numbering->count, 1) ||
		    number_function(numbering->table, line->function, mapped_file(profile, location),
				    &numbering->function[numbering->count]))
			return -ENOMEM;
		numbering->count++;
	}
	if (added >= 0)
		*ret_function = numbering->function[place];
	return added < 0 ? added : 0;
}

static int number_location(struct numbering *numbering, struct stack_steps *steps, u32 index)
{
	const struct profile_location *location = &steps->profile->locations[index];
	struct stack_step *step = &steps->steps[steps->first[index]];
	char name[CODE_LABEL_BRACKETED_SIZE];
	int err = 0;

	for (u32 line = 0; !err && line < location->line_count; line++, step++) {
		*step = (struct stack_step){.location = index, .line = line};
		err = number_line(numbering, steps->profile, location, &location->lines[line], &step->function);
	}
	if (location->line_count)
		return err;
	*step = (struct stack_step){.location = index};
	return function_table_name(numbering->table, code_label_bracketed(steps->profile, location, name),
				   &step->function);
}

int stack_steps_make(struct function_table *table, const struct profile *profile, struct stack_steps *ret_steps)
{
	struct numbering numbering = {.table = table};
	struct stack_steps *steps = ret_steps;
	int err = 0;

	*steps = (struct stack_steps){.profile = profile, .depth_max = STACK_STEPS_MAX};
	steps->first = calloc(profile->location_count + 1UL, sizeof(*steps->first));
	if (!steps->first)
		return -ENOMEM;
	for (u32 i = 0; i < profile->location_count; i++)
		steps->first[i + 1] =
			steps->first[i] + (profile->locations[i].line_count ? profile->locations[i].line_count : 1);
	steps->unknown = steps->first[profile->location_count];
	steps->truncated = steps->unknown + 1;
	steps->steps = calloc(steps->unknown + 2UL, sizeof(*steps->steps));
	if (!steps->steps)
		return -ENOMEM;
	for (u32 i = 0; !err && i < profile->location_count; i++)
		err = number_location(&numbering, steps, i);
	err = err ? err : function_table_name(table, STACK_UNKNOWN, &steps->steps[steps->unknown].function);
	err = err ? err : function_table_name(table, PROFILE_TRUNCATED, &steps->steps[steps->truncated].function);
	intern_release(&numbering.places);
	free(numbering.function);
	return err;
}

void stack_steps_release(struct stack_steps *steps)
{
	free(steps->first);
	free(steps->steps);
}

u32 stack_steps_depth(const struct stack_steps *steps, const struct profile_sample *sample)
{
	u32 depth = 0;

	for (u32 i = 0; i < sample->depth && depth < steps->depth_max; i++)
		depth += steps->first[sample->location[i] + 1] - steps->first[sample->location[i]];
	if (depth > steps->depth_max)
		return steps->depth_max;
	return depth ? depth : 1;
}

static struct path_step path_step(const struct stack_steps *steps, u32 step)
{
	return (struct path_step){steps->steps[step].function, step};
}

void stack_steps_path(const struct stack_steps *steps, const struct profile_sample *sample, struct path_step *path)
{
	u32 depth = 0;

	if (!sample->depth)
		*path = path_step(steps, steps->unknown);
	for (u32 i = 0; i < sample->depth; i++) {
		u32 end = steps->first[sample->location[i] + 1];

		for (u32 step = steps->first[sample->location[i]]; step < end; step++) {
			if (depth == steps->depth_max) {
				path[depth - 1] = path_step(steps, steps->truncated);
				return;
			}
			path[depth++] = path_step(steps, step);
		}
	}
}

static const struct profile_location *location_of(const struct stack_steps *steps, u32 step)
{
	return step >= steps->unknown ? NULL : &steps->profile->locations[steps->steps[step].location];
}

const struct profile_line *stack_step_line(const struct stack_steps *steps, u32 step)
{
	const struct profile_location *location = location_of(steps, step);

	return location && location->line_count ? &location->lines[steps->steps[step].line] : NULL;
}

enum frame_role stack_step_role(const struct stack_steps *steps, u32 step)
{
	const struct profile_location *location = location_of(steps, step);
	const struct profile_line *line = stack_step_line(steps, step);

	if (line)
		return line->role;
	return location ? location->role : FRAME_PROGRAM;
}
