/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "serve/connections.h"
#include "serve/metrics.h"

/* Demanglers recurse over names that the traced program chose; what no thread has touched takes no memory. */
#define STACK_BYTES (8 << 20)

/* Nothing but the style sheet is loaded, and nothing runs. */
#define STRICT_POLICY                                                                                                  \
	"default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
#define OWN_POLICY "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

struct http {
	struct http_options options;
	struct connections *connections;
	struct MHD_Daemon *daemon;
};

/* One request, from its first line to the end of its answer. */
struct exchange {
	char *target;	       /* NULL: no memory */
	struct answer *answer; /* that is being sent */
	char *body;
	size_t body_size;
	bool begun; /* the headers have been seen */
	bool too_large;
};

/* --- who may ask --- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/*
 * A page of anyone's can make a browser ask a server on its own machine. It does so by a name of the page's, which this server does not
 * have; where a token is asked for, it lacks that.
 */
static struct request_refusal check_client(const struct http *http, struct MHD_Connection *connection)
{
	const char *host = header(connection, MHD_HTTP_HEADER_HOST);

	if (http->options.token) {
		if (token_is_shown(http->options.token, header(connection, MHD_HTTP_HEADER_AUTHORIZATION)))
			return (struct request_refusal){0};
		return (struct request_refusal){
			.status = 401,
			.sentence =
				"this server asks for its token: as 'Authorization: Bearer', or as the password of a URL",
		};
	}
	if (*http->options.listener->unix_path || !host || request_host_is_local(host))
		return (struct request_refusal){0};
	return (struct request_refusal){
		.status = 403,
		.sentence = "this server answers to localhost and loopback addresses only, not to other names of them",
	};
}

/* --- the request --- */

static struct connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static int descriptor_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

/* As the target came, before the library decodes it. */
static void *begin_exchange(void *arg, const char *target, struct MHD_Connection *connection)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	(void)arg, (void)connection;
	if (exchange)
		exchange->target = strdup(target);
	return exchange;
}

static void end_exchange(void *arg, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode why)
{
	const struct http *http = arg;
	struct exchange *exchange = *state;

	(void)why;
	connections_idle(http->connections, connection_of(connection));
	if (!exchange)
		return;
	answer_release(exchange->answer);
	free(exchange->target);
	free(exchange->body);
	free(exchange);
	*state = NULL;
}

static void note_connection(void *arg, struct MHD_Connection *connection, void **context,
			    enum MHD_ConnectionNotificationCode what)
{
	const struct http *http = arg;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*context = connections_begin(http->connections, descriptor_of(connection));
	else
		connections_end(http->connections, *context);
}

static void take_body(struct exchange *exchange, const char *data, size_t size)
{
	char *grown;

	if (exchange->too_large || exchange->body_size + size > HTTP_BODY_MAX) {
		exchange->too_large = true;
		return;
	}
	grown = realloc(exchange->body, exchange->body_size + size + 1);
	exchange->too_large = !grown;
	if (!grown)
		return;
	memcpy(grown + exchange->body_size, data, size);
	exchange->body = grown;
	exchange->body_size += size;
	exchange->body[exchange->body_size] = '\0';
}

/* --- the answer --- */

