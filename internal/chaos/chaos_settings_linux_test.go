package chaos

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func duration() time.Duration {
	d, err := time.ParseDuration(os.Getenv("CHAOS_TIME"))
	if err != nil || d <= 0 {
		return 5 * time.Second
	}
	return d
}

func services() int {
	n, err := strconv.Atoi(os.Getenv("CHAOS_SERVICES"))
	if err != nil || n < 1 {
		return 200
	}
	return n
}

// newSeed is that of the environment or a new one, and prints it.
func newSeed() uint64 {
	seed, err := strconv.ParseUint(os.Getenv("CHAOS_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	fmt.Printf("chaos: uid %d, %d services, %v; again with CHAOS_SEED=%d\n", os.Geteuid(), services(), duration(), seed)
	return seed
}
