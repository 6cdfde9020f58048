// Package flags has the flags that the programs of this project share, and values that check themselves: what a flag does not allow is refused
// with a sentence that says what it does.
package flags

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// checked is a flag's value that must also satisfy a rule. The rule completes the sentence "must be …", which
// stands for the parser's own errors too: those name functions of Go, not what the flag allows.
type checked struct {
	pflag.Value

	rule string
	ok   func() bool
}

// Set implements pflag.Value.
func (v checked) Set(text string) error {
	if err := v.Value.Set(text); err != nil || !v.ok() {
		return fmt.Errorf("must be %s", v.rule)
	}
	return nil
}

// restrict adds a rule to a flag. ok is called when the flag's variable is set.
func restrict(fs *pflag.FlagSet, name, rule string, ok func() bool) {
	f := fs.Lookup(name)
	f.Value = checked{f.Value, rule, ok}
}

// BoolVar defines a flag that is true or false.
func BoolVar(fs *pflag.FlagSet, target *bool, name string, value bool, usage string) {
	fs.BoolVar(target, name, value, usage)
	restrict(fs, name, "true or false", func() bool { return true })
}

// CountVar defines a flag that is a whole number from 1 to most.
func CountVar(fs *pflag.FlagSet, target *int, name string, value, most int, usage string) {
	fs.IntVar(target, name, value, usage)
	restrict(fs, name, fmt.Sprintf("a whole number from 1 to %d", most), func() bool { return *target >= 1 && *target <= most })
}

// RateVar defines a flag that is a number above 0, at most most.
func RateVar(fs *pflag.FlagSet, target *float64, name string, value, most float64, usage string) {
	fs.Float64Var(target, name, value, usage)
	// NaN is neither above nor below anything.
	restrict(fs, name, fmt.Sprintf("a number above 0, at most %v", most), func() bool { return *target > 0 && *target <= most })
}

// LimitVar defines a flag that is a rate, or 0 for none.
func LimitVar(fs *pflag.FlagSet, target *float64, name string, most float64, usage string) {
	fs.Float64Var(target, name, 0, usage)
	restrict(fs, name, fmt.Sprintf("a number from 0, which is no limit, to %v", most), func() bool { return *target >= 0 && *target <= most })
}

// DurationVar defines a flag that is a duration from least to most.
func DurationVar(fs *pflag.FlagSet, target *time.Duration, name string, value, least, most time.Duration, usage string) {
	fs.DurationVar(target, name, value, usage)
	restrict(fs, name, fmt.Sprintf("a duration with its unit, from %v to %v", least, most),
		func() bool { return *target >= least && *target <= most })
}

// ChoiceVar defines a flag that is one of some words.
func ChoiceVar(fs *pflag.FlagSet, target *string, name, value string, choices []string, usage string) {
	fs.StringVar(target, name, value, usage)
	restrict(fs, name, "one of "+strings.Join(choices, ", "), func() bool { return slices.Contains(choices, *target) })
}

// AddressVar defines a flag that is where to listen, or 0.
func AddressVar(fs *pflag.FlagSet, target *string, name, value, usage string) {
	fs.StringVar(target, name, value, usage)
	restrict(fs, name, "HOST:PORT such as :8443 or 127.0.0.1:8443, or 0 for none", func() bool {
		_, port, err := net.SplitHostPort(*target)
		_, badPort := strconv.ParseUint(port, 10, 16)
		return *target == "0" || err == nil && badPort == nil
	})
}

// LoopbackVar defines a flag that is where to listen for this machine alone, or 0. A name is refused: what it stands for is decided elsewhere.
func LoopbackVar(fs *pflag.FlagSet, target *string, name, value, usage string) {
	fs.StringVar(target, name, value, usage)
	restrict(fs, name, "a loopback address with its port such as 127.0.0.1:6060 or [::1]:6060, or 0 for none", func() bool {
		address, err := netip.ParseAddrPort(*target)
		return *target == "0" || err == nil && address.Addr().IsLoopback()
	})
}

// EmailPattern is that of an e-mail address.
var EmailPattern = regexp.MustCompile(`^[^\s:@,]+@[^\s:@,]+\.[^\s:@,]+$`)

// memberPattern is that of a member of an IAM policy that stands for somebody in particular.
var memberPattern = regexp.MustCompile(`^((user|group|serviceAccount|domain|project(Owner|Editor|Viewer)):[^\s:@,]\S*|principal(Set|Hierarchy)?://[^\s/:,]+/\S+)$`)

// MembersVar defines a flag that is members of IAM policies, separated by commas.
func MembersVar(fs *pflag.FlagSet, target *[]string, name, usage string) {
	fs.StringSliceVar(target, name, nil, usage)
	restrict(fs, name, "members of IAM policies such as group:holdfast@example.com, separated by commas", func() bool {
		return !slices.ContainsFunc(*target, func(member string) bool { return !memberPattern.MatchString(member) })
	})
}

// PatternVar defines a flag that is a text of a pattern, which rule describes.
func PatternVar(fs *pflag.FlagSet, target *string, name string, pattern *regexp.Regexp, rule, usage string) {
	fs.StringVar(target, name, "", usage)
	restrict(fs, name, rule, func() bool { return pattern.MatchString(*target) })
}
