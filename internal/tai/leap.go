package tai

// leaps lists, as Unix seconds, the midnights (UTC) that a leap second preceded. It has the
// 27 entries of skalibs src/libstddjb/leapsecs_table.c (2.15.1.0); the last is the end of 2016.
//
// A new leap second belongs at the end. Supervisors use it only once they are built with a
// skalibs that has it.
var leaps = [...]int64{
	78796800,   // 1972-07-01
	94694400,   // 1973-01-01
	126230400,  // 1974-01-01
	157766400,  // 1975-01-01
	189302400,  // 1976-01-01
	220924800,  // 1977-01-01
	252460800,  // 1978-01-01
	283996800,  // 1979-01-01
	315532800,  // 1980-01-01
	362793600,  // 1981-07-01
	394329600,  // 1982-07-01
	425865600,  // 1983-07-01
	489024000,  // 1985-07-01
	567993600,  // 1988-01-01
	631152000,  // 1990-01-01
	662688000,  // 1991-01-01
	709948800,  // 1992-07-01
	741484800,  // 1993-07-01
	773020800,  // 1994-07-01
	820454400,  // 1996-01-01
	867715200,  // 1997-07-01
	915148800,  // 1999-01-01
	1136073600, // 2006-01-01
	1230768000, // 2009-01-01
	1341100800, // 2012-07-01
	1435708800, // 2015-07-01
	1483228800, // 2017-01-01
}

// leapsAtUnix returns how many leap seconds came before a time given in Unix seconds.
// It searches from the end, as nearly all labels are recent.
func leapsAtUnix(unix int64) int64 {
	n := len(leaps)
	for n > 0 && unix < leaps[n-1] {
		n--
	}
	return int64(n)
}

// leapsAtTAI is leapsAtUnix for a time given in TAI seconds less baseOffset, where leap
// second n (from 0) is the second leaps[n]+n. A leap second does not count itself, so the
// second after it has the same Unix time.
func leapsAtTAI(tai int64) int64 {
	n := len(leaps)
	for n > 0 && tai <= leaps[n-1]+int64(n-1) {
		n--
	}
	return int64(n)
}
