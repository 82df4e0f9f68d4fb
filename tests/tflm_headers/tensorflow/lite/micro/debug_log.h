/* Stand-in. */
#ifndef STAND_IN_LOG_H
#define STAND_IN_LOG_H

#include <stdarg.h>
#include <stddef.h>

void DebugLog(const char *format, va_list args);
int DebugVsnprintf(char *buffer, size_t buf_size, const char *format, va_list vlist);

#endif
