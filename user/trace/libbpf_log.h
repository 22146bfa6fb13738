/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What libbpf has to say: with -v, as heaptap's own messages; else nothing. heaptap says itself what goes wrong, and tries
 * things that may fail.
 */

/* Before anything else of this room is called. */
void libbpf_log_take(void);
