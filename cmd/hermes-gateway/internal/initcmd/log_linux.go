package initcmd

import (
	"runtime"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
)

// mayWriteFromBackground has the calling goroutine's writes reach a terminal that
// belongs to the program, even where it stops others (stty tostop).
func mayWriteFromBackground() {
	runtime.LockOSThread() // and the thread ends with the goroutine
	_ = pid1.BlockTTOU()   // it cannot fail
}
