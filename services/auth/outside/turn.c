/* turn: see turn.h. */
#include "services/auth/outside/turn.h"

#include "lib/mem.h"
#include "lib/uuid.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define OF_ALL	  4 /* of the workers; the others stay free for all else */
#define OF_TENANT 2

static struct {
	pthread_mutex_t mutex;
	char tenants[OF_ALL][UUID_SIZE]; /* who has a turn; "": nobody */
} turns = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static bool take(const char *tenant)
{
	char *place = NULL;
	size_t n = 0;

	for (size_t i = 0; i < OF_ALL; i++) {
		n += strcmp(turns.tenants[i], tenant) == 0;
		if (turns.tenants[i][0] == '\0')
			place = turns.tenants[i];
	}
	if (place == NULL || n >= OF_TENANT)
		return false;
	strcpy(place, tenant);
	return true;
}

err_t turn_take(struct call *call)
{
	bool taken;

	if (strlen(call->tenant) >= UUID_SIZE)
		BUG("a turn for no tenant");
	pthread_mutex_lock(&turns.mutex);
	taken = take(call->tenant);
	pthread_mutex_unlock(&turns.mutex);
	if (taken)
		return OK;
	return call_refuse(call, ERR_RESOURCE_EXHAUSTED, NULL,
		"too many wait for answers from outside just now");
}

void turn_give(struct call *call)
{
	pthread_mutex_lock(&turns.mutex);
	for (size_t i = 0; i < OF_ALL; i++)
		if (strcmp(turns.tenants[i], call->tenant) == 0) {
			turns.tenants[i][0] = '\0';
			break;
		}
	pthread_mutex_unlock(&turns.mutex);
}
