package svscancmd

const seeHelp = "see hermes-gateway svscan --help"

// Help is what --help prints.
const Help = About + "\nExample:\n" + Example + "\n"

// Example is a command line as people have it.
const Example = "  hermes-gateway svscan /run/user/1000/service"

// About is Help without the example.
const About = `usage: hermes-gateway svscan [-d FD] [-t MS] [-C N] [-L N] [-X FD] [-G GID]
                             [--boot=ID] [--services=DIR] [--make]
                             [--s6-rc=DIR] [--report-fd=FD]
                             [SCANDIR]

Supervises every service directory of a scan directory, as s6-svscan does: s6's
own tools (s6-svc, s6-svstat, s6-svwait, s6-svscanctl) drive it unchanged, and
so does every command of hermes-gateway. It needs no privilege. Services live on
when it is killed; started again, it adopts them.

SCANDIR is, if not given, that of HERMES_SCANDIR, else of SERVICE_SCANDIR, else
the first of these that this user can use: /run/service, hermes-gateway/service
in XDG_RUNTIME_DIR or /run/user/UID, /dev/shm/hermes-gateway-UID/service,
hermes-gateway/service in the cache directory. It must belong to the user who runs this, and nobody else
may be able to write in it.

Options:
  -d FD    write a newline to descriptor FD when commands are taken
  -t MS    look at SCANDIR every MS milliseconds (default: when told to)
  -C N     at most N services and loggers (default 1000)
  -L N     skip names of more than N bytes (default 251)
  -X FD    standard error of the catch-all logger s6-svscan-log
  -G GID   members of this group may use s6's tools on the services
  --boot=ID
           the name of this boot: what one of another name has left in SCANDIR
           is removed first, registered services and state; services that may
           be alive stay, and so do directories that were not registered
  --services=DIR
           copy the service directories of DIR into SCANDIR first, once in each
           boot; what SCANDIR has of its own stays
  --s6-rc=DIR
           the same with definitions in the source format of s6-rc, of which the
           bundles user and user2 say which are to run
  --make   make SCANDIR if it does not exist
  --report-fd=FD
           write lines to FD: ready, all-ready, gave-up NAME REASON, essential
           NAME STATUS

Beside the files of s6 a service directory may have
  backoff         two numbers, milliseconds: the pause after a death that nobody
                  asked for, doubled from the first up to the second
  log/directives  s6-log directives, one a line: one process writes the logs of
                  all services that have this file; log/run is not run then

  dependencies.d/ files named as the services that must be ready before this one
                  is started; they are stopped after it
  type            "oneshot": run is run once in each boot, and the service is
                  ready when it has exited 0; the file undo, where there is one,
                  is run at the end
  timeout-up, timeout-down
                  milliseconds to become ready, and to stop; who is late to stop
                  is killed
  essential       (empty) init ends when the service is down for good

Signals: TERM, INT stop all services, then their loggers when all is written;
QUIT stops all at once; HUP looks at SCANDIR and ends what is gone; ALRM looks
at SCANDIR; ABRT leaves at once, with all services alive. At the end it becomes
SCANDIR/.s6-svscan/finish, if there is one.

Exit codes: 0 ended as told (with a finish, its exit code), 100 wrong usage, a
directory that must not be used or another scanner on it, 111 the system refused
something.
`
