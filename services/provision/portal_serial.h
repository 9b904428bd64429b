/* portal_serial: what a device's serial number may look like. Any thread. */
#pragma once

#include <stdbool.h>

bool portal_serial_valid(const char *serial);
