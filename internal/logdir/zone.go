package logdir

import (
	"encoding/binary"
	"os"
	"strings"
	"time"
)

// LocalZone returns the time zone of the process as the C library sees it: the
// variable TZ, else the system's. Unlike package time it knows TZ values that
// are rules, such as CET-1CEST,M3.5.0,M10.5.0/3, which are the only ones on a
// system without a zone database.
func LocalZone() *time.Location {
	tz, set := os.LookupEnv("TZ")
	name := strings.TrimPrefix(tz, ":")
	switch {
	case !set, strings.HasPrefix(name, "/"):
		return time.Local // which has read the file
	case name == "":
		return time.UTC
	}
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	if zone, err := time.LoadLocationFromTZData(name, ruleFile(name)); err == nil {
		return zone
	}
	return time.UTC
}

// ruleFile is a zone file (RFC 8536, version 2) in which the rule has held ever
// since a transition in the far past. What is no rule means UTC.
func ruleFile(rule string) []byte {
	var b []byte
	header := func(transitions, types, chars uint32) {
		b = append(b, "TZif2"+strings.Repeat("\x00", 15)...)
		for _, count := range []uint32{0, 0, 0, transitions, types, chars} {
			b = binary.BigEndian.AppendUint32(b, count)
		}
	}
	const utc = "\x00\x00\x00\x00" + "\x00" + "\x00" + "UTC\x00" // offset, no summer time, name at 0
	longAgo := int64(-1 << 40)
	header(0, 1, 4)
	b = append(b, utc...)
	header(1, 1, 4)
	b = binary.BigEndian.AppendUint64(b, uint64(longAgo))
	b = append(b, "\x00"+utc+"\n"+rule+"\n"...)
	return b
}
