package servicedir

import (
	"strconv"
	"strings"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// finishScript renders finish. s6 calls it with the exit code, or 256 for a
// death by signal, the signal and the name; exit code 125 tells s6 to give up
// (s6 documentation, page s6-supervise).
//
// The cap needs only POSIX tools and no s6 program. It reads the death tally:
// records of 14 bytes, whose bytes 4 to 7 are the low half of a second count.
func finishScript(spec sm.Spec) string {
	var b strings.Builder
	b.WriteString(header)
	b.WriteString(askedCheck)
	if spec.Restart == sm.RestartNever && len(spec.FatalExitCodes) == 0 {
		b.WriteString(giveUp + "\n")
		return b.String()
	}
	b.WriteString(parkFunction)
	if policy := exitPolicy(spec); policy != "" {
		b.WriteString("case $1 in\n" + policy + "esac\n")
	}
	if spec.Restart == sm.RestartNever {
		b.WriteString(giveUp + "\n")
		return b.String()
	}
	b.WriteString(ownTreeCheck)
	b.WriteString(capScript)
	return b.String()
}

func exitPolicy(spec sm.Spec) string {
	var b strings.Builder
	for _, c := range spec.FatalExitCodes {
		code := strconv.Itoa(c)
		b.WriteString(code + ") park 'exit code " + code + " is fatal' ;;\n")
	}
	if spec.Restart == sm.RestartOnFailure {
		b.WriteString("0) " + giveUp + " ;;\n")
	}
	return b.String()
}

// askedCheck exempts a death that was asked for from the policy: that of the
// process whose end this is, not of one before it. s6 tells which it is since
// 2.13; before, it is the one that run wrote down, unless it died too early for
// that: then the request is the newer of the two files.
const askedCheck = `asked_for() {
	[ -e ` + AskedFile + ` ] && read -r asked how <` + AskedFile + ` || return 1
	[ -z "$1" ] || { [ "$asked" = "$1" ]; return; }
	[ ` + AskedFile + ` -nt ` + LifeFile + ` ] && return
	life= # stays empty where it died while writing
	read -r life <` + LifeFile + `
	[ "$asked" = "${life:-$asked}" ]
}
if asked_for "$4"; then
	if [ "$how" = forget ] && size=$(wc -c <` + TallyFile + `) && [ "$size" -ge 14 ]; then
		head -c $((size - 14)) ` + TallyFile + ` >` + TallyFile + `.asked && mv -f ` + TallyFile + `.asked ` + TallyFile + `
	fi
	exit 0
fi
`

// Asked is the content of AskedFile for the coming death of a process. With
// forget, finish takes that death out of the tally.
func Asked(pid int, forget bool) string {
	if forget {
		return strconv.Itoa(pid) + " forget\n"
	}
	return strconv.Itoa(pid) + "\n"
}

// giveUp leaves the down file behind, so that the next supervisor does not
// start what this one has given up.
const giveUp = ": >" + DownFile + "; exit 125"

const parkFunction = `park() {
	printf '%s\n' "$1" >` + ParkedFile + `.new && mv -f ` + ParkedFile + `.new ` + ParkedFile + `
	` + giveUp + `
}
`

// ownTreeCheck leaves it to our own tree to wait longer after each death: that
// never gives up. It has said whose finish this is, before it started this one
// or just after; what such a tree has left behind names other processes.
const ownTreeCheck = `if [ -e ` + InstanceFile + ` ] && read -r _ _ pid _ <` + InstanceFile + `; then
	case $pid in "${4:--}" | "$$") exit 0 ;; esac
fi
`

var capScript = strings.NewReplacer(
	"TALLY", TallyFile,
	"BYTES", strconv.Itoa(DeathsToPark*14),
	"DEATHS", strconv.Itoa(DeathsToPark),
	"WINDOW", strconv.Itoa(ParkWindow),
).Replace(`size=$(wc -c <TALLY) || exit 0
[ "$size" -ge BYTES ] || exit 0
seconds() {
	set -- $(tail -c "$1" TALLY | head -c 8 | od -An -v -tu1)
	[ $# -eq 8 ] || exit 1
	echo $(((($5 * 256 + $6) * 256 + $7) * 256 + $8))
}
newest=$(seconds 14) && oldest=$(seconds BYTES) || exit 0
span=$((newest - oldest))
[ "$span" -le WINDOW ] || exit 0
park "DEATHS deaths in $span s"
`)
