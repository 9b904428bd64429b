/*
 * authorizer: see authorizer.h. Questions go to the thread by a list under a mutex, verdicts come
 * back by loop_post.
 */
#include "dataplane/nymea/authorizer.h"

#include "dataplane/dataplane.h"
#include "dataplane/nymea/authorizer_answer.h"
#include "dataplane/nymea/client.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <curl/curl.h>
#include <jansson.h>
#include <sodium.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX     (64 * 1024)
#define CREDENTIALS_MS 90000
#define RETRY_MS       5000
#define REMEMBERED_MAX 10000
#define TRANSFERS_MAX  64L /* at once; more questions wait, for as long as each may last */

/* A yes of the http authorizer, for a while. */
struct remembered {
	char about[72]; /* digest of all that was asked */
	struct verdict verdict;
	int64_t until_ms;
	UT_hash_handle hh;
};

struct question {
	struct authorizer *authorizer;
	char connection[UUID_SIZE]; /* "": it is about our own credentials */
	char about[72];
	char *body; /* of the request */
	CURL *curl;
	struct curl_slist *headers;
	char answer[ANSWER_MAX];
	size_t len;
	struct verdict verdict;
	struct question *next; /* authorizer.asked; then authorizer.running */
};

struct authorizer {
	struct nymea *nymea;
	bool is_aws;
	pthread_t thread;
	CURLM *multi;
	pthread_mutex_t mutex; /* guards asked, stopping, has_credentials */
	struct question *asked;
	bool stopping, has_credentials;
	/* the thread's */
	char key[256], secret[256], session[4096];
	int64_t refresh_ms;
	struct question *running;
	/* the loop's */
	struct remembered *remembered;
};

/* ---- in the thread ---- */

static void question_free(struct question *question)
{
	if (question->body)
		sodium_memzero(question->body, strlen(question->body));
	free(question->body);
	curl_slist_free_all(question->headers);
	curl_easy_cleanup(question->curl);
	sodium_memzero(question, sizeof(*question));
	free(question);
}

static size_t take_answer(char *data, size_t size, size_t n, void *arg)
{
	struct question *question = arg;

	(void)size;
	if (n > sizeof(question->answer) - question->len)
		return 0;
	memcpy(question->answer + question->len, data, n);
	question->len += n;
	return n;
}

static CURL *new_transfer(struct question *question, const char *url)
{
	const struct nymea_settings *settings = question->authorizer->nymea->settings;
	CURL *curl = curl_easy_init();

	if (!curl)
		BUG("no memory for libcurl");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, settings->authentication_timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, question);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, question);
	question->curl = curl;
	return curl;
}

static void begin(struct authorizer *authorizer, struct question *question)
{
	curl_easy_setopt(question->curl, CURLOPT_HTTPHEADER, question->headers);
	curl_multi_add_handle(authorizer->multi, question->curl);
	question->next = authorizer->running;
	authorizer->running = question;
}

static void begin_http(struct authorizer *authorizer, struct question *question)
{
	CURL *curl = new_transfer(question, authorizer->nymea->settings->authorizer_url);

	question->headers = curl_slist_append(NULL, "Content-Type: application/json");
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question->body);
	begin(authorizer, question);
}

/* Signed by libcurl, signature version 4. */
static void begin_aws(struct authorizer *authorizer, struct question *question)
{
	const struct nymea_settings *settings = authorizer->nymea->settings;
	AUTO_FREE char *host =
		*settings->aws_endpoint != '\0'
			? xstrdup(settings->aws_endpoint)
			: xasprintf("https://lambda.%s.amazonaws.com", settings->aws_region);
	AUTO_FREE char *url =
		xasprintf("%s/2015-03-31/functions/%s/invocations", host, settings->aws_function);
	AUTO_FREE char *signature = xasprintf("aws:amz:%s:lambda", settings->aws_region);
	AUTO_FREE char *session = xasprintf("x-amz-security-token: %s", authorizer->session);
	CURL *curl = new_transfer(question, url);

	question->headers = curl_slist_append(NULL, "x-amz-invocation-type: RequestResponse");
	question->headers = curl_slist_append(question->headers, session);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question->body);
	curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, signature);
	curl_easy_setopt(curl, CURLOPT_USERNAME, authorizer->key);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, authorizer->secret);
	begin(authorizer, question);
}

static void tell(void *arg);

