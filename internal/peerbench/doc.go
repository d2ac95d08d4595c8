// Package peerbench holds the benchmarks that run us and real peers side by
// side: s6 from PATH, other builds of s6, and runit, where they are installed; our
// init beside tini, dumb-init, catatonit and s6-svscan, each as the first process
// of a pid namespace. A test has all of these inits reap orphans as fast as they can
// be made.
//
// Each benchmark alternates all of them in one run, so that what disturbs one disturbs
// all, and reports medians, the ratio of the medians (ours to peer's, below 1 is
// better than the peer) and the tenth and ninetieth percentile of the samples
// and of the ratios of neighbouring rounds. Nothing here asserts a time. The
// tables are printed at the end of a run; docs/performance.md tells the method.
//
// Every measure runs the same code for every peer: the same service (a program
// of a few hundred bytes, testdata/service.c) in the same directories, which
// says by itself, in a FIFO, that it runs. Trees are on a tmpfs if TMPDIR is, and
// end with all their processes. Inits all run the same program too
// (testdata/program.c), which says the time as its first instruction.
//
// Variables that make a run smaller, or compare with more:
//
//	BENCH_SERVICES      services of the large tree; 1000
//	BENCH_ROUNDS        rounds of measures that take seconds; 5. Short ones take
//	                    more.
//	BENCH_LINES         lines that a service logs in a round; 500000
//	BENCH_S6_BINDIRS    directories of programs of other builds of s6, separated
//	                    by colons; /opt/s6-2.15/bin
package peerbench
