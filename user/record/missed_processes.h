/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The processes of a population of which a recording has nothing. */
#include "record/publish.h"

/* Take their numbers from the kernel's side into the publication, before publish_finish, and say them with what to do about it. */
void missed_processes_count(struct publication *publication);
