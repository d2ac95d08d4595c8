package svscancmd

import (
	"os"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

func TestMain(m *testing.M) { os.Exit(s6test.Main(m)) }
