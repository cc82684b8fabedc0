// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Recordings: files of frames of 128 bytes, in the byte order of their writer.
 *
 * Frame 0 is the file's header, frame 1 the INFO of the descriptor.  Each frame
 * behind them is a record as the kernel gave it, or, where the clocks have been
 * set apart, a clock frame: its type is one that no record has.  A file that
 * was cut anywhere is whole up to the last full frame.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "kmon.h"

#define FRAME sizeof(struct kmonitor_event)
#define VERSION 1
#define TYPE_CLOCK 0x80000000U
/* A clock frame is repeated after this many records, so that a reader can start in the middle. */
#define CLOCK_INTERVAL 4096

static const char magic[8] = "\x89KMON\r\n\x1a";

struct header {
	char magic[8];
	/* As written: shows the byte order. */
	uint32_t version;
	uint32_t frame_size;
	char boot_id[40];
	char host[64];
	uint64_t reserved;
};

struct clock_frame {
	uint64_t seq;
	uint64_t time_ns;
	int64_t wall_offset;
	uint32_t type;
	char reserved[FRAME - 28];
};

union frame {
	char bytes[FRAME];
	struct header header;
	struct kmonitor_info info;
	struct kmonitor_event event;
	struct clock_frame clock;
};

KMON_ASSERT(sizeof(union frame) == FRAME);

struct kmon_recording {
	FILE *file;
	struct kmonitor_info info;
	char boot_id[40];
	union frame frame;
	int64_t wall_offset;
	uint32_t since_clock;
};

static int put(FILE *file, const union frame *frame)
{
	return fwrite(frame, FRAME, 1, file) == 1 ? 0 : -errno;
}

/* 1, or 0 at the end, also within a frame. */
static int get(FILE *file, union frame *frame)
{
	errno = 0;
	if (fread(frame, FRAME, 1, file) == 1)
		return 1;
	return ferror(file) ? -(errno ? errno : EIO) : 0;
}

static void read_boot_id(char id[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return;
	len = read(fd, id, 36);
	if (len < 0)
		memset(id, 0, 40);
	close(fd);
}

int kmon_recording_create(FILE *file, const struct kmonitor_info *info,
			  struct kmon_recording **recording)
{
	union frame header = { .header = {
				       .version = VERSION,
				       .frame_size = FRAME,
			       } };
	union frame about = { .info = *info };
	struct kmon_recording *new;
	int ret;

	memcpy(header.header.magic, magic, sizeof(magic));
	read_boot_id(header.header.boot_id);
	gethostname(header.header.host, sizeof(header.header.host) - 1);
	ret = put(file, &header);
	if (!ret)
		ret = put(file, &about);
	if (ret)
		return ret;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->file = file;
	new->info = *info;
	new->since_clock = CLOCK_INTERVAL;
	*recording = new;
	return 0;
}

int kmon_recording_write(struct kmon_recording *recording,
			 const struct kmonitor_event *event,
			 int64_t wall_offset)
{
	union frame clock = { .clock = {
				      .time_ns = event->time_ns,
				      .wall_offset = wall_offset,
				      .type = TYPE_CLOCK,
			      } };
	int ret;

	if (recording->since_clock >= CLOCK_INTERVAL ||
	    recording->wall_offset != wall_offset) {
		ret = put(recording->file, &clock);
		if (ret)
			return ret;
		recording->wall_offset = wall_offset;
		recording->since_clock = 0;
	}
	recording->since_clock++;
	return fwrite(event, FRAME, 1, recording->file) == 1 ? 0 : -errno;
}

static bool is_header(const struct header *header)
{
	return !memcmp(header->magic, magic, sizeof(magic));
}

int kmon_recording_open(FILE *file, struct kmon_recording **recording)
{
	struct kmon_recording *new;
	union frame header, info;
	int ret;

	ret = get(file, &header);
	if (ret == 1 && !is_header(&header.header))
		ret = 0;
	if (ret == 1 && (header.header.version != VERSION ||
			 header.header.frame_size != FRAME))
		return -EPROTONOSUPPORT;
	if (ret == 1)
		ret = get(file, &info);
	if (ret != 1)
		return ret ? ret : -EBADMSG;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->file = file;
	new->info = info.info;
	memcpy(new->boot_id, header.header.boot_id, sizeof(new->boot_id));
	*recording = new;
	return 0;
}

int kmon_recording_next(struct kmon_recording *recording,
			const struct kmonitor_event **event,
			int64_t *wall_offset)
{
	int ret;

	do {
		ret = get(recording->file, &recording->frame);
		if (ret != 1)
			return ret;
		if (recording->frame.event.type == TYPE_CLOCK)
			recording->wall_offset =
				recording->frame.clock.wall_offset;
	} while (recording->frame.event.type == TYPE_CLOCK);
	*event = &recording->frame.event;
	*wall_offset = recording->wall_offset;
	return 1;
}

const struct kmonitor_info *
kmon_recording_info(const struct kmon_recording *recording)
{
	return &recording->info;
}

bool kmon_recording_is_local(const struct kmon_recording *recording)
{
	char now[40] = "";

	read_boot_id(now);
	return *now && !memcmp(now, recording->boot_id, sizeof(now));
}

void kmon_recording_free(struct kmon_recording *recording)
{
	free(recording);
}
