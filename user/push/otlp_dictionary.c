/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/otlp_dictionary.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "view/code_label.h"

#define BUILD_ID "process.executable.build_id.gnu"

/* --- memory --- */

void *otlp_list(struct otlp_dictionary *dictionary, size_t count, size_t size)
{
	void *list = dictionary->failed ? NULL : arena_take(&dictionary->arena, count * size);

	if (list)
		memset(list, 0, count * size);
	else
		dictionary->failed = true;
	return list;
}

void *otlp_message(struct otlp_dictionary *dictionary, const ProtobufCMessageDescriptor *kind)
{
	void *message = otlp_list(dictionary, 1, kind->sizeof_message);

	if (message)
		protobuf_c_message_init(kind, message);
	return message;
}

/* The entry's index in the table. */
#define append(dictionary, table, entry)                                                                               \
	({                                                                                                             \
		Otlp__Dictionary *tables_ = &(dictionary)->message;                                                    \
		s32 index_ = 0;                                                                                        \
                                                                                                                       \
		if (!(dictionary)->failed && array_grow(&tables_->table, tables_->n_##table, 1))                       \
			(dictionary)->failed = true;                                                                   \
		if (!(dictionary)->failed) {                                                                           \
			index_ = (s32)tables_->n_##table;                                                              \
			tables_->table[tables_->n_##table++] = (entry);                                                \
		}                                                                                                      \
		index_;                                                                                                \
	})

/* Has the table of that key one? Its index; 0: it has none yet, and the next one that is appended is to be its. */
static s32 find(struct otlp_dictionary *dictionary, struct intern *table, const void *bytes, size_t size)
{
	const struct interned *entry;
	int added = dictionary->failed || size > UINT32_MAX ? -ENOMEM : intern_add(table, bytes, (u32)size, &entry);

	if (added < 0) {
		dictionary->failed = true;
		return 0;
	}
	return added ? 0 : (s32)entry->index + 1;
}

/* --- strings, functions, attributes --- */

s32 otlp_string(struct otlp_dictionary *dictionary, const char *text)
{
	char *clean = text && *text ? text_clean(text) : NULL, *copy;
	size_t size;
	s32 index;

	if (!clean) {
		dictionary->failed |= text && *text;
		return 0;
	}
	size = strlen(clean) + 1;
	index = find(dictionary, &dictionary->strings, clean, size);
	copy = index ? NULL : otlp_list(dictionary, size, 1);
	if (copy) {
		memcpy(copy, clean, size);
		index = append(dictionary, string_table, copy);
	}
	free(clean);
	return index;
}

static s32 put_function(struct otlp_dictionary *dictionary, const struct profile_line *line)
{
	const s32 key[] = {otlp_string(dictionary, line->function), otlp_string(dictionary, line->system_name),
			   otlp_string(dictionary, line->file), (s32)line->start_line};
	s32 index = find(dictionary, &dictionary->functions, key, sizeof(key));
	Otlp__Function *message = index ? NULL : otlp_message(dictionary, &otlp__function__descriptor);

	if (!message)
		return index;
	message->name_strindex = key[0];
	message->system_name_strindex = key[1];
	message->filename_strindex = key[2];
	message->start_line = line->start_line;
	return append(dictionary, function_table, message);
}

static s32 put_build_id(struct otlp_dictionary *dictionary, const char *build_id)
{
	const s32 key[] = {otlp_string(dictionary, BUILD_ID), otlp_string(dictionary, build_id)};
	s32 index = find(dictionary, &dictionary->attributes, key, sizeof(key));
	Otlp__Attribute *message = index ? NULL : otlp_message(dictionary, &otlp__attribute__descriptor);

	if (!message)
		return index;
	message->key_strindex = key[0];
	message->value = otlp_message(dictionary, &otlp__any_value__descriptor);
	if (!message->value)
		return 0;
	message->value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	message->value->string_value = dictionary->message.string_table[key[1]];
	return append(dictionary, attribute_table, message);
}

/* --- places --- */

static s32 put_mapping(struct otlp_dictionary *dictionary, u32 index)
{
	const struct profile_mapping *mapping = &dictionary->profile->mappings[index];
	Otlp__Mapping *message;
	char build_id[PROFILE_BUILD_ID_SIZE];

	if (dictionary->mapping_index[index])
		return dictionary->mapping_index[index];
	message = otlp_message(dictionary, &otlp__mapping__descriptor);
	if (!message)
		return 0;
	message->memory_start = mapping->start;
	message->memory_limit = mapping->end;
	message->file_offset = mapping->file_offset;
	message->filename_strindex = otlp_string(dictionary, mapping->path);
	if (*profile_build_id(mapping, build_id)) {
		message->attribute_indices = otlp_list(dictionary, 1, sizeof(*message->attribute_indices));
		if (!message->attribute_indices)
			return 0;
		*message->attribute_indices = put_build_id(dictionary, build_id);
		message->n_attribute_indices = 1;
	}
	return dictionary->mapping_index[index] = append(dictionary, mapping_table, message);
}

static void put_line(struct otlp_dictionary *dictionary, Otlp__Location *location, const struct profile_line *line)
{
	Otlp__Line *message = otlp_message(dictionary, &otlp__line__descriptor);

	if (!message)
		return;
	message->function_index = put_function(dictionary, line);
	message->line = line->line;
	location->lines[location->n_lines++] = message;
}

/* Every location has a line, as in a .pb.gz. */
static void put_lines(struct otlp_dictionary *dictionary, const struct profile_location *location,
		      Otlp__Location *message)
{
	char name[CODE_LABEL_BRACKETED_SIZE];
	const struct profile_line unnamed = {.function = name, .system_name = name};

	message->lines = otlp_list(dictionary, location->line_count + 1UL, sizeof(void *));
	if (!message->lines)
		return;
	if (!location->line_count) {
		code_label_bracketed(dictionary->profile, location, name);
		put_line(dictionary, message, &unnamed);
	}
	for (u32 i = 0; i < location->line_count; i++)
		put_line(dictionary, message, &location->lines[i]);
}

static s32 put_location(struct otlp_dictionary *dictionary, u32 index)
{
	const struct profile_location *location = &dictionary->profile->locations[index];
	Otlp__Location *message;

	if (dictionary->failed || dictionary->location_index[index])
		return dictionary->failed ? 0 : dictionary->location_index[index];
	message = otlp_message(dictionary, &otlp__location__descriptor);
	if (!message)
		return 0;
	if (location->mapping < dictionary->profile->mapping_count)
		message->mapping_index = put_mapping(dictionary, location->mapping);
	message->address = location->address;
	put_lines(dictionary, location, message);
	return dictionary->location_index[index] = append(dictionary, location_table, message);
}

s32 otlp_stack(struct otlp_dictionary *dictionary, const u32 *locations, u32 depth)
{
	s32 index = depth ? find(dictionary, &dictionary->stacks, locations, depth * sizeof(*locations)) : 0;
	Otlp__Stack *message = depth && !index ? otlp_message(dictionary, &otlp__stack__descriptor) : NULL;

	if (!message)
		return index;
	message->location_indices = otlp_list(dictionary, depth, sizeof(*message->location_indices));
	if (!message->location_indices)
		return 0;
	message->n_location_indices = depth;
	for (u32 i = 0; i < depth; i++)
		message->location_indices[i] = put_location(dictionary, locations[i]);
	return append(dictionary, stack_table, message);
}

/* --- from beginning to end --- */

void otlp_dictionary_open(struct otlp_dictionary *dictionary, const struct profile *profile)
{
	*dictionary = (struct otlp_dictionary){.profile = profile, .message = OTLP__DICTIONARY__INIT};
	dictionary->mapping_index = calloc(profile->mapping_count + 1UL, sizeof(*dictionary->mapping_index));
	dictionary->location_index = calloc(profile->location_count + 1UL, sizeof(*dictionary->location_index));
	dictionary->failed = !dictionary->mapping_index || !dictionary->location_index;
	append(dictionary, mapping_table, otlp_message(dictionary, &otlp__mapping__descriptor));
	append(dictionary, location_table, otlp_message(dictionary, &otlp__location__descriptor));
	append(dictionary, function_table, otlp_message(dictionary, &otlp__function__descriptor));
	append(dictionary, link_table, otlp_message(dictionary, &otlp__link__descriptor));
	append(dictionary, string_table, otlp_list(dictionary, 1, 1));
	append(dictionary, attribute_table, otlp_message(dictionary, &otlp__attribute__descriptor));
	append(dictionary, stack_table, otlp_message(dictionary, &otlp__stack__descriptor));
}

void otlp_dictionary_release(struct otlp_dictionary *dictionary)
{
	free(dictionary->message.mapping_table);
	free(dictionary->message.location_table);
	free(dictionary->message.function_table);
	free(dictionary->message.link_table);
	free(dictionary->message.string_table);
	free(dictionary->message.attribute_table);
	free(dictionary->message.stack_table);
	intern_release(&dictionary->strings);
	intern_release(&dictionary->functions);
	intern_release(&dictionary->attributes);
	intern_release(&dictionary->stacks);
	free(dictionary->mapping_index);
	free(dictionary->location_index);
	arena_release(&dictionary->arena);
}
