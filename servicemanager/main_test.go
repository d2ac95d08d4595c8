package servicemanager_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// selfVariable makes a copy of the test binary print what Self returns.
const selfVariable = "SERVICEMANAGER_TEST_SELF"

func TestMain(m *testing.M) {
	if os.Getenv(selfVariable) == "" {
		os.Exit(m.Run())
	}
	argv, err := servicemanager.Self("run", "--now")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(strings.Join(argv, "\n"))
}
