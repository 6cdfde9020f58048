package convert

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// The functions of the scripts: those of all, and those for either source.
var (
	//go:embed handover/common.sh
	commonFunctions string
	//go:embed handover/connector.sh
	connectorFunctions string
	//go:embed handover/terraform.sh
	terraformFunctions string
)

// Handover is how to hand over without a gap: at each time somebody holds the resources, and nobody deletes them.
type Handover struct {
	// Steps are the steps, in order. There are none where nothing is to be handed over.
	Steps []Step

	// functions are what the commands call, beside those of all scripts, and settings what they take from the environment, likewise.
	functions, settings string
}

// Step is a part of handing over.
type Step struct {
	// Why says what the commands are for.
	Why string
	// Commands are for a shell.
	Commands []string
}

// Script is all steps as a script for a POSIX shell. It stops at what fails, and may be run again from its beginning, wherever it has ended: what is
// done already it passes over. Manifests is where the manifests are; empty where only whoever runs it knows.
func (h Handover) Script(manifests string) string {
	if len(h.Steps) == 0 {
		return ""
	}
	where := quoted(manifests)
	if manifests == "" {
		where = "${MANIFESTS:?set it to the file or folder that has the manifests}"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# It stops at the first command that fails. Run it again then, from its beginning: it passes over what is done already. From the environment it takes
#   ACCEPT_CHANGES=yes  to go on although the manifests do more than adopt what is there, as it is
#   TIMEOUT             how long each manifest may take to become Ready; 5m by default
%sset -eu
manifests=%s

%s
%s`, h.settings, where, commonFunctions, h.functions)
	for i, step := range h.Steps {
		fmt.Fprintf(&b, "\nstep %s\n", quoted(fmt.Sprintf("%d. %s.", i+1, step.Why)))
		for _, command := range step.Commands {
			fmt.Fprintln(&b, command)
		}
	}
	return b.String()
}

// preview is the step before anything is handed over.
var preview = Step{Why: "See what applying the manifests does: it adopts everything, and writes nothing", Commands: []string{"preview"}}

// adopt is the step by which manifests take over.
func (c *conversion) adopt(result Result) Step {
	step := Step{
		Why:      "Holdfast adopts what matches, without a write. All of it has to be Ready before anybody else lets go",
		Commands: []string{`kubectl apply --recursive -f "$manifests"`},
	}
	for _, obj := range result.Objects {
		if obj.GetNamespace() == "" {
			continue // a Namespace
		}
		object := c.kind(obj.GetKind()).Plural + "." + v1alpha1.GroupVersion.Group + "/" + obj.GetName()
		step.Commands = append(step.Commands, "ready "+word(obj.GetNamespace())+" "+word(object))
	}
	return step
}

// plainWord are the words that a shell takes as they are.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// word is a word as a shell takes it, quoted where it has to be.
func word(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return quoted(text)
}

// quoted is a word as a shell takes it, in quotes.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
