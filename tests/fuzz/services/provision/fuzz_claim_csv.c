/* fuzz_claim_csv: a list of expected devices from outside. A row that is in order has a serial
 * number, and what was refused says why. */
#include "services/provision/claim/csv.h"

#include "services/provision/portal_serial.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct csv_list list;
	struct call call;

	call_init(&call, NULL, "service:fuzz", 1000);
	if (csv_list_read(&call, data, len, &list) == OK)
		for (size_t i = 0; i < list.n; i++)
			if (list.rows[i].field == NULL ? !portal_serial_valid(list.rows[i].serial)
						       : list.rows[i].detail == NULL)
				abort();
	call_finish(&call);
	return 0;
}
