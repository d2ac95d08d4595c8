// Package servicemanager gives a program one way to run long-lived services
// under whatever supervises the machine: s6 in containers, systemd on Linux,
// launchd on macOS, the foreground anywhere else.
//
// The package holds the interface, the types, the errors and the detection. It
// needs only the standard library and knows no backend; a program that wants
// the in-tree ones imports them once:
//
//	import _ "github.com/hermes-gateway/hermes-gateway/backends/all"
//
// and asks for the manager of this machine:
//
//	m, err := servicemanager.Detect(ctx, servicemanager.Options{})
//	if err != nil { ... }
//	defer m.Close()
//	_, err = servicemanager.Ensure(ctx, m, servicemanager.Spec{
//		Name:    "web",
//		Command: []string{"/usr/bin/web", "--listen", ":8080"},
//	})
//
// # What is where
//
// [ServiceManager] is the core that every backend has. What only some can do
// are optional interfaces ([Installer], [Waiter], [Watcher], [LogReader],
// [Signaler], [Surveyor]): ask with [ServiceManager.Supports], obtain with
// [As]. Three layers, one meaning each: the type says whether the code exists,
// Supports whether it can work in this environment, the error is the last
// word. Lack of a right is never lack of support: it is [ErrPermission] at the
// call.
//
// Functions that work over any manager, whatever it can do: [Ensure],
// [Remove], [StatusAll], [Names].
//
// # Errors
//
// Every method of every backend returns *[Error], which names the operation,
// the service and the manager and unwraps to the cause. Match causes with
// errors.Is against the sentinels of this package, and print [RemedyOf] to say
// what to do. An expired wait matches context.DeadlineExceeded; there is no
// timeout error of our own.
package servicemanager
