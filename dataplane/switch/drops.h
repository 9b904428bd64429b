/*
 * drops: why a frame did not arrive. Sessions and /metrics count by these reasons, and the API
 * shows them by their names.
 */
#pragma once

enum drop {
	DROP_NONE,	  /* it was forwarded */
	DROP_LENGTH,	  /* shorter than a header or longer than any frame */
	DROP_SOURCE,	  /* not an address that the port may send with */
	DROP_DESTINATION, /* nobody has the address, or the sender itself has it */
	DROP_POLICY,	  /* isolation, reserved addresses, the guards */
	DROP_STORM,	  /* too much broadcast, multicast and unknown at once */
	DROP_LOOP,	  /* the port is held down, since frames came back through it */
	DROP_QUEUE,	  /* the receiver's queue was full */
	DROP_LATE,	  /* its flow let it wait for the receiver too long */
	DROP_OFFLOAD,	  /* what is left to do for it does not fit it, or an unknown flag */
	DROP_N,
};
