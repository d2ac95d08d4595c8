package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/past"
)

func newDoctorCmd(a *app) *cobra.Command {
	var image string
	cmd := &cobra.Command{
		Use:   "doctor --image ROOT",
		Short: "Say what of an image would not work under hermes-gateway init",
		Long: `Doctor looks through the root file system of an image, unpacked at ROOT, for
what hermes-gateway init would refuse to boot: hooks and services that have no
interpreter, as execline scripts without execline, oneshots that only execlineb
could run, and files in /etc/fix-attrs.d.
It prints one line for each: the file in the image, what is wrong, what to do.

Nothing of the image is executed, and no link leads out of it. Whose files they
are matters only to root, as root unpacks an image with its owners. Variables are
no part of an image tree: S6_LOGGING is refused when the container starts.

Exit codes: 0 nothing would be refused, 1 something would.`,
		Example: `  docker export $(docker create IMAGE) | tar -x -C root
  hermes-gateway doctor --image root`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if image == "" {
				return wrongUsage(cmd, "name the root file system of an image with --image")
			}
			return a.examine(image)
		},
	}
	cmd.Flags().StringVar(&image, "image", "", "root file system of the image to look through")
	return cmd
}

func (a *app) examine(image string) error {
	root, err := filepath.Abs(image)
	if err != nil {
		return fmt.Errorf("find %s: %w", image, err)
	}
	if _, err := os.ReadDir(root); err != nil { // nothing there would be nothing wrong
		return fmt.Errorf("look through the image: %w", err)
	}
	found, err := past.Image{Root: root}.Findings()
	if err != nil {
		return fmt.Errorf("look through the image: %w", err)
	}
	if a.wantsJSON() {
		err = a.examinedJSON(found)
	} else {
		for _, f := range found {
			fmt.Fprintln(a.out, oneLine(f.Error()))
		}
	}
	if err == nil && len(found) > 0 {
		return &exitError{exitFailed}
	}
	return err
}

func (a *app) examinedJSON(found []*past.Finding) error {
	doc := struct {
		Schema   int             `json:"schema"`
		Findings []*past.Finding `json:"findings"`
		Errors   []errorRow      `json:"errors"`
	}{schema, append([]*past.Finding{}, found...), []errorRow{}}
	return writeJSON(a.out, doc)
}
