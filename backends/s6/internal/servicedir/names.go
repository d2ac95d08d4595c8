package servicedir

// OwnPrefix begins the names, in a scan directory, of directories in the making
// and of removed ones. Scanners skip them.
const OwnPrefix = ".hg-"
