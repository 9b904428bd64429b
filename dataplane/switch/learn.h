/*
 * learn: the addresses that a port sends with: its own, and as many others as its policy allows,
 * each for as long as it is heard of. The loop's thread.
 *
 * A port's own address is nobody else's, whatever is heard. An address that was learned follows its
 * station from port to port; one that keeps going back and forth is a loop, and so are frames of
 * other ports that come back through a bridge: the port is held down for a while then.
 */
#pragma once

#include "dataplane/switch/domain.h"

#define LEARN_AGE_MS  300000
#define LEARN_HOLD_MS 30000

/* May the attached port send with the address? If so, the address is its from now on. */
enum drop learn_source(struct port *port, uint64_t mac, int64_t now_ms);

/* The station with that address, if it was heard of lately; NULL if not. */
struct station *learn_find(struct domain *domain, uint64_t mac, int64_t now_ms);

/* Puts the port's own address into the network, which may have learned it elsewhere but must not
 * have it as another port's own. */
void learn_own(struct port *port);

/* Takes all addresses of the port out of its network. */
void learn_forget(struct port *port);

/* Adds a learned address that nobody in the network has, or takes one away. */
void learn_put(struct port *port, uint64_t mac, int64_t now_ms);
void learn_drop(struct station *station);

/* Forgets stations that were not heard of lately. */
void learn_age(struct port *port, int64_t now_ms);
