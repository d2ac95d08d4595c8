// Package pid1 is the first process of a container, or a subreaper anywhere
// else: it runs a main program whose arguments, environment, terminal and exit
// code stay its own, reaps whatever dies, passes signals on, keeps a supervision
// tree beside the program, and ends everything in order.
//
// It does nothing else, so that it cannot fail: the tree is another process, and
// is started again when it dies. It needs Linux 5.4, for pidfds. It needs no
// privilege, no writable file system, and no /proc, though without /proc it does
// not find what left its process tree.
package pid1
