/* browser: what a browser calls itself, as people call it. Any thread. */
#pragma once

/* "Firefox on Windows", as far as it can be known; static. */
const char *browser_name(const char *agent);
