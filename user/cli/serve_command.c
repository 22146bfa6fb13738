/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/serve_command.h"

#include "cli/options.h"
#include "cli/push_command.h"
#include "live/client.h"
#include "live/running.h"
#include "serve/listener.h"

int serve_command_run(const struct options *options)
{
	const struct push_options push = push_command_beside(options);
	struct serve_options serve = options->serve;
	const struct live_client client = {serve_run, &serve, push.to != NULL};
	int status;

	if (!serve.listen)
		serve.listen = LISTENER_DEFAULT;
	if (push.to)
		serve.push = &push;
	status = serve_check(&serve);
	if (!status && serve.push)
		status = push_check(serve.push);
	if (status)
		return options_not_begun(options, status);
	if (serve.path)
		return client_run_recorded(serve.path, &client);
	return running_run(&options->record.tracing, options->site_skip, &client);
}
