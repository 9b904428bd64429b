/*
 * plain: what libmicrohttpd does by itself: one thread, TLS, one fixed reply of the size of a
 * status. The peer of bench_provisioning.py. usage: plain CERT KEY; prints its port and runs until
 * its input ends.
 */
#include <microhttpd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 16384
#define BODY_LEN 500

static char body[BODY_LEN];

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **state)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	(void)context, (void)url, (void)method, (void)version, (void)data, (void)len;
	if (*state == NULL) { /* who is answered before the end of its request is cut off then */
		*state = body;
		return MHD_YES;
	}
	response = MHD_create_response_from_buffer(BODY_LEN, body, MHD_RESPMEM_PERSISTENT);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static char *read_file(const char *path)
{
	char *text = calloc(1, FILE_MAX);
	FILE *file = fopen(path, "re");

	if (file == NULL || text == NULL || fread(text, 1, FILE_MAX - 1, file) == 0) {
		fprintf(stderr, "plain: cannot read %s\n", path);
		exit(1);
	}
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	struct MHD_Daemon *daemon;

	if (argc != 3) {
		fprintf(stderr, "usage: plain CERT KEY\n");
		return 2;
	}
	memset(body, 'x', sizeof(body));
	daemon = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, answer,
		NULL, MHD_OPTION_HTTPS_MEM_CERT, read_file(argv[1]), MHD_OPTION_HTTPS_MEM_KEY,
		read_file(argv[2]), MHD_OPTION_END);
	if (daemon == NULL) {
		fprintf(stderr, "plain: cannot listen\n");
		return 1;
	}
	printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	while (getchar() != EOF)
		;
	MHD_stop_daemon(daemon);
	return 0;
}
