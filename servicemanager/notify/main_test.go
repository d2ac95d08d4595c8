package notify

import (
	"fmt"
	"os"
	"testing"
)

// roleVariable makes the test binary play a service instead of testing one.
const roleVariable = "NOTIFY_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	play, ok := roles()[role]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", role)
		os.Exit(99)
	}
	os.Exit(play())
}

func say(words ...any) { fmt.Println(words...) }
