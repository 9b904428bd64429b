/*
 * challenge: the first request on the door for plain HTTP. One of ACME's http-01 goes to the device
 * that holds the name, so that it may get certificates that way; any other is sent to https.
 */
#pragma once

struct dataplane;
struct http;

void challenge_serve(struct dataplane *dataplane, struct http *http);