static void take_credentials(struct authorizer *authorizer, const struct question *question)
{
	json_t *answer = json_loadb(question->answer, question->len, 0, NULL);
	const char *key = json_string_value(json_object_get(answer, "AccessKeyId"));
	const char *secret = json_string_value(json_object_get(answer, "SecretAccessKey"));
	const char *session = json_string_value(json_object_get(answer, "Token"));
	bool whole = key && secret && session && *key && *secret && *session;

	snprintf(authorizer->key, sizeof(authorizer->key), "%s", whole ? key : "");
	snprintf(authorizer->secret, sizeof(authorizer->secret), "%s", whole ? secret : "");
	snprintf(authorizer->session, sizeof(authorizer->session), "%s", whole ? session : "");
	if (!whole)
		log_warn("aws_no_credentials", "url=%s action=\"trying again in %d s\"",
			log_value(authorizer->nymea->settings->aws_credentials_url),
			RETRY_MS / 1000);
	authorizer->refresh_ms = clock_ms() + (whole ? CREDENTIALS_MS : RETRY_MS);
	pthread_mutex_lock(&authorizer->mutex);
	authorizer->has_credentials = whole;
	pthread_mutex_unlock(&authorizer->mutex);
	json_decref(answer);
}

static void leave_running(struct authorizer *authorizer, struct question *question)
{
	struct question **slot = &authorizer->running;

	while (*slot != question)
		slot = &(*slot)->next;
	*slot = question->next;
}

static void finish(struct authorizer *authorizer, struct question *question, CURLcode result)
{
	long status = 0;

	leave_running(authorizer, question);
	curl_multi_remove_handle(authorizer->multi, question->curl);
	curl_easy_getinfo(question->curl, CURLINFO_RESPONSE_CODE, &status);
	if (*question->connection == '\0') {
		take_credentials(authorizer, question);
		question_free(question);
		return;
	}
	if (result != CURLE_OK || status / 100 == 5 || (authorizer->is_aws && status != 200)) {
		LOG_THROTTLED(LOG_LEVEL_WARN, "authorizer_failed", "status=%ld error=%s", status,
			log_value(curl_easy_strerror(result)));
		question->verdict.error = "AuthenticationErrorProxyError";
		/* No verdict: with AWS as the original; a timeout is told by the client's own
		 * timer, which is as long. */
		if (authorizer->is_aws || result == CURLE_OPERATION_TIMEDOUT) {
			question_free(question);
			return;
		}
	} else if (authorizer->is_aws) {
		authorizer_answer_aws(&question->verdict, question->answer, question->len);
	} else {
		authorizer_answer_http(&question->verdict, status, question->answer, question->len);
	}
	if (!loop_post(authorizer->nymea->dataplane->loop, tell, question))
		question_free(question);
}

static void ask_for_credentials(struct authorizer *authorizer)
{
	struct question *question;

	if (!authorizer->is_aws || clock_ms() < authorizer->refresh_ms)
		return;
	authorizer->refresh_ms = INT64_MAX; /* until this one is answered */
	question = xcalloc(1, sizeof(*question));
	question->authorizer = authorizer;
	new_transfer(question, authorizer->nymea->settings->aws_credentials_url);
	begin(authorizer, question);
}

/* Begins what was asked; false: it is over. */
static bool take_questions(struct authorizer *authorizer)
{
	struct question *question, *next;
	bool stopping;

	pthread_mutex_lock(&authorizer->mutex);
	question = authorizer->asked;
	authorizer->asked = NULL;
	stopping = authorizer->stopping;
	pthread_mutex_unlock(&authorizer->mutex);
	for (; question; question = next) {
		next = question->next;
		if (authorizer->is_aws)
			begin_aws(authorizer, question);
		else
			begin_http(authorizer, question);
	}
	return !stopping;
}

static void *run(void *arg)
{
	struct authorizer *authorizer = arg;
	int running, left;
	CURLMsg *msg;

	while (take_questions(authorizer)) {
		ask_for_credentials(authorizer);
		curl_multi_perform(authorizer->multi, &running);
		while ((msg = curl_multi_info_read(authorizer->multi, &left))) {
			struct question *question;

			curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &question);
			finish(authorizer, question, msg->data.result);
		}
		curl_multi_poll(authorizer->multi, NULL, 0, 1000, NULL);
	}
	return NULL;
}

/* ---- on the loop ---- */

static void remember(struct authorizer *authorizer, const struct question *question)
{
	long keep_s = authorizer->nymea->settings->authorizer_cache_s;
	struct remembered *one, *next;

	if (authorizer->is_aws || question->verdict.error || keep_s == 0)
		return;
	HASH_ITER(hh, authorizer->remembered, one, next)
	{
		if (one->until_ms > clock_ms() &&
			HASH_COUNT(authorizer->remembered) < REMEMBERED_MAX)
			break; /* they are in the order of their time */
		HASH_DELETE(hh, authorizer->remembered, one);
		free(one);
	}
	HASH_FIND_STR(authorizer->remembered, question->about, one);
	if (one)
		return;
	one = xcalloc(1, sizeof(*one));
	memcpy(one->about, question->about, sizeof(one->about));
	one->verdict = question->verdict;
	one->until_ms = clock_ms() + keep_s * 1000;
	HASH_ADD_STR(authorizer->remembered, about, one);
}

