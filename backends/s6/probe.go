package s6

// detail is the manager's stable name in status output where the tree is not
// known to be ours.
const detail = "s6 (container supervisor)"
