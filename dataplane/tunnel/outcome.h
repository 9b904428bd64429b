/*
 * outcome: what became of those who came to the doors of the tunnel, as /metrics counts them.
 */
#pragma once

enum outcome {
	OUTCOME_JOINED,	    /* with the device that holds the name */
	OUTCOME_OWN,	    /* a host name of the node itself, or of the API */
	OUTCOME_UNKNOWN,    /* nobody is linked under the name */
	OUTCOME_NO_NAME,    /* TLS without a name */
	OUTCOME_NOT_TLS,    /* something else than TLS */
	OUTCOME_TOO_LONG,   /* a ClientHello over its bound */
	OUTCOME_TOO_SLOW,   /* or over its time */
	OUTCOME_LIMIT,	    /* the name has too many visitors, or the node too many to ask about */
	OUTCOME_REDIRECTED, /* from http to https */
	OUTCOME_N,
};
