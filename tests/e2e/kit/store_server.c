/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#define LOOK_US 2000 /* between two looks at what another process or thread does: there is no event to wait for */
#define NGINX	"servers/usr/sbin/nginx"

/* --- the server --- */

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	char *text;
	size_t size;

	if (!file || fstat(fileno(file), &status))
		fail_msg("%s: %s", path, strerror(errno));
	text = malloc((size_t)status.st_size + 1);
	assert_non_null(text);
	size = fread(text, 1, (size_t)status.st_size, file);
	text[size] = '\0';
	fclose(file);
	return text;
}

static void start(struct child *child, const char *const *argv, const char *ready)
{
	target_start(child, NULL, argv);
	target_await_words(child, ready);
}

void store_server_start(struct scene *scene, struct store_server *server, struct child *child, const char *name)
{
	char *port;

	snprintf(server->dir, sizeof(server->dir), "%.2000s/%s", scene->dir, name);
	server->child = child;
	assert_int_equal(mkdir(server->dir, 0700), 0);
	start(child,
	      (const char *const[]){"/usr/bin/python3", SOURCE_DIR "/tests/e2e/kit/store_server.py", server->dir, NULL},
	      "ready");
	port = read_file(format("%s/port", server->dir));
	server->port = (unsigned int)strtoul(port, NULL, 10);
	free(port);
}

const char *store_server_url(const struct store_server *server, const char *kind)
{
	return format("http://127.0.0.1:%u/%s", server->port, kind);
}

unsigned int store_server_count(const struct store_server *server, const char *words)
{
	char *log = read_file(format("%s/log", server->dir)), *rest = log;
	unsigned int count = 0;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		count += strstr(line, words) ? 1 : 0;
	free(log);
	return count;
}

void store_server_await(const struct store_server *server, const char *words, unsigned int count)
{
	uint64_t deadline = deadline_ns();

	while (store_server_count(server, words) < count) {
		if (now_ns() > deadline)
			fail_msg("the log has not %u times: %s", count, words);
		usleep(LOOK_US);
	}
}

uint64_t store_server_sent(const struct store_server *server, const char *kind)
{
	const char *words = format("{\"broken\":\"%s\",\"sent\":", kind), *at;
	uint64_t sent;
	char *log;

	store_server_await(server, words, 1);
	log = read_file(format("%s/log", server->dir));
	at = strstr(log, words);
	sent = strtoull(at + strlen(words), NULL, 10);
	free(log);
	return sent;
}

/* --- nginx --- */

/* One that is free now. */
static unsigned int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		fail_msg("no port: %s", strerror(errno));
	close(fd);
	return ntohs(address.sin_port);
}

static void make_certificate(const char *dir, const char *name, const char *host)
{
	const char *command =
		format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=%s "
		       "-addext subjectAltName=DNS:%s -keyout %s/%s.key -out %s/%s.pem 2>%s/openssl.log",
		       host, host, dir, name, dir, name, dir);

	if (system(command))
		fail_msg("%s", command);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file))
		fail_msg("%s: %s", path, strerror(errno));
}

static const char *proxy_head(const char *dir)
{
	return format(
		"daemon off; worker_processes 1; user nobody nogroup; pid %s/nginx.pid; error_log stderr notice;"
		"events { worker_connections 64; }"
		"http { access_log off; client_body_temp_path %s/body; proxy_temp_path %s/proxy; fastcgi_temp_path %s/fastcgi;"
		"uwsgi_temp_path %s/uwsgi; scgi_temp_path %s/scgi; client_max_body_size 16m; client_body_buffer_size 16m;",
		dir, dir, dir, dir, dir, dir);
}

static const char *proxy_server(const char *dir, unsigned int port, unsigned int store)
{
	return format(
		"server { listen 127.0.0.1:%u ssl; ssl_certificate %s/store.pem; ssl_certificate_key %s/store.key;"
		"location /ok/ { proxy_pass http://127.0.0.1:%u; }"
		"location /small/ { client_max_body_size 1k; proxy_pass http://127.0.0.1:%u/ok/; }"
		"location /basic/ { auth_basic store; auth_basic_user_file %s/users; proxy_pass http://127.0.0.1:%u/ok/; }"
		"location /bearer/ { if ($http_authorization != \"Bearer token-0123456789\") { return 401 \"no token of ours\"; }"
		" proxy_pass http://127.0.0.1:%u/ok/; }"
		"location /busy/ { add_header Retry-After 1 always; return 429; }"
		"location /down/ { return 503; }"
		"location /slow/ { proxy_pass http://127.0.0.1:%u/silent/; }"
		"location /cut/ { proxy_pass http://127.0.0.1:%u/cut/; }"
		"location /gone/ { return 444; } }",
		port, dir, dir, store, store, dir, store, store, store, store);
}

void store_server_start_proxy(struct scene *scene, const struct store_server *server, struct store_proxy *proxy)
{
	const char *dir = server->dir, *configuration = format("%s/nginx.conf", dir);

	proxy->port = free_port();
	proxy->strange = free_port();
	snprintf(proxy->ca_file, sizeof(proxy->ca_file), "%.2000s/store.pem", dir);
	make_certificate(dir, "store", "localhost");
	make_certificate(dir, "strange", "localhost");
	write_file(format("%s/users", dir), "agent:{PLAIN}open sesame\n");
	write_file(
		configuration,
		format("%s%s server { listen 127.0.0.1:%u ssl; ssl_certificate %s/strange.pem; ssl_certificate_key %s/strange.key;"
		       "location / { proxy_pass http://127.0.0.1:%u/ok/; } } }",
		       proxy_head(dir), proxy_server(dir, proxy->port, server->port), proxy->strange, dir, dir,
		       server->port));
	/* Its workers are another user, who reads the list of users. */
	assert_int_equal(chmod(scene->dir, 0755) | chmod(dir, 0755), 0);
	start(&scene->more[0],
	      (const char *const[]){"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh", beside(NGINX), "-p", dir, "-e", "stderr",
				    "-c", configuration, NULL},
	      "start worker process ");
}
