// Package s6 runs services under s6: it is a client of the s6 protocol in pure
// Go and executes no s6 program. It drives s6-svscan and s6-supervise of 2.11
// to 2.15, and every other supervision tree that speaks their protocol. Of our
// own tree (package svscan) it also tells backoff, adoption and why a start did
// not work, for which s6 has no words.
//
// A service is a directory in the scan directory; its name is the directory's.
// Directories and links to directories are both followed there, as the scanner
// does. [Backend] gives detection and the manager; everything else is the
// interface of package servicemanager, with all optional interfaces but
// Installer.
//
// # Whose tree
//
// The tree runs as the owner of its scan directory's .s6-svscan. The owner may
// do everything, with nothing granted or chowned. Root on another user's tree
// may read; to change it, become that user: this package never changes
// credentials, and its writing verbs refuse with ErrPermission. Other users
// may do to a service what the owner granted them (s6-svperms, or
// [WithControlGroup]), and never register or unregister: a user who could make
// a root-run tree execute a file would be root.
//
// # What the verbs do
//
// Verbs on services that Register made also keep the down file in step with
// the wanted state, so that the death of a supervisor changes nothing; on all
// others they leave it alone. Deaths that Stop and Restart ask for are taken
// out of the death tally and exempt from the exit policy. Restart with NoWait
// leaves the coming back to the supervisor.
//
// # Sources
//
// The protocol is documented on the pages of the s6 distribution (s6-svc,
// s6-supervise, s6-svscan, servicedir, scandir, fifodir, s6-svstat) and, where
// those are silent, in its src/supervision.
package s6
