package svscan_test

import "regexp"

// choices are where our tree is built otherwise, or does more, or less.
func choices() []difference {
	return []difference{
		{
			what: "The locks are open file description locks of one process. F_GETLK finds them and tells no pid (-1). One byte of `supervise/lock`, 2^62, is free once the first status is written.",
			why:  "The tree is one process, whose locks of the old kind would be lost with any descriptor of the file. The tools look only for a lock.",
			seen: []sight{in("who holds the lock", "supervise: locked true, from 0, 0 bytes, by a process\n.s6-svscan: locked true, from 0, 0 bytes, by a process",
				"supervise: locked true, from 0, 4611686018427387904 bytes, by no process in particular\n.s6-svscan: locked true, from 0, 0 bytes, by no process in particular")},
		},
		{
			what: "`s6-svscanctl -b`, SIGABRT and SIGKILL leave services without supervisors (event `x` but for SIGKILL). The next tree takes them over; how they end may be unknown then: finish gets 256 and 0.",
			why:  "There are no supervisors of their own that could go on. s6's would refuse those of the next scanner.",
			seen: []sight{
				in("svscanctl -b", "s6-svok SCAN/web = 0", "web: events x\ns6-svok SCAN/web = 1"),
				in("a scanner after svscanctl -b", "", "web: events xs"),
				in("the tree is killed", "s6-svok SCAN/web = 0", "s6-svok SCAN/web = 1"),
				in("the tree is killed", "", "web: events s"),
			},
		},
		{
			what: "The output of a service with a file `log/directives` is written by one process for all; `log/run` is not run. Its logger's supervisor shows that process, and that it is ready.",
			why:  "Memory: a logger process each costs more than the services often do.",
			seen: []sight{
				in("log/directives", "web/log: says run web/log\nweb/log: says logged a line", "current: a line"),
				{in: "log/directives", s6: v215, real: lines("s6-svstat SCAN/web/log = 0 | up (pid P pgid P) N seconds"), ours: lines("s6-svstat SCAN/web/log = 0 | up (pid P pgid P) N seconds, ready N seconds")},
				{in: "log/directives", s6: v211, real: lines("s6-svstat SCAN/web/log = 0 | up (pid P) N seconds"), ours: lines("s6-svstat SCAN/web/log = 0 | up (pid P) N seconds, ready N seconds")},
				in("log/directives", "web/log: events dDx", "web/log: events UdDx"),
			},
		},
		{
			what: "A file `backoff` makes the pause between starts grow.",
			why:  "A service that fails at once would else be started every second for ever. Without the file, times are s6's.",
			seen: []sight{in("backoff", "s6-svwait -u -t 6000 SCAN/web = 0", "s6-svwait -u -t 6000 SCAN/web = 99 ! s6-svwait: fatal: timed out\ns6-svc -u SCAN/web = 0")},
		},
		{
			what: "With `notification-fd` the environment has NOTIFY_FD, the same number.",
			why:  "A program can tell that it is to announce its readiness, and where.",
			seen: []sight{in("run with notification-fd, seen from inside", "", "run: NOTIFY_FD=5")},
		},
		{
			what: "Services get descriptors 0, 1 and 2, and the one of `notification-fd`. What else the tree was started with they do not get.",
			why:  "Nothing leaks into services by accident.",
			seen: []sight{in("descriptors of the tree that it was not told of", "run: descriptor 4\nrun: /dev/zero\nrun: flags:\t0100000", "")},
		},
		{
			what: "Signals that were ignored when the tree was started are not ignored in services, but for TSTP, TTIN, TTOU and CONT.",
			why:  "A service begins with the default reactions, whoever started the tree.",
			seen: []sight{in("signals that were ignored when the tree began", "run: SigIgn: 480203", "run: SigIgn: 80000")},
		},
		{
			what: "`lock-fd` and `flag-newpidns` are refused: the service is not started, and a warning says so.",
			why:  "Not done yet. To go on without what they promise would be worse.",
			seen: []sight{{in: "lock-fd", real: lines("web: events u\nweb: 35 bytes, flags 0x04, pid other, wait 0x0000, stamps ready<changed down-file"),
				ours: lines("web: 35 bytes, flags 0x0c, pid none, wait 0x0000, stamps changed=ready down-file")}},
		},
		{
			what: "The files `.s6-svscan/SIG*` and `.s6-svscan/crash` are not executed.",
			why:  "Not done yet. Signals without a handler do what s6-svscan does.",
			seen: []sight{
				in("a handler for SIGUSR1", "says handler", ""),
				{in: ".s6-svscan/finish, not executable", s6: v215, real: lines("the scanner has ended with 127"), ours: lines("the scanner has ended with 111")},
			},
		},
		{
			what: "A service directory, or its `log`, that others can write is not supervised; a scan directory that others can write, or that is another's, is refused.",
			why:  "Whoever can write there can have the tree run anything.",
			seen: []sight{
				in("a service directory that others can write", "s6-svok SCAN/web = 0", "s6-svok SCAN/web = 1"),
				in("a scan directory that others can write", "s6-svscanctl -t SCAN = 0\nthe scanner has ended with 0", "a scanner with SCAN ends with 100"),
			},
		},
		{
			what: "No link is followed below a service directory: not `supervise`, `event` or `log`, and as root not `run` or `finish`. An entry of the scan directory may be one.",
			why:  "A link leads to what somebody else may own. s6-supervise makes the target, once, and fails at its next start.",
			seen: []sight{
				in("a link in a service directory", "s6-svok SCAN/web = 0\nthe target was made: true", "s6-svok SCAN/web = 1\nthe target was made: false"),
				{in: "run is a link", asRoot: true, real: lines("web: events u\nweb: says run web\n" + upLine), ours: lines("web: 35 bytes, flags 0x0d, pid none, wait 0x0000, stamps changed=ready")},
			},
		},
		{
			what: "`.s6-svscan` that is no directory, or `control` in it that is no FIFO: exit code 111, not 100.",
			why:  "It is what the system said.",
			seen: []sight{in("no scan directory", "a scanner with SCAN ends with 100\na scanner with SCAN ends with 100", "a scanner with SCAN ends with 111\na scanner with SCAN ends with 111")},
		},
		{
			what: "Messages are other ones. Numbers in files, options, exit codes and all else are not.",
			why:  "They say what to do.",
		},
	}
}

