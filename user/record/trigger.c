/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/trigger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse_number.h"
#include "base/units.h"
#include "system/cgroup.h"

#define LOOK_NS 100000000ULL
#define REARMING                                                                                                       \
	0.95 /* of what made it fire, so that memory which swings about that does not fire it again and again */

/* --- expressions --- */

static const char *after(const char *text, const char *start)
{
	size_t length = strlen(start);

	return strncmp(text, start, length) ? NULL : text + length;
}

static int parse_share(const char *text, size_t digits, struct trigger *trigger)
{
	char number[4];
	u64 percent;

	if (digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (parse_number(number, 100, &percent) || !percent)
		return -EINVAL;
	trigger->percent = (u32)percent;
	return 0;
}

int trigger_parse(const char *text, struct trigger *ret_trigger)
{
	const char *value = after(text, "rss="), *size;
	size_t digits;

	*ret_trigger = (struct trigger){.text = text, .cgroup = !value};
	value = value ? value : after(text, "cgroup=");
	if (!value)
		return -EINVAL;
	ret_trigger->growth = *value == '+';
	size = value + (ret_trigger->growth ? 1 : 0);
	digits = strspn(size, "0123456789");
	if (digits && !ret_trigger->growth && !strcmp(size + digits, "%"))
		return parse_share(size, digits, ret_trigger);
	return parse_bytes(size, INT64_MAX, &ret_trigger->bytes) || !ret_trigger->bytes ? -EINVAL : 0;
}

/* --- moments --- */

void trigger_watch_begin(struct trigger_watch *watch, const struct trigger *triggers, u32 count)
{
	*watch = (struct trigger_watch){
		.triggers = triggers,
		.count = count,
		.machine_bytes = (u64)sysconf(_SC_PHYS_PAGES) * (u64)sysconf(_SC_PAGESIZE),
	};
}

/* What `bytes` must come to for it to fire; 0: there is no such size. */
static u64 threshold(const struct trigger *trigger, u64 base, u64 limit)
{
	if (trigger->growth)
		return base + trigger->bytes;
	return trigger->percent ? (u64)((double)limit * trigger->percent / 100) : trigger->bytes;
}

static void say(const struct trigger *trigger, const struct image *image, u64 bytes, u64 limit)
{
	char share[80] = "";

	if (trigger->percent)
		snprintf(share, sizeof(share), ", of at most %s", units_bytes((double)limit).text);
	log_note("--trigger %s: %s of pid %u (%s) is at %s%s; writing profiles", trigger->text,
		 trigger->cgroup ? "the control group" : "the resident memory", image->pid, image->comm,
		 units_bytes((double)bytes).text, share);
}

/* The trigger of that number. */
static bool fires(const struct trigger *trigger, u32 number, struct image *image, u64 bytes, u64 limit)
{
	u64 *base = &image->trigger.base_bytes[number], wanted;
	const u32 bit = 1u << number;

	*base = *base ? *base : bytes;
	wanted = threshold(trigger, *base, limit);
	if (!bytes || !wanted)
		return false;
	if (bytes < wanted) {
		if ((double)bytes < REARMING * (double)wanted)
			image->trigger.fired &= ~bit;
		return false;
	}
	if (trigger->growth)
		*base = bytes;
	else if (image->trigger.fired & bit)
		return false;
	image->trigger.fired |= bit;
	say(trigger, image, bytes, limit);
	return true;
}

bool trigger_look(const struct trigger_watch *watch, struct image *image, u64 used, u64 limit)
{
	const u64 rss = image->rss_end_bytes, machine = watch->machine_bytes;
	bool any = false;

	for (u32 i = 0; i < watch->count; i++) {
		const struct trigger *trigger = &watch->triggers[i];

		if (trigger->cgroup)
			any |= fires(trigger, i, image, used, limit);
		else
			any |= fires(trigger, i, image, rss, limit && limit < machine ? limit : machine);
	}
	return any;
}

struct look {
	const struct trigger_watch *watch;
	const char *directory, *path; /* of the group that was read last */
	u64 limit, used;
	bool any, limited;
};

/* Processes of one group stand mostly side by side, and it is read once for all of them. */
static void read_group(struct look *look, const struct image *image)
{
	if (look->path && !strcmp(look->path, image->memory_path) && !strcmp(look->directory, image->memory_directory))
		return;
	look->directory = image->memory_directory;
	look->path = image->memory_path;
	cgroup_memory_needed(look->directory, look->path, &look->limit, &look->used);
}

static int look_at(struct image *image, void *arg)
{
	struct look *look = arg;

	if (image->ended)
		return 0;
	if (!image->memory_directory) {
		look->any |= trigger_look(look->watch, image, 0, 0);
		return 0;
	}
	read_group(look, image);
	look->limited |= look->limit != 0;
	look->any |= trigger_look(look->watch, image, look->used, look->limit);
	return 0;
}

/* Such triggers would be waited for in vain. */
static void say_unlimited(const struct trigger_watch *watch)
{
	for (u32 i = 0; i < watch->count; i++)
		if (watch->triggers[i].cgroup)
			log_note(
				"--trigger %s: no process that is traced now is in a control group with a memory limit",
				watch->triggers[i].text);
}

bool trigger_due(struct trigger_watch *watch, struct recorder *recorder, u64 now_ns)
{
	struct look look = {.watch = watch};

	if (!watch->count || now_ns - watch->looked_ns < LOOK_NS)
		return false;
	watch->looked_ns = now_ns;
	recorder_for_each(recorder, look_at, &look);
	if (!watch->said && !look.limited)
		say_unlimited(watch);
	watch->said = true;
	return look.any;
}
