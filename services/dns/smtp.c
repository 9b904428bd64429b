/* smtp: see smtp.h. */
#include "services/dns/smtp.h"

#include "lib/mem.h"

#include <curl/curl.h>

#include <stdio.h>
#include <string.h>

struct upload {
	const char *at;
	size_t left;
};

static size_t on_read(char *buf, size_t size, size_t n, void *arg)
{
	struct upload *upload = arg;
	size_t len = size * n < upload->left ? size * n : upload->left;

	memcpy(buf, upload->at, len);
	upload->at += len;
	upload->left -= len;
	return len;
}

static CURLcode perform(CURL *curl, const struct smtp_message *message, char *error)
{
	struct upload upload = { message->text, strlen(message->text) };
	AUTO_FREE char *from = xasprintf("<%s>", message->sender);
	AUTO_FREE char *to = xasprintf("<%s>", message->recipient);
	struct curl_slist *recipients = curl_slist_append(NULL, to);
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_URL, message->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SMTP_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
	code = curl_easy_perform(curl);
	curl_slist_free_all(recipients);
	return code;
}

err_t smtp_send(const struct smtp_message *message, char *reason, size_t size)
{
	char error[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	CURLcode code;

	if (curl == NULL)
		BUG("libcurl does not start");
	code = perform(curl, message, error);
	curl_easy_cleanup(curl);
	if (code == CURLE_OK)
		return OK;
	snprintf(reason, size, "%s", *error != '\0' ? error : curl_easy_strerror(code));
	return ERR_UNAVAILABLE;
}
