// Package execas changes who a process is, for good. Two roles need that: the
// hidden command exec-gateway, which run scripts use to become the account of
// a service, and the command itself, which as root becomes the owner of a
// user's supervision tree before it touches it.
package execas
