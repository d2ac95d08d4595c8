// Standin stands for hermes in the tests of the image. It is no Hermes: it does
// what matters to whoever runs one, and what tests ask for.
//
//	hermes [-p NAME] gateway run   a gateway: writes gateway_state.json, binds a
//	                               port, says that it is ready, ends on TERM
//	hermes dashboard [--host HOST] [--port PORT] [--no-open]
//	                               answers every connection with its pid
//	hermes --version, --help       a line
//	hermes [WORD...]               tells as JSON how it was run
//
// Tests ask by a file called standin in the profile's directory, with lines of
// NAME=VALUE that are read at each start, or by variables HERMES_STANDIN_NAME:
//
//	exit=N      end with this exit code at once
//	deaf=1      do not end on TERM
//	orphans=N   leave that many processes behind before being ready
//	port=N      bind this port (else API_SERVER_PORT, HERMES_GATEWAY_PORT, or none)
//	ready=N     say that it is ready on this descriptor (else NOTIFY_FD, or none)
package main
