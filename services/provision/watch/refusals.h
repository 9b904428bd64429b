/* refusals: why devices are not believed. All of them are told the same; here it is counted. Thread
 * safe. */
#pragma once

enum refusal {
	REFUSAL_MALFORMED, /* a serial number, password or host that none can have */
	REFUSAL_UNKNOWN,   /* no device has this serial number, or two tenants' have */
	REFUSAL_PASSWORD,
	REFUSAL_LEGACY,	 /* MD5(serial), of a device or at a time for which it is not good */
	REFUSAL_NEWLINE, /* MD5 of the serial and a line feed, which is never good */
	REFUSAL_RETIRED,
	REFUSAL_SUSPENDED, /* the tenant is */
	N_REFUSALS,
};

void refusals_open(void); /* registers the metrics */
void refusals_count(enum refusal refusal);
