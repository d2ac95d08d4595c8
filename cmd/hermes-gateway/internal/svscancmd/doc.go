// Package svscancmd is the role "hermes-gateway svscan": the supervision tree
// alone, as s6-svscan is.
package svscancmd
