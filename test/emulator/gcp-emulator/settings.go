package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// settings are what the command line says.
type settings struct {
	options   emulator.Options
	stateFile string
}

// parse reads the command line. Help is written to usage and returned as
// flag.ErrHelp.
func parse(args []string, usage io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("gcp-emulator", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are one sentence, without the whole usage
	flags.StringVar(&s.options.HTTPAddr, "http", "127.0.0.1:0", "`address` to serve HTTP on; port 0 is any free one")
	flags.StringVar(&s.options.GRPCAddr, "grpc", "127.0.0.1:0", "`address` to serve gRPC on; port 0 is any free one")
	flags.Func("project", "a project that exists, as `id=number` or just its ID; may be repeated", func(value string) error {
		p, err := parseProject(value)
		s.options.Projects = append(s.options.Projects, p)
		return err
	})
	flags.BoolVar(&s.options.Strict, "strict", false, "know only the projects given by --project, instead of any")
	flags.BoolVar(&s.options.LimitBucketUpdates, "limit-bucket-updates", false, "refuse to change a bucket more than once a second")
	flags.BoolVar(&s.options.GoogleQuotas, "google-quotas", false, "enforce the quotas that Google grants to every project, --limit-bucket-updates included")
	flags.BoolVar(&s.options.EnforceRequesterPays, "enforce-requester-pays", false, "refuse calls about a bucket whose requesters pay that name no project to bill")
	flags.BoolVar(&s.options.EnforceIAM, "enforce-iam", false, "refuse calls that the stored IAM policies do not let the caller make")
	flags.StringVar(&s.options.CallerProject, "caller-project", "emulator", "`id` of the project of the caller's credentials, whose quota IAM, Resource Manager and Cloud Asset Inventory use")
	flags.DurationVar(&s.options.AssetStaleness, "asset-staleness", 0, "how old what Cloud Asset Inventory lists may be, such as `5m`")
	flags.BoolVar(&s.options.Journal, "journal", false, "record all calls from the beginning")
	flags.StringVar(&s.stateFile, "state", "", "`file` to read the state from, if it is there, and to write it to on leaving")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(usage)
			flags.Usage()
		}
		return settings{}, err
	}
	if flags.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q: everything is said by flags", flags.Arg(0))
	}
	for name, addr := range map[string]string{"http": s.options.HTTPAddr, "grpc": s.options.GRPCAddr} {
		if err := checkAddr(addr); err != nil {
			return settings{}, fmt.Errorf("--%s %q: %w", name, addr, err)
		}
	}
	return s, nil
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("want host:port, such as 127.0.0.1:8080")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("want a port of 0 to 65535")
	}
	return nil
}

func parseProject(value string) (projects.Project, error) {
	id, text, numbered := strings.Cut(value, "=")
	p := projects.Project{ID: id}
	if numbered {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil || number <= 0 {
			return p, errors.New("want id=number, such as my-project=123456789012")
		}
		p.Number = number
	}
	return p, projects.New(true).Add(p)
}

// load reads the state from a file, if there is one. The file's folder must be there: it is too late to find out when the state is written.
func load(e *emulator.Emulator, file string) error {
	if file == "" {
		return nil
	}
	dump, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(file))
		if err == nil {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	if err := e.Load(dump); err != nil {
		return fmt.Errorf("reading the state from %s: %w", file, err)
	}
	return nil
}

// save writes the state to a file, if one is named, whole or not at all.
func save(e *emulator.Emulator, file string) error {
	if file == "" {
		return nil
	}
	dump, err := json.MarshalIndent(e.Dump(), "", "  ")
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	_, err = temporary.Write(append(dump, '\n'))
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing the state: %w", err), os.Remove(temporary.Name()))
	}
	return nil
}
