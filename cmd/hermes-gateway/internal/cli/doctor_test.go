package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// doctor --image lists what would be refused, each with file and remedy, and says so
// with its exit code.
func TestDoctorOfAnImage(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("images have modes and links that this system has not")
	}
	b := newBench(t)
	root := t.TempDir()
	b.want(0, "", "", "doctor", "--image", root)
	hooks := filepath.Join(root, "etc/cont-init.d")
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		t.Fatal(err)
	}
	b.want(0, "", "", "doctor", "--image", root)
	if err := os.WriteFile(filepath.Join(hooks, "01-a"), []byte("#!/command/execlineb -P\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.want(1, "/etc/cont-init.d/01-a: there is no \"/command/execlineb\" to run it; install execline, or write it for /bin/sh\n", "", "doctor", "--image", root)
	b.want(1, "*", "", "doctor", "--json", "--image", root)
	var doc struct {
		Schema   int
		Findings []map[string]string
		Errors   []any
	}
	if err := json.Unmarshal(b.out.Bytes(), &doc); err != nil || doc.Schema != 1 || len(doc.Findings) != 1 || doc.Findings[0]["path"] != "/etc/cont-init.d/01-a" {
		t.Errorf("%v, %+v", err, doc)
	}
	b.want(1, "", "look through the image", "doctor", "--image", filepath.Join(root, "absent"))
	b.want(2, "", "name the root file system of an image with --image", "doctor")
}
