/* SPDX-License-Identifier: GPL-2.0-only */
/* The services of a command line, NAME=COMMAND..., and when each may start. */
#ifndef SERVICES_H
#define SERVICES_H

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_DELAY_MS 10000
#define STABLE_NS 10000000000ULL

struct service {
	char *command;
	union {
		char name[sizeof(uint64_t) + 1];
		uint64_t cookie;
	};
	/* Its tree, 0 if it doesn't run, and its main process. */
	uint64_t handle;
	uint64_t pid;
	uint64_t start_ns;
	bool seen;
	/* When to start it, and how long it waits the next time. */
	int64_t due_ms;
	int64_t delay_ms;
};

/* To be allocated, for add_service() to fill. */
static struct service *services, *services_end;
static int first_delay_ms;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct service *find(uint64_t cookie)
{
	for (struct service *s = services; s < services_end; s++)
		if (s->cookie == cookie)
			return s;
	return NULL;
}

/* @s has ended: the next time it waits twice as long. */
static void back_off(struct service *s, const char *why)
{
	printf("%s: %s, waits %d ms\n", s->name, why, (int)s->delay_ms);
	s->handle = 0;
	s->due_ms = now_ms() + s->delay_ms;
	s->delay_ms *= s->delay_ms < MAX_DELAY_MS ? 2 : 1;
}

static void add_service(char *arg)
{
	struct service service = { .delay_ms = first_delay_ms };
	size_t len = strcspn(arg, "=");

	memcpy(service.name, arg, len < sizeof(service.name) ? len : 0);
	if (!arg[len] || !service.cookie || find(service.cookie))
		errx(2,
		     "%s: not NAME=COMMAND with its own name of 1 to 8 bytes",
		     arg);
	service.command = arg + len + 1;
	*services_end++ = service;
}

#endif /* SERVICES_H */
