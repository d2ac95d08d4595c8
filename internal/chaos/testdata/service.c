/* The service of the chaos test, as run and as finish. What it does is in the
 * file conf: NAME FLAGS LINES MILLISECONDS.
 *
 * It is the only one in its directory, or says so in ROOT/violations. As run it
 * writes numbered lines (line() has a twin in chaos_logs_linux_test.go), and how
 * many it has written into its record of the file lives: that of the test's
 * reader, struct life.
 *
 * Where ROOT/steady exists it neither crashes nor fails. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOGS = 1, STUBBORN = 2, READY = 4, CRASHES = 8, AT_ONCE = 16, PARDON = 32 };

struct life {
	uint64_t pid, lines, began, last;
};

static char name[64];
static int flags, most, pause_ms;
static volatile sig_atomic_t ended;
static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 32) % n;
}

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void rest(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	nanosleep(&t, NULL);
}

static int steady(void) { return access(ROOT "/steady", F_OK) == 0; }

static void alone(const char *as)
{
	char text[128];
	int fd = open("only", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		exit(111);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return;
	int n = snprintf(text, sizeof text, "double %s %d as %s: %s\n", name, (int)getpid(), as, strerror(errno));
	int out = open(ROOT "/violations", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (out >= 0 && write(out, text, (size_t)n) != n)
		abort();
	exit(111);
}

static int line(char *to, unsigned life, unsigned seq)
{
	static const char pad[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-+";
	int n = (int)((seq * 7 + life) % 64);
	return sprintf(to, "<%s %06u %08u %.*s %06u %08u>\n", name, life, seq, n, pad, life, seq);
}

static void on_term(int sig) { (void)sig; ended = 1; }

static int as_finish(void)
{
	alone("finish");
	rest(rnd(10) ? rnd(30) : rnd(600));
	return flags & PARDON && rnd(4) == 0 && !steady() ? 125 : 0;
}

static void leave(int code)
{
	rest(rnd(60));
	exit(code);
}

static void begin(void)
{
	struct sigaction act = { .sa_handler = flags & STUBBORN ? SIG_IGN : on_term };
	sigaction(SIGTERM, &act, NULL);
	if (flags & STUBBORN)
		sigaction(SIGHUP, &act, NULL);
	alone("run");
	if (flags & READY) {
		rest(rnd(20));
		if (write(3, "\n", 1) != 1)
			exit(111);
		close(3);
	}
}

/* burst writes all lines in one write, which is cut if the process is ended. */
static void burst(int fd, off_t at, struct life *l)
{
	static char text[256 * 1024];
	unsigned n = 1 + rnd((unsigned)most), id = (unsigned)(at / (off_t)sizeof *l);
	int size = 0, done = 0;
	for (unsigned i = 0; i < n; i++)
		size += line(text + size, id, (unsigned)l->lines + i);
	while (done < size) {
		ssize_t m = write(1, text + done, (size_t)(size - done));
		if (m < 0 && errno != EINTR)
			exit(111);
		if (m > 0)
			done += (int)m;
		if (ended && done < size)
			leave(0);
	}
	l->lines += n;
	l->last = now();
	if (pwrite(fd, l, sizeof *l, at) != sizeof *l)
		exit(111);
}

int main(int argc, char **argv)
{
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	seed = now() * 2654435761u + (uint64_t)getpid();
	FILE *conf = fopen("conf", "re");
	if (!conf || fscanf(conf, "%63s %d %d %d", name, &flags, &most, &pause_ms) != 4)
		return 111;
	fclose(conf);
	if (argc > 0 && strstr(argv[0], "finish"))
		return as_finish();
	begin();
	int fd = open("lives", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return 111;
	struct life l = { (uint64_t)getpid(), 0, now(), now() };
	if (pwrite(fd, &l, sizeof l, st.st_size) != sizeof l)
		return 111;
	int at_once = flags & AT_ONCE && !steady();
	while (!ended) {
		if (flags & LOGS)
			burst(fd, st.st_size, &l);
		if (at_once || (flags & CRASHES && rnd(40) == 0 && !steady()))
			return 1;
		if (!ended)
			rest(rnd((unsigned)pause_ms));
	}
	leave(0);
}
