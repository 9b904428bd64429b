/* file: a text file read whole. Any thread. */
#pragma once

/* The text, malloc'ed; NULL with a line in the log if it can't be read or is empty. */
char *file_read(const char *path);
