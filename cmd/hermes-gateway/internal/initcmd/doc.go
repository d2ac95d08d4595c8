// Package initcmd is the command init: it reads the command line and the
// environment, and leaves the work to package pid1.
package initcmd
