/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkmonitor: the user space side of kmonitor_init(2).
 *
 * Functions that can fail return 0 or a result, or a negative errno value; none
 * of them sets errno for its caller.  None keeps state: all may be called from
 * several threads at once.
 */
#ifndef KMON_H
#define KMON_H

#include <stddef.h>
#include <stdint.h>

#include <linux/kmonitor.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct json_object;

/**
 * kmon_open - make a process monitor descriptor
 * @attr: Its attributes, or NULL for the defaults.
 * @flags: Bits of KMONITOR_CLOEXEC and KMONITOR_NONBLOCK.
 *
 * Return: The descriptor, or a negative errno value; see
 *	kmon_open_strerror().
 */
int kmon_open(const struct kmonitor_attr *attr, unsigned int flags);

/**
 * kmon_filter_add - add an entry to the filter of a descriptor
 * @fd: The descriptor.
 * @filter: What to add; its handle is filled in.
 *
 * Return: 0, or a negative errno value; see kmon_filter_strerror().
 */
int kmon_filter_add(int fd, struct kmonitor_filter *filter);

/**
 * kmon_filter_del - remove an entry, or events of an entry
 * @fd: The descriptor.
 * @filter: Names the entry by its handle; with a handle of 0, by target and
 *	id, and then the events to clear.
 *
 * Return: 0, -ENOENT if there is no such entry, or another negative errno
 *	value.
 */
int kmon_filter_del(int fd, const struct kmonitor_filter *filter);

/**
 * kmon_filter_clear - remove all entries of a descriptor
 * @fd: The descriptor.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_filter_clear(int fd);

/**
 * kmon_info - tell what the kernel supports and what the descriptor is
 * @fd: The descriptor.
 * @info: Filled in.  Fields that this kernel doesn't know are 0.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_info(int fd, struct kmonitor_info *info);

/**
 * kmon_stats - read the accounting of a descriptor
 * @fd: The descriptor.
 * @stats: Filled in.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_stats(int fd, struct kmonitor_stats *stats);

/**
 * kmon_read - read records
 * @fd: The descriptor.
 * @events: Room for them.
 * @n: How many fit, at least 1.
 *
 * Return: The number of records read, -EAGAIN if there is none and the
 *	descriptor doesn't block, -EINTR if a signal came first, or another
 *	negative errno value.
 */
int kmon_read(int fd, struct kmonitor_event *events, unsigned int n);

/**
 * kmon_open_strerror - say why a monitor can't be had, and what to do
 * @error: What kmon_open() returned.
 *
 * Return: A constant text without a newline at its end.
 */
const char *kmon_open_strerror(int error);

/**
 * kmon_filter_strerror - say why an entry can't be added, and what to do
 * @filter: What kmon_filter_add() was called with.
 * @error: What it returned.
 *
 * Return: A constant text without a newline at its end.
 */
const char *kmon_filter_strerror(const struct kmonitor_filter *filter,
				 int error);

/**
 * kmon_event_name - the short name of an event type
 * @type: One event type, as in kmonitor_event.type.
 *
 * Return: A constant such as "fork", or NULL for an unknown type.
 */
const char *kmon_event_name(uint32_t type);

/**
 * kmon_event_by_name - the event type of a short name
 * @name: Such as "fork".
 *
 * Return: The type, or 0 for an unknown name.
 */
uint32_t kmon_event_by_name(const char *name);

/**
 * kmon_wall_offset - the distance of wall clock time from kmonitor's
 *
 * It changes when the system's time is set: do not keep it for long.
 *
 * Return: Nanoseconds to add to kmonitor_event.time_ns to get nanoseconds
 *	since the Epoch.
 */
int64_t kmon_wall_offset(void);

/**
 * DOC: flags of the text functions
 *
 * - %KMON_TEXT_ASCII: escape all that is not ASCII, for an output that is not
 *   UTF-8.
 */
#define KMON_TEXT_ASCII 0x1U

/* Room that suffices for the result of each text function. */
#define KMON_ESCAPE_MAX(len) (4 * (len) + 1)
#define KMON_LINE_MAX 512

/**
 * kmon_escape - make foreign bytes harmless to show
 * @bytes: They end after @len bytes or before the first NUL.
 * @len: How many.
 * @flags: Bits of KMON_TEXT_*.
 * @buf: Gets valid UTF-8, ended by a NUL.  A backslash is doubled; each byte
 *	of what is no UTF-8, of a control character or of a character that
 *	changes lines or writing direction becomes \xNN.
 * @size: Size of @buf; KMON_ESCAPE_MAX(@len) suffices.
 *
 * Return: The length of the text, or -ENOSPC.
 */
int kmon_escape(const char *bytes, size_t len, unsigned int flags, char *buf,
		size_t size);

/**
 * kmon_format_status - put the status of a process into words
 * @status: As waitpid(2) gives it.
 * @buf: Gets "exit 1" or "killed by SIGSEGV (core dumped)", ended by a NUL.
 * @size: Size of @buf.
 *
 * Return: The length of the text, or -ENOSPC.
 */
int kmon_format_status(int status, char *buf, size_t size);

/**
 * kmon_format_details - put what is special to a record into words
 * @event: The record.
 * @buf: Gets the text, ended by a NUL; empty for a type without details.
 * @size: Size of @buf; KMON_LINE_MAX suffices.
 *
 * Return: The length of the text, or -ENOSPC.
 */
int kmon_format_details(const struct kmonitor_event *event, char *buf,
			size_t size);

/**
 * kmon_format_header - the line that names the columns of kmon_format_event()
 * @buf: Gets the line, without a newline, ended by a NUL.
 * @size: Size of @buf; KMON_LINE_MAX suffices.
 *
 * Return: The length of the line, or -ENOSPC.
 */
int kmon_format_header(char *buf, size_t size);

/**
 * kmon_format_event - write a record as an aligned line of text
 * @event: The record.
 * @wall_offset: From kmon_wall_offset(); the time is shown in the local zone.
 * @flags: Bits of KMON_TEXT_*.
 * @buf: Gets the line, without a newline, ended by a NUL.
 * @size: Size of @buf; KMON_LINE_MAX suffices.
 *
 * Return: The length of the line, or -ENOSPC.
 */
int kmon_format_event(const struct kmonitor_event *event, int64_t wall_offset,
		      unsigned int flags, char *buf, size_t size);

/**
 * kmon_json_event - write a record as a JSON object
 * @event: The record.
 * @wall_offset: From kmon_wall_offset(), for the member "time".
 *
 * The members have the names of the fields.  64-bit ids, which a double can't
 * hold, are strings; counts and times are numbers.
 *
 * Return: An object to release with json_object_put(), or NULL without memory.
 */
struct json_object *kmon_json_event(const struct kmonitor_event *event,
				    int64_t wall_offset);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMON_H */