// olderVersions are changes between s6 2.11.3 and 2.15.1, of which we do the
// newer.
func olderVersions() []difference {
	re := regexp.MustCompile
	return []difference{
		{
			of:   v211,
			what: "finish gets the process group of run as its fourth argument.",
			why:  "Since 2.13.0.",
			everywhere: []rewrite{
				{re(`says finish ([0-9]+ [0-9]+ [^ ]+)$`), "says finish $1 P"},
				{re(`^(.*finish: name ./finish), 3 (arguments: .*)$`), "$1, 4 $2 P"},
			},
		},
		{
			of:   v211,
			what: "A supervisor that has not started anything yet writes the flag paused, by which newer tools tell it (\"not started yet\"). s6-svstat 2.11 shows `paused`.",
			why:  "Since 2.13.2.",
			everywhere: []rewrite{
				{re(`flags 0x08, (pid none, wait 0x0000, stamps changed=ready)`), "flags 0x09, $1"},
				{re(`flags 0x0c, (pid none, wait 0x0000, stamps changed=ready)`), "flags 0x0d, $1"},
			},
			seen: []sight{
				in("svstat, never started", "web: paused is false", "web: paused is true"),
				in("svstat, never started, wanted up", "web: paused is false", "web: paused is true"),
			},
		},
		{
			of:   v211,
			what: "argv[0] of run is `./run`.",
			why:  "As 2.15.1; 2.11.3 gives `run`.",
			seen: []sight{in("argv of a run that is no script", `argv ["run" "1000"]`, `argv ["./run" "1000"]`)},
		},
		{
			of:   v211,
			what: "A logger that is added to a service later is found by the next scan.",
			why:  "As 2.15.1; 2.11.3 looks for one only when it sees the service first.",
			seen: []sight{in("a logger that is added later", "no logger", `web/log: says run web/log
web/log: 35 bytes, flags 0x04, pid run, wait 0x0000, stamps ready<changed
s6-svc -x SCAN/web = 0
s6-svc -d SCAN/web = 0
web: events dDx
web: events s
web: says got TERM
web: says finish 0 0 web P
web: events u
web: says run web
s6-svc -1 SCAN/web = 0
web/log: says logged a line`)},
		},
		{
			of:   v211,
			what: "Names of more than 251 bytes (`-L`) are skipped. `-C` counts loggers too, default 1000; `-c` is not known.",
			why:  "As 2.15.1.",
			seen: []sight{in("long names", "longer ones too", "s6-svok SCAN/mmm...")},
		},
		{
			of:   v211,
			what: "Without finish, the events `d` and `D` come in one write, and there is no state between them.",
			why:  "As 2.15.1; 2.11.3 starts a process that finds no finish.",
		},
		{
			of:   v211,
			what: "A run that cannot be executed is tried again after 60 s, not 10 s; a supervisor that has left is replaced no sooner than a second after its start, not after its end.",
			why:  "As 2.15.1.",
		},
		{
			of:   v211,
			what: "The commands `l`, `P`, `C` and `K`, and the files `reload-signal` and `flag-timeout-killpg`, are understood.",
			why:  "Since 2.13.0 and 2.15.",
		},
	}
}
