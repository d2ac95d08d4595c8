package initcmd

const seeHelp = "see hermes-gateway init --help"

// Help is what --help prints.
const Help = About + "\nExample:\n" + Example + "\n"

// Example is a command line as people have it.
const Example = `  ENTRYPOINT ["hermes-gateway", "init", "--"]`

// About is Help without the example.
const About = `usage: hermes-gateway init [OPTION...] [--] [COMMAND [ARGUMENT...]]

The first process of a container, as any user and without any capability: runs
COMMAND with its arguments, environment, terminal and exit code untouched, reaps
whatever dies, passes signals on, and ends everything in order. Beside COMMAND it
keeps a supervision tree (hermes-gateway svscan) where services or a scan
directory are named, or /run/service exists. Where it is not PID 1 it is a subreaper.

Options, and the variables that stand for them:
  --scandir DIR       HERMES_INIT_SCANDIR, HERMES_SCANDIR: what the tree
                      supervises; it is made if it does not exist
  --services DIR      HERMES_INIT_SERVICES: service directories that the tree
                      copies to its scan directory in each boot (default
                      /etc/services.d, where it exists)
  --s6-rc DIR         HERMES_INIT_S6_RC: the same with definitions in the source
                      format of s6-rc: longruns, oneshots, bundles, dependencies
                      (default /etc/s6-overlay/s6-rc.d, where it exists)
  --wait-ready[=DURATION]
                      HERMES_INIT_WAIT_READY: COMMAND begins when all services
                      are ready; one that is given up, or DURATION (60s; 0: for
                      ever), counts as a hook that fails
  --user USER[:GROUP] HERMES_INIT_USER: who COMMAND and the tree run as; it is
                      ignored where this is not root
  --grace DURATION    HERMES_INIT_GRACE: how long COMMAND may take after TERM
                      before it is killed (default 8s); 0: for ever
  --stop-within DURATION
                      HERMES_INIT_STOP_WITHIN: the whole end (default 9s, below
                      docker's 10)
  --stop-signal SIGNAL
                      HERMES_INIT_STOP_SIGNAL: one that begins the end, as TERM,
                      PWR and RTMIN+3 do
  --signal FROM=TO    HERMES_INIT_SIGNAL: pass TO on instead of FROM; none drops
                      it
  --map FROM=TO       HERMES_INIT_MAP: exit with TO instead of FROM
  --hooks DIR         HERMES_INIT_HOOKS: programs to run before all else, in
                      the order of their names (default /etc/cont-init.d, where
                      it exists); NAME.user runs as --user
  --hook-timeout DURATION
                      HERMES_INIT_HOOK_TIMEOUT: what each may take (default
                      60s); 0: for ever
  --hook-failure stop|continue
                      HERMES_INIT_HOOK_FAILURE: what one that fails means
                      (default stop)
  --finish-hooks DIR  HERMES_INIT_FINISH_HOOKS: programs to run at the end, with
                      the exit code as argument (default /etc/cont-finish.d,
                      where it exists)
  --finish-timeout DURATION
                      HERMES_INIT_FINISH_TIMEOUT: what each may take (default 5s)
  -g, --group         HERMES_INIT_GROUP: signals go to COMMAND's process group
  --no-new-privs      HERMES_INIT_NO_NEW_PRIVS: nothing below ever gains
                      privileges
  -v, --verbose       HERMES_INIT_VERBOSITY: say more, up to -vvv; with it, those
                      whom the end waits for are named once a second

Images made for s6-overlay: the variables S6_KILL_GRACETIME, S6_SERVICES_GRACETIME,
S6_KILL_FINISH_MAXTIME, S6_CMD_WAIT_FOR_SERVICES (and _MAXTIME), S6_VERBOSITY,
S6_BEHAVIOUR_IF_STAGE2_FAILS and S6_STAGE2_HOOK count where nothing of the above is
said. Linked as /init, every word is COMMAND's. hermes-gateway doctor --image lists
what would be refused.

Signals go to COMMAND. TERM, PWR and RTMIN+3 begin the end: COMMAND and the tree
are told at once, then whoever is left. A second TERM or INT halves the time that
is left, a third one ends it. Without COMMAND, INT, QUIT, USR1 and USR2 begin the
end too, and HUP looks at the scan directory.

Exit codes: COMMAND's own, 128+n where signal n ended it, 127 there is no such
program, 126 it cannot be run, 125 wrong usage, a hook or init itself failed.
`