static void tell(void *arg)
{
	struct question *question = arg;
	struct authorizer *authorizer = question->authorizer;
	struct client *client = client_find(authorizer->nymea, question->connection);

	remember(authorizer, question);
	if (client)
		pairing_authenticated(client, &question->verdict);
	question_free(question);
}

/* What is asked, as JSON; malloc'ed. */
static char *body_of(
	const struct authorizer *authorizer, const struct client *client, const char *token)
{
	const struct guest *guest = &client->guest;
	json_t *body = authorizer->is_aws
			       ? json_pack("{s:s}", "token", token)
			       : json_pack("{s:s, s:s, s:s, s:s}", "token", token, "nonce",
					 guest->nonce, "uuid", guest->uuid, "name", guest->name);
	char *text = json_dumps(body, JSON_COMPACT);

	json_decref(body);
	return text;
}

static bool can_ask(struct authorizer *authorizer)
{
	bool can;

	pthread_mutex_lock(&authorizer->mutex);
	can = !authorizer->is_aws || authorizer->has_credentials;
	pthread_mutex_unlock(&authorizer->mutex);
	return can;
}

static void ask(struct authorizer *authorizer, struct question *question)
{
	pthread_mutex_lock(&authorizer->mutex);
	question->next = authorizer->asked;
	authorizer->asked = question;
	pthread_mutex_unlock(&authorizer->mutex);
	curl_multi_wakeup(authorizer->multi);
}

void authorizer_ask(struct authorizer *authorizer, struct client *client, const char *token)
{
	struct question *question;
	struct remembered *known;

	if (!can_ask(authorizer)) {
		pairing_authenticated(
			client, &(struct verdict){ .error = "AuthenticationErrorProxyError" });
		return;
	}
	question = xcalloc(1, sizeof(*question));
	question->authorizer = authorizer;
	question->body = body_of(authorizer, client, token);
	authenticator_digest(question->body, question->about);
	snprintf(question->connection, sizeof(question->connection), "%s",
		client->guest.relay.end.id);
	snprintf(question->verdict.tenant, sizeof(question->verdict.tenant), "%s",
		authorizer->nymea->settings->tenant);
	snprintf(question->verdict.subject, sizeof(question->verdict.subject), "authorizer");
	authenticator_digest(token, question->verdict.token_id);
	HASH_FIND_STR(authorizer->remembered, question->about, known);
	if (known && known->until_ms > clock_ms()) {
		pairing_authenticated(client, &known->verdict);
		question_free(question);
		return;
	}
	ask(authorizer, question);
}

struct authorizer *authorizer_start(struct nymea *nymea)
{
	struct authorizer *authorizer;
	bool is_aws = strcmp(nymea->settings->authenticator, "aws") == 0;

	if (!is_aws && strcmp(nymea->settings->authenticator, "http") != 0)
		return NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	authorizer = xcalloc(1, sizeof(*authorizer));
	authorizer->nymea = nymea;
	authorizer->is_aws = is_aws;
	authorizer->multi = curl_multi_init();
	curl_multi_setopt(authorizer->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, TRANSFERS_MAX);
	pthread_mutex_init(&authorizer->mutex, NULL);
	if (pthread_create(&authorizer->thread, NULL, run, authorizer) != 0)
		BUG("no thread for the authorizer");
	return authorizer;
}

void authorizer_stop(struct authorizer *authorizer)
{
	struct remembered *one, *next;
	struct question *question;

	if (!authorizer)
		return;
	pthread_mutex_lock(&authorizer->mutex);
	authorizer->stopping = true;
	pthread_mutex_unlock(&authorizer->mutex);
	curl_multi_wakeup(authorizer->multi);
	pthread_join(authorizer->thread, NULL);
	while ((question = authorizer->running)) {
		authorizer->running = question->next;
		curl_multi_remove_handle(authorizer->multi, question->curl);
		question_free(question);
	}
	curl_multi_cleanup(authorizer->multi);
	HASH_ITER(hh, authorizer->remembered, one, next)
	{
		HASH_DELETE(hh, authorizer->remembered, one);
		free(one);
	}
	pthread_mutex_destroy(&authorizer->mutex);
	sodium_memzero(authorizer, sizeof(*authorizer));
	free(authorizer);
}
