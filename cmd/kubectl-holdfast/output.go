package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/internal/text"
)

// Further values of --output.
const (
	outputWide = "wide"
	outputYAML = "yaml"
)

// output is the value of --output: one of the choices.
type output struct {
	value   string
	choices []string
}

// outputFlag defines --output; text is the default.
func outputFlag(cmd *cobra.Command, choices ...string) *output {
	o := &output{outputText, append([]string{outputText}, choices...)}
	cmd.Flags().VarP(o, "output", "o", "Output: "+strings.Join(o.choices, ", ")+".")
	if err := cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(o.choices, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(fmt.Sprintf("the flag was just defined: %v", err))
	}
	return o
}

// String implements pflag.Value.
func (o *output) String() string { return o.value }

// Type implements pflag.Value.
func (o *output) Type() string { return "format" }

// Set implements pflag.Value.
func (o *output) Set(value string) error {
	if !slices.Contains(o.choices, value) {
		return fmt.Errorf("must be one of %s", strings.Join(o.choices, ", "))
	}
	o.value = value
	return nil
}

// isData says whether the output is for programs.
func (o *output) isData() bool { return o.value == outputJSON || o.value == outputYAML }

// data writes what is for programs.
func (p *program) data(o *output, v any) error {
	encoded, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if o.value == outputYAML {
		if encoded, err = yaml.JSONToYAML(encoded); err != nil {
			return err
		}
		_, err = p.streams.Out.Write(encoded)
		return err
	}
	_, err = fmt.Fprintf(p.streams.Out, "%s\n", encoded)
	return err
}

// sayf writes a line of the result.
func (p *program) sayf(format string, args ...any) {
	fmt.Fprintln(p.streams.Out, text.Visible(fmt.Sprintf(format, args...)))
}

// notef tells something beside the result.
func (p *program) notef(format string, args ...any) {
	fmt.Fprintln(p.streams.ErrOut, text.Visible(fmt.Sprintf(format, args...)))
}

// confirm asks a question that is answered by y or yes. No answer is no; the error says how to do without.
func (p *program) confirm(ctx context.Context, question string) error {
	fmt.Fprintf(p.streams.ErrOut, "%s [y/N] ", question)
	answers := make(chan string, 1)
	go func() { // reading is not interrupted, so nobody waits for it who is
		line, _ := bufio.NewReader(p.streams.In).ReadString('\n')
		answers <- line
	}()
	select {
	case <-ctx.Done():
		return errInterrupted
	case answer := <-answers:
		if !isTerminal(p.streams.In) || !strings.HasSuffix(answer, "\n") { // nobody's line has ended there
			p.notef("")
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		case "":
			return errors.New("nothing was done, for nobody answered; --yes answers in advance")
		default:
			return errors.New("nothing was done")
		}
	}
}
