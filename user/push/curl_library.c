/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/curl_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"

struct curl_library curl;

#define WHY_SIZE 256
#define OLDEST	 0x075800 /* 7.88, Debian 12's, which all of this was tried with */

/* Debian's with GnuTLS, which is the one that libdebuginfod loads too; other distributions have one by the plain name. */
static void *open_library(char why[WHY_SIZE])
{
	/* What it brings along keeps memory that is lost when it goes: so it stays. */
	const int flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
	void *library = dlopen("libcurl-gnutls.so.4", flags);

	if (!library) /* the second error would name what nobody need install */
		snprintf(why, WHY_SIZE, "%s", dlerror());
	return library ? library : dlopen("libcurl.so.4", flags);
}

static bool resolve(void *library)
{
#define CURL_FUNCTION(name)                                                                                            \
	curl.name = (typeof(curl.name))dlsym(library, "curl_" #name);                                                  \
	if (!curl.name)                                                                                                \
		return false;
	CURL_FUNCTIONS(CURL_FUNCTION)
#undef CURL_FUNCTION
	return true;
}

static int result;

/* What the header declares as a constant may be unknown to an older library, which has all the functions. */
static bool is_new_enough(void)
{
	return curl.version_info(CURLVERSION_NOW)->version_num >= OLDEST;
}

static void load(void)
{
	char why[WHY_SIZE];
	void *library = open_library(why);

	result = library && resolve(library) && is_new_enough() ? 0 : -ENOPKG;
	if (!library)
		log_error("cannot load libcurl, by which 'push' sends (%s): install the package libcurl3-gnutls", why);
	else if (result)
		log_error("libcurl is too old for 'push': install the package libcurl3-gnutls, 7.88 or later");
}

int curl_library_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return result;
}
