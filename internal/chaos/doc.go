// Package chaos has one test: a supervision tree with 200 services to which all
// that can happen does happen, at random and at the same time, and which must
// be as the model says once that ends.
//
// What happens: random control bytes, deaths and halts of services, of their
// loggers, of the log process and of the tree itself, service directories that
// go and come, and a log volume that is full. What must not: two instances of a
// service at the same time, be it for an instant; a zombie; a line of a service
// that is not in its log; a descriptor, goroutine or process too many.
//
// The clock is set only where root allows it, as the system has one for all.
//
//	CHAOS_TIME      how long, as a Go duration; 5s if unset
//	CHAOS_SEED      the seed of an earlier run, which prints it at its start
//	CHAOS_SERVICES  how many services; 200 if unset
//	CHAOS_CLOCK     not empty: set the system's clock, too, by up to 45 s
//	CHAOS_KEEP      a directory into which all files are copied at the end
//
// A seed repeats what is done, not when the kernel and the tree have done it.
// As root the test runs as root and as another user; without root there is no
// volume that could be filled.
package chaos
