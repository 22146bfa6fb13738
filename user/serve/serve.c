/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/serve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/log.h"
#include "base/status.h"
#include "push/push.h"
#include "serve/http.h"
#include "system/shortage.h"

/* --- mistakes --- */

static int read_token(const char *path, struct token *ret_token)
{
	int err = token_read(path, ret_token);

	if (!err)
		return STATUS_DONE;
	if (err == -EINVAL)
		log_error(
			"the first line of '%s' is no token: %d to %d printable characters without blanks; make one with "
			"'openssl rand -hex 24'",
			path, TOKEN_MIN, TOKEN_MAX);
	else if (err == -EACCES)
		log_error("the token in '%s' is not used: others may read the file; 'chmod 600' it", path);
	else
		log_error("cannot read '%s': %s", path, shortage_explain(err).text);
	return err == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
}

int serve_check(const struct serve_options *options)
{
	struct token token;
	bool local;

	if (listener_check(options->listen, &local)) {
		log_error("'--listen %s' is no place to listen on: write ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH",
			  options->listen);
		return STATUS_USAGE;
	}
	if (!local && !options->token_file) {
		log_error("'--listen %s' is open to other machines: it goes with '--token-file FILE'", options->listen);
		return STATUS_USAGE;
	}
	return options->token_file ? read_token(options->token_file, &token) : STATUS_DONE;
}

/* --- running --- */

static void say(const struct serve_options *options, const struct listener *listener)
{
	if (*listener->unix_path)
		log_note("serving on '%s': curl --unix-socket '%s' http://localhost/", listener->unix_path,
			 listener->unix_path);
	else
		log_note("serving on http://%s/: go tool pprof http://%s/debug/pprof/heap", listener->address,
			 listener->address);
	if (!listener->local)
		log_note("what is sent is not encrypted, the token of '%s' included; see heaptap(8)",
			 options->token_file);
}

static void wait_for_stop(int stop_fd)
{
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};

	while (poll(&stop, 1, -1) < 0 && errno == EINTR)
		;
}

/* A thread of its own pushes, so that neither waits for the other. Clients are answered until the last interval is on its way. */
static int push_until_stop(struct source *source, int stop_fd, struct pushing *pushing)
{
	const struct live_client client = {push_intervals, pushing, true};
	struct client_run run;
	int status = client_start(&run, &client, source);

	if (status)
		return status;
	wait_for_stop(stop_fd);
	client_stop(&run);
	client_finish(&run);
	return pushing_finish(pushing);
}

static int serve(struct source *source, int stop_fd, const struct serve_options *options,
		 const struct listener *listener, const struct token *token, struct pushing *pushing)
{
	struct service *service = service_new(source, pushing);
	struct http_options http_options = {listener, service, token, 1};
	struct http *http;
	int status = STATUS_DONE;
	int err = service ? http_start(&http_options, &http) : -ENOMEM;

	if (err) {
		log_error("cannot serve: %s", shortage_explain(err).text);
		service_free(service);
		return STATUS_FAILED;
	}
	say(options, listener);
	if (pushing)
		status = push_until_stop(source, stop_fd, pushing);
	else
		wait_for_stop(stop_fd);
	http_stop(http);
	service_free(service);
	return status;
}

int serve_run(struct source *source, int stop_fd, void *arg)
{
	const struct serve_options *options = arg;
	struct pushing *pushing = NULL;
	struct listener listener;
	struct token token;
	int status = options->token_file ? read_token(options->token_file, &token) : STATUS_DONE, err;

	if (status)
		return status;
	err = listener_open(options->listen, &listener);
	if (err) {
		log_error("cannot listen on '%s': %s%s", options->listen, shortage_explain(err).text,
			  err == -EADDRINUSE ? "; choose another place with --listen" : "");
		return STATUS_FAILED;
	}
	if (options->push)
		status = pushing_open(options->push, &pushing);
	if (!status)
		status = serve(source, stop_fd, options, &listener, options->token_file ? &token : NULL, pushing);
	pushing_close(pushing);
	listener_close(&listener);
	return status;
}
