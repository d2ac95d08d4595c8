package logcmd

const seeHelp = "see hermes-gateway log --help"

// Help is what --help prints.
const Help = About + "\nExample:\n" + Example + "\n"

// Example is a command line as people have it.
const Example = "  hermes-gateway log n10 s1000000 1 T /var/log/coder"

// About is Help without the example.
const About = `usage: hermes-gateway log [-d FD] [-q | -v] [-b] [-p] [-l BYTES] [-t MS] [--]
                          DIRECTIVE...

Reads lines from standard input and writes them where the directives say, as
s6-log does, into log directories that s6-log and its readers understand.

Options:
  -d FD     write a newline to descriptor FD when ready
  -b        read nothing while anything is unwritten (else: up to 1 MiB of it)
  -p        do not end on SIGTERM
  -l BYTES  split longer lines (default 8192, at least 48, 0: never)
  -t MS     on SIGTERM or SIGHUP wait that long for the rest of a line that has
            begun (default 2000, 0: as long as it takes)
  -q, -v    fewer, more messages on standard error

Directives, each a word of its own, carried out in their order:
  +RE, -RE  select, deselect lines that match the extended regular expression RE
  f         select lines on which nothing was done so far
  nN        keep at most N archives (default 10)
  sBYTES    rotate when current reaches BYTES (default 99999), or would in
  lBYTES    BYTES more (default 2000)
  SBYTES    keep at most that much in archives (default 0: any)
  rMS       after an error, such as a full disk, try again in MS (default 2000)
  t, T      put a TAI64N stamp, the local time before lines of the next action
  pTEXT     put TEXT and a space before lines
  ^BYTES    size of a status file (default 1001, 0: as long as the line)
  1         copy lines to standard output
  2         print lines to standard error, as alerts
  =FILE     keep the last line in FILE
  /DIR      write lines into the log directory /DIR; also ./DIR

Directives beginning with a dash need -- before them.

Signals: SIGTERM and SIGHUP end it after the present line; what it has not read
stays in the pipe for the next one. SIGALRM rotates every directory now. If a
directory cannot be written, lines are kept and tried again; none is lost.

Exit codes: 0 done, 100 wrong usage or directive, 111 the system refused
something, such as a directory that another logger is writing to.
`
