package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// format is how a flag's value is written. The errors of read complete the sentence "want …".
type format[T any] struct {
	name string // as in --sweep-interval DURATION; empty for a flag that may stand without a value
	read func(string) (T, error)
}

// value is a flag that knows which values it allows.
type value[T any] struct {
	target *T
	format format[T]
}

// String implements flag.Value.
func (v value[T]) String() string {
	if v.target == nil { // as the flag package calls it
		return ""
	}
	return fmt.Sprint(*v.target)
}

// Set implements flag.Value.
func (v value[T]) Set(text string) error {
	parsed, err := v.format.read(text)
	if err != nil {
		return fmt.Errorf("want %w", err)
	}
	*v.target = parsed
	return nil
}

// IsBoolFlag says whether the flag may stand without a value, to the flag package.
func (v value[T]) IsBoolFlag() bool { return v.format.name == "" }

func (v value[T]) formatName() string { return v.format.name }

var boolean = format[bool]{"", func(text string) (bool, error) {
	parsed, err := strconv.ParseBool(text)
	if err != nil {
		return false, errors.New("true or false")
	}
	return parsed, nil
}}

// text is whatever is written.
func text(name string) format[string] {
	return format[string]{name, func(text string) (string, error) { return text, nil }}
}

func oneOf(allowed ...string) format[string] {
	return format[string]{strings.Join(allowed, "|"), func(text string) (string, error) {
		if !slices.Contains(allowed, text) {
			return "", fmt.Errorf("one of %s", strings.Join(allowed, ", "))
		}
		return text, nil
	}}
}

func integer(most int) format[int] {
	return format[int]{"NUMBER", func(text string) (int, error) {
		parsed, err := strconv.Atoi(text)
		if err != nil || parsed < 1 || parsed > most {
			return 0, fmt.Errorf("a whole number from 1 to %d", most)
		}
		return parsed, nil
	}}
}

func number(most float64) format[float64] {
	return format[float64]{"NUMBER", func(text string) (float64, error) {
		parsed, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(parsed) || parsed <= 0 || parsed > most {
			return 0, fmt.Errorf("a number above 0, at most %v", most)
		}
		return parsed, nil
	}}
}

func duration(least, most time.Duration) format[time.Duration] {
	return format[time.Duration]{"DURATION", func(text string) (time.Duration, error) {
		parsed, err := time.ParseDuration(text)
		if err != nil || parsed < 1 || parsed > most {
			return 0, fmt.Errorf("a duration with its unit from %v to %v", least, most)
		}
		return parsed, nil
	}}
}

// listenAddress may also be switched off.
var listenAddress = format[string]{"HOST:PORT", func(text string) (string, error) {
	if text == "0" {
		return text, nil
	}
	_, port, err := net.SplitHostPort(text)
	if _, badPort := strconv.ParseUint(port, 10, 16); err != nil || badPort != nil {
		return "", errors.New("HOST:PORT such as :8443 or 127.0.0.1:8443, or 0 for none")
	}
	return text, nil
}}

var ownerIDPattern = regexp.MustCompile(`^[a-z0-9_-]{1,63}$`)

// ownerID is the value of a label in Google Cloud.
var ownerID = format[string]{"NAME", func(text string) (string, error) {
	if !ownerIDPattern.MatchString(text) {
		return "", errors.New("1 to 63 of a to z, 0 to 9, - and _")
	}
	return text, nil
}}

var emailPattern = regexp.MustCompile(`^[^\s:@,]+@[^\s:@,]+\.[^\s:@,]+$`)

// email is somebody's e-mail, a service account's among them.
var email = format[string]{"EMAIL", func(text string) (string, error) {
	if !emailPattern.MatchString(text) {
		return "", errors.New("an e-mail such as holdfast@my-project.iam.gserviceaccount.com")
	}
	return text, nil
}}
