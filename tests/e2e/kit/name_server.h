/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A server of debug files at a free port of this machine that never answers: heaptap, which writes profiles, waits for names until the
 * server closes. Only a target without symbols makes it ask.
 */
#include "session.h"

struct name_server {
	int server, client;
	char url[64];
};

/* Serve, and let the session that starts next ask there; it takes the environment's first three places. */
void name_server_start(struct name_server *server, struct scene *scene);

/* Until heaptap asks for names. */
void name_server_await_client(struct name_server *server);

/* Close: heaptap does without. */
void name_server_stop(struct name_server *server);
