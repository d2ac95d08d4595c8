// Package notify is for the program that is the service. It needs only the
// standard library and works unchanged under every supervisor and under none:
//
//	func main() {
//		os.Exit(notify.Run(func(ctx context.Context, ready func()) error {
//			l, err := net.Listen("tcp", ":8080")
//			if err != nil {
//				return notify.Fatal(err) // a restart would not help
//			}
//			ready()
//			return serve(ctx, l)
//		}))
//	}
//
// [Run] does what every service needs: it ends the context when the supervisor
// asks the program to stop, tells the supervisor about readiness and about
// stopping, and turns the error into an exit code. [Ready], [Stopping],
// [Status] and [Watchdog] are for programs with a main loop of their own.
//
// # Where the messages go
//
//	NOTIFY_FD      (s6)       a newline to that descriptor, once, when ready
//	NOTIFY_SOCKET  (systemd)  READY=1, STOPPING=1, STATUS=, WATCHDOG=1
//	neither                   nowhere; that is no error
//
// NOTIFY_FD is set by this module's service definitions together with s6's
// notification-fd file. Where both variables are usable, NOTIFY_FD wins and
// NOTIFY_SOCKET is not used: it was set by a supervisor further up.
//
// # The environment
//
// The first call of any function of this package reads NOTIFY_FD,
// NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the
// environment of the process; the descriptor becomes close-on-exec. Children
// started later inherit neither, so they cannot speak in the service's name or
// keep its descriptor open. Make that call, usually Run, the first thing main
// does.
package notify
