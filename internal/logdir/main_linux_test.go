package logdir

import (
	"os"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// As root much is allowed that should not be relied on: everything runs once
// more as a user.
func TestMain(m *testing.M) { os.Exit(s6test.Main(m)) }
