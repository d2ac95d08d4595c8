package container

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
)

// hermesImage is the image of this project, as its Dockerfile says it is.
var hermesImage = sync.OnceValues(func() (source, error) {
	text, err := os.ReadFile("../../image/Dockerfile")
	if err != nil {
		return source{}, err
	}
	s := source{name: "hermes", context: hermesContext, root: sync.OnceValues(makeHermesRoot)}
	for _, m := range regexp.MustCompile(`(?m)^ENV (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		s.env = append(s.env, m[1])
	}
	for word, to := range map[string]*[]string{"ENTRYPOINT": &s.entrypoint, "VOLUME": &s.volumes} {
		m := regexp.MustCompile(`(?m)^` + word + ` (\[.*\])$`).FindStringSubmatch(string(text))
		if m == nil {
			return s, fmt.Errorf("the Dockerfile has no %s that is a list", word)
		}
		if err := json.Unmarshal([]byte(m[1]), to); err != nil {
			return s, err
		}
	}
	return s, nil
})

var hermesContext = sync.OnceValues(makeContext)

func makeContext() (string, error) {
	dir, err := rootsDir()
	if err != nil {
		return "", err
	}
	context := filepath.Join(dir, "context")
	return context, output(exec.Command("../../image/build.sh", "--context", context))
}

// makeHermesRoot does without docker what the Dockerfile does.
func makeHermesRoot() (string, error) {
	context, err := hermesContext()
	if err != nil {
		return "", err
	}
	root := filepath.Join(filepath.Dir(context), "hermes")
	return root, output(exec.Command(filepath.Join(context, "mkroot.sh"), context, root))
}
