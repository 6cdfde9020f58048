package main

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is a flag that knows which values it allows. Its parser's errors complete the sentence "want …".
type value[T any] struct {
	target *T
	parse  func(string) (T, error)
}

// String implements flag.Value. It also gives the usage its default values, and is then called on a zero value.
func (v value[T]) String() string {
	if v.target == nil {
		return ""
	}
	return fmt.Sprint(*v.target)
}

// Set implements flag.Value.
func (v value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err != nil {
		return fmt.Errorf("want %w", err)
	}
	*v.target = parsed
	return nil
}

// IsBoolFlag says that the flag may stand without a value.
func (v value[T]) IsBoolFlag() bool {
	_, isBool := any(v.target).(*bool)
	return isBool
}

func boolean(text string) (bool, error) {
	parsed, err := strconv.ParseBool(text)
	if err != nil {
		return false, errors.New("true or false")
	}
	return parsed, nil
}

func text(text string) (string, error) { return text, nil }

func oneOf(allowed ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !slices.Contains(allowed, text) {
			return "", fmt.Errorf("one of %s", strings.Join(allowed, ", "))
		}
		return text, nil
	}
}

func integer(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		parsed, err := strconv.Atoi(text)
		if err != nil || parsed < least || parsed > most {
			return 0, fmt.Errorf("a whole number from %d to %d", least, most)
		}
		return parsed, nil
	}
}

func number(most float64) func(string) (float64, error) {
	return func(text string) (float64, error) {
		parsed, err := strconv.ParseFloat(text, 64)
		if err != nil || !(parsed > 0 && parsed <= most) { // NaN included
			return 0, fmt.Errorf("a number above 0, at most %v", most)
		}
		return parsed, nil
	}
}

func duration(least, most time.Duration) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		parsed, err := time.ParseDuration(text)
		if err != nil || parsed < least || parsed > most {
			return 0, fmt.Errorf("a duration from %v to %v, such as %v", least, most, min(max(least, time.Minute), most))
		}
		return parsed, nil
	}
}

// listenAddress is for what may also be switched off by "0".
func listenAddress(text string) (string, error) {
	if text == "0" {
		return text, nil
	}
	_, port, err := net.SplitHostPort(text)
	if number, parseErr := strconv.ParseUint(port, 10, 16); err != nil || parseErr != nil || number > 65535 {
		return "", errors.New("HOST:PORT such as :8443 or 127.0.0.1:8443, or 0 for none")
	}
	return text, nil
}

var ownerIDPattern = regexp.MustCompile(`^[a-z0-9_-]{1,63}$`)

// ownerID is the value of a label in Google Cloud.
func ownerID(text string) (string, error) {
	if !ownerIDPattern.MatchString(text) {
		return "", errors.New("1 to 63 of a to z, 0 to 9, - and _")
	}
	return text, nil
}
