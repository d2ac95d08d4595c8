/* What an init is measured with, as little as can be.
 *
 * program start PROGRAM...: is the first process of a namespace. It gives the
 * namespace its /proc, says the time, and becomes PROGRAM.
 *
 * program make N: makes N orphans as fast as it can, and ends.
 *
 * program: the main program or the only service of an init. It says the time
 * first of all, and then does what it finds in its FIFO ./go, a byte for each:
 *	o	makes ORPHANS orphans, one after the other, and says the time
 *	m	makes ORPHANS orphans that live until all are there, and says the time
 *	x	ends
 * TERM ends it as it ends whoever does nothing about it.
 *
 * A time is a nanosecond count of CLOCK_MONOTONIC, in the eight bytes of this
 * processor, on standard output. */
#include "calls.h"

enum { MONOTONIC = 1, CHLD = 17 };

static void say_time(void)
{
	long t[2];
	call(SYS_clock_gettime, MONOTONIC, (long)t, 0, 0);
	long ns = t[0] * 1000000000 + t[1];
	say(1, (const char *)&ns, sizeof ns);
}

static long try(long result)
{
	if (result < 0)
		leave(111);
	return result;
}

/* clone is what fork is made of. */
static long fork(void)
{
	return try(call(SYS_clone, CHLD, 0, 0, 0));
}

static void wait_for(long pid)
{
	while (call(SYS_wait4, pid, 0, 0, 0) == -4)
		;
}

static void orphan(void)
{
	long child = fork();
	if (child == 0) {
		fork();
		leave(0);
	}
	wait_for(child);
}

/* The orphans wait for the end of a pipe that only this process can write to. */
static void many(long n)
{
	int ends[2];
	char byte;
	try(call(SYS_pipe2, (long)ends, 0, 0, 0));
	long child = fork();
	if (child == 0) {
		call(SYS_close, ends[1], 0, 0, 0);
		for (long i = 0; i < n; i++)
			if (fork() == 0) {
				call(SYS_read, ends[0], (long)&byte, 1, 0);
				leave(0);
			}
		leave(0);
	}
	wait_for(child);
	call(SYS_close, ends[0], 0, 0, 0);
	call(SYS_close, ends[1], 0, 0, 0);
}

static void obey(void)
{
	char byte;
	long go = try(call(SYS_openat, HERE, (long)"go", RDWR | CLOEXEC, 0));
	while (call(SYS_read, go, (long)&byte, 1, 0) == 1) {
		if (byte == 'x')
			leave(0);
		if (byte == 'm')
			many(ORPHANS);
		else
			for (long i = 0; i < ORPHANS; i++)
				orphan();
		say_time();
	}
	leave(111);
}

static long number(const char *digits)
{
	long n = 0;
	for (; *digits >= '0' && *digits <= '9'; digits++)
		n = 10 * n + *digits - '0';
	return n;
}

void begin(long *args)
{
	long argc = args[0];
	char **argv = (char **)(args + 1);
	if (argc < 3) {
		say_time();
		obey();
	}
	if (argv[1][0] == 'm') {
		for (long n = number(argv[2]); n > 0; n--)
			orphan();
		leave(0);
	}
	enum { RECURSIVE_AND_PRIVATE = 1 << 14 | 1 << 18, NOSUID_NODEV_NOEXEC = 2 | 4 | 8 };
	try(call(SYS_mount, (long)"", (long)"/", 0, RECURSIVE_AND_PRIVATE));
	try(call(SYS_mount, (long)"proc", (long)"/proc", (long)"proc", NOSUID_NODEV_NOEXEC));
	say_time();
	call(SYS_execve, (long)argv[2], (long)(argv + 2), (long)(argv + argc + 1), 0);
	leave(127);
}
