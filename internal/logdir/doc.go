// Package logdir writes logs: it carries out s6-log's directives and keeps
// log directories in s6-log's layout.
//
//	lock      held by the one writer as long as it lives
//	current   being written; its owner may execute it when it was closed in order
//	previous  a rotation is under way
//	@L.s      an archive; L is the TAI64N label of the rotation
//	@L.u      an archive of a current that its writer did not close
//	state     always empty: there are no archive processors
//
// [Parse] reads the directives, [Open] takes the directories, [Log.Write] takes
// what the service has written. Nothing here has a goroutine or waits: a write
// that fails is kept and its error says when to try again, so that the caller
// can go on listening to whatever else concerns it.
//
// It differs from s6-log 2.15 on purpose in these points:
//
//   - The size is looked at after every line, not after every read of up to 8
//     kB: no archive exceeds the limit by more than the line that reached it.
//   - Labels of archives rise even if the clock is set back, so that the order of
//     names is the order of lines.
//   - Where hard links are not to be had an archive is made by renaming.
//   - Links are not followed within a log directory, nor is the directory itself
//     allowed to be one. Root refuses a directory that others could replace.
//   - A status file is written once for each Write, not for each line.
//   - Regular expressions know neither back-references nor \< and \>, and repeat
//     at most 1,000 times.
package logdir