static bool is_over(void *arg)
{
	const int *connection = arg;
	struct pollfd fd = {.fd = *connection, .events = POLLRDHUP};

	return poll(&fd, 1, 0) > 0 && fd.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

static struct answer *make_answer(struct http *http, struct MHD_Connection *connection, const char *method,
				  const struct exchange *exchange)
{
	int fd = descriptor_of(connection);
	const char *host = header(connection, MHD_HTTP_HEADER_HOST);
	struct service_question question = {
		.address = host && request_host_is_plain(host) ? host : http->options.listener->address,
		.open_metrics = metrics_accepts_open(header(connection, MHD_HTTP_HEADER_ACCEPT)),
		.is_over = is_over,
		.arg = &fd,
	};
	struct request_refusal refusal = request_parse(method, exchange->target, &question.request), unwelcome = {0};

	if (question.request.what != REQUEST_HEALTH || refusal.status)
		unwelcome = check_client(http, connection);
	if (unwelcome.status)
		refusal = unwelcome;
	else if (exchange->too_large)
		refusal = (struct request_refusal){.status = 413, .sentence = "the body is longer than 256 KiB"};
	else if (exchange->body_size && !question.request.post && refusal.status < 400)
		refusal =
			(struct request_refusal){.status = 400, .sentence = "a request with a body: only POST has one"};
	if (refusal.status)
		return service_refuse(&question.request, &refusal);
	question.addresses = question.request.post ? (exchange->body ? exchange->body : "")
						   : exchange->target + question.request.query;
	return service_answer(http->options.service, &question);
}

static void add_headers(struct MHD_Response *response, const struct answer *answer)
{
	char disposition[64];
	const char *const headers[][2] = {
		{MHD_HTTP_HEADER_CONTENT_TYPE, answer->type},
		{"X-Content-Type-Options", "nosniff"},
		{MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Content-Security-Policy", answer->own_policy ? OWN_POLICY : STRICT_POLICY},
		{"X-Go-Pprof", answer->go_error ? "1" : NULL},
		{MHD_HTTP_HEADER_CONTENT_DISPOSITION, answer->attachment ? disposition : NULL},
		{MHD_HTTP_HEADER_LOCATION, answer->location},
		{MHD_HTTP_HEADER_ALLOW, answer->allow},
		{MHD_HTTP_HEADER_RETRY_AFTER, answer->status == 503 ? "5" : NULL},
		{MHD_HTTP_HEADER_WWW_AUTHENTICATE,
		 answer->status == 401 ? "Basic realm=\"heaptap\", charset=\"UTF-8\"" : NULL},
	};

	snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s\"",
		 answer->attachment ? answer->attachment : "");
	for (unsigned int i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		if (headers[i][1])
			MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

/* The body belongs to the answer, which the exchange holds until it is over. */
static enum MHD_Result send_answer(struct http *http, struct MHD_Connection *connection, struct exchange *exchange)
{
	struct answer *answer = exchange->answer;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!answer)
		return MHD_NO;
	response = MHD_create_response_from_buffer(answer->size, answer->body, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	add_headers(response, answer);
	connections_sending(http->connections, connection_of(connection), answer->size);
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

/* Called with the headers, then with each part of a body, then once more. */
static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *data, size_t *size, void **state)
{
	struct http *http = arg;
	struct exchange *exchange = *state;

	(void)url, (void)version;
	if (!exchange || !exchange->target)
		return MHD_NO;
	if (!exchange->begun) {
		exchange->begun = true;
		return MHD_YES;
	}
	if (*size) {
		take_body(exchange, data, *size);
		*size = 0;
		return MHD_YES;
	}
	connections_answering(http->connections, connection_of(connection));
	exchange->answer = make_answer(http, connection, method, exchange);
	return send_answer(http, connection, exchange);
}

/* --- the daemon --- */

/* Its messages are about clients that went away or sent nonsense. */
static void say_nothing(void *arg, const char *format, va_list arguments)
{
	(void)arg, (void)format, (void)arguments;
}

/* Threads take the priority of the one that starts them. */
static void start_daemon(void *arg)
{
	struct http *http = arg;

	http->daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC, 0, NULL,
		NULL, handle, http, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL, MHD_OPTION_LISTEN_SOCKET,
		http->options.listener->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, http, MHD_OPTION_NOTIFY_COMPLETED, end_exchange, http,
		MHD_OPTION_NOTIFY_CONNECTION, note_connection, http, MHD_OPTION_END);
}

int http_start(const struct http_options *options, struct http **ret_http)
{
	struct http *http = calloc(1, sizeof(*http));
	struct thread starter = {0};
	int err;

	if (!http)
		return -ENOMEM;
	http->options = *options;
	http->connections = connections_new(options->time_scale);
	err = http->connections ? thread_start(&starter, start_daemon, http) : -ENOMEM;
	thread_finish(&starter);
	if (!err && http->daemon) {
		*ret_http = http;
		return 0;
	}
	connections_free(http->connections);
	free(http);
	return err ? err : -EAGAIN;
}

void http_stop(struct http *http)
{
	service_stop(http->options.service);
	MHD_stop_daemon(http->daemon);
	connections_free(http->connections);
	free(http);
}
