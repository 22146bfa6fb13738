/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Names of profiles that no two share: random UUIDs (RFC 9562, version 4). */
#include "include/types.h"

#define RANDOM_ID_SIZE	    16
#define RANDOM_ID_TEXT_SIZE 37

void random_id(u8 id[RANDOM_ID_SIZE]);
const char *random_id_text(char text[RANDOM_ID_TEXT_SIZE]); /* of a new one. Returns `text` */
