/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting servers and keeping them busy. */
#include "server.h"

#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define NGINX_REQUESTS 2000
#define WORDS_MAX      32
#define PACKAGES       "servers" /* where the build has unpacked them */
#define NOBODY	       "setpriv --reuid 65534 --regid 65534 --clear-groups"

static void start(struct child *child, const char *const *wrapper, const char *const *argv, const char *ready)
{
	const char *words[WORDS_MAX];
	unsigned int count = 0;

	for (; wrapper && *wrapper; wrapper++)
		words[count++] = *wrapper;
	for (; *argv && count < WORDS_MAX - 1; argv++)
		words[count++] = *argv;
	words[count] = NULL;
	target_start(child, NULL, words);
	target_await_words(child, ready);
}

/* What a command prints is shown with a failure only. */
static void run(const char *command)
{
	char text[4096] = "";
	FILE *pipe = popen(format("{ %s; } 2>&1", command), "re");
	size_t length = pipe ? fread(text, 1, sizeof(text) - 1, pipe) : 0;
	char rest[4096];

	text[length] = '\0';
	while (pipe && fread(rest, 1, sizeof(rest), pipe) > 0)
		;
	if (!pipe || pclose(pipe))
		fail_msg("%s:\n%s", command, text);
}

/* --- redis ---------------------------------------------------------------------------------------------------------- */

/* The program lies in redis-tools, under another name. */
void server_start_redis(struct scene *scene, struct child *child, const char *const *wrapper)
{
	const char *program = format("%s/redis-server", scene->dir);

	assert_int_equal(symlink("/usr/bin/redis-check-rdb", program), 0);
	start(child, wrapper,
	      (const char *const[]){program, "--port", "0", "--unixsocket", format("%s/redis.socket", scene->dir),
				    "--save", "", "--dir", scene->dir, "--logfile", "", NULL},
	      "eady to accept connections");
}

void server_load_redis(const struct scene *scene)
{
	run(format("redis-benchmark -s %s/redis.socket -q -P 16 -n 20000 -r 5000 -t set,get,lpush,hset", scene->dir));
}

/* --- nginx ---------------------------------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file))
		fail_msg("%s: %s", path, strerror(errno));
}

/* Two workers, which are not root; it says "start worker process" for each in its log. */
void server_start_nginx(struct scene *scene, struct child *child, const char *const *wrapper)
{
	const char *path = format("%s/nginx.conf", scene->dir), *dir = scene->dir;

	write_file(path,
		   format("daemon off; worker_processes 2; user nobody nogroup; pid %s/nginx.pid;"
			  "error_log stderr notice; events { worker_connections 64; }"
			  "http { access_log off; client_body_temp_path %s/body; proxy_temp_path %s/proxy;"
			  "fastcgi_temp_path %s/fastcgi; uwsgi_temp_path %s/uwsgi; scgi_temp_path %s/scgi;"
			  "server { listen unix:%s/nginx.socket; location / { return 200 \"$request_uri\\n\"; } } }",
			  dir, dir, dir, dir, dir, dir, dir));
	start(child, wrapper,
	      (const char *const[]){"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh", beside(PACKAGES "/usr/sbin/nginx"), "-p",
				    dir, "-e", "stderr", "-c", path, NULL},
	      "start worker process ");
}

static void request(const char *path, unsigned int number)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *words = format("GET /page/%u HTTP/1.0\r\n\r\n", number);
	char answer[4096];
	size_t length = 0;
	ssize_t more;

	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    write(fd, words, strlen(words)) != (ssize_t)strlen(words))
		fail_msg("%s: %s", path, strerror(errno));
	while (length < sizeof(answer) - 1 && (more = read(fd, answer + length, sizeof(answer) - 1 - length)) > 0)
		length += (size_t)more;
	answer[length] = '\0';
	close(fd);
	if (!strstr(answer, format("/page/%u\n", number)))
		fail_msg("nginx answers:\n%s", answer);
}

void server_load_nginx(const struct scene *scene)
{
	const char *path = format("%s/nginx.socket", scene->dir);
	char socket[PATH_MAX];

	snprintf(socket, sizeof(socket), "%s", path);
	for (unsigned int i = 0; i < NGINX_REQUESTS; i++)
		request(socket, i);
}

/* --- postgres ------------------------------------------------------------------------------------------------------- */

static const char *postgres_programs(const char *root)
{
	glob_t found;
	const char *dir;

	if (glob(format("%s/usr/lib/postgresql/*/bin", root), 0, NULL, &found))
		fail_msg("no postgres below %s", root);
	dir = format("%s", found.gl_pathv[0]);
	globfree(&found);
	return dir;
}

/*
 * It refuses to run as root, and another user may not come to where this tree was built: it runs from a copy, which it
 * does not mind.
 */
void server_start_postgres(struct scene *scene, struct child *child, const char *const *wrapper)
{
	const char *dir = scene->dir, *packages = beside(PACKAGES), *programs;

	run(format("cd %s && mkdir -p usr/lib usr/share data && chown 65534:65534 data && cp -r %s/usr/lib/postgresql "
		   "usr/lib && cp -r %s/usr/share/postgresql usr/share",
		   dir, packages, packages));
	programs = postgres_programs(dir);
	run(format("cd %s && " NOBODY " %s/initdb -D data -U test -A trust -N --no-locale", dir, programs));
	start(child, wrapper,
	      (const char *const[]){"/bin/sh", "-c",
				    format("cd %s && exec " NOBODY
					   " %s/postgres -D data -k %s/data -c listen_addresses= -c fsync=off 2>&1",
					   dir, programs, dir),
				    NULL},
	      "ready to accept connections");
}

void server_load_postgres(const struct scene *scene)
{
	const char *programs = postgres_programs(scene->dir), *socket = format("%s/data", scene->dir);

	run(format("%s/pgbench -h %s -U test -i -q postgres", programs, socket));
	run(format("%s/pgbench -h %s -U test -c 4 -t 100 postgres", programs, socket));
}
