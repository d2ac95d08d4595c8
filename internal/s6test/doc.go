// Package s6test starts real s6 supervision trees for tests and ends them,
// whatever the tests did to them. It is imported by tests only.
//
// S6_BINDIR names the directory of another build of s6 than the one in PATH.
// Where s6 is not installed tests are skipped, unless CI_REQUIRE_REAL is 1:
// then they fail.
package s6test
