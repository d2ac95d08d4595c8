// Package hermes is the only place that knows what Hermes is: profiles, their
// homes, how the gateway of a profile is named as a service, and what runs as
// that service. Everything below it, the service managers, knows services only.
package hermes
