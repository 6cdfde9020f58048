package main

import (
	"fmt"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// endpoints are where Google Cloud's services are, as flags and environment say.
type endpoints struct {
	storage, pubsub, iam, resourceManager string
	insecure                              bool
	// The variables that Google's own tools and libraries heed. A flag wins over them.
	storageEmulator, pubsubEmulator string
}

// options returns the endpoints as Google's clients get them.
func (e endpoints) options() (gcp.Options, error) {
	var opts gcp.Options
	services := []struct {
		flag, flagValue         string
		variable, variableValue string
		target                  *gcp.Endpoint
		rpc                     bool
	}{
		{"storage-endpoint", e.storage, "STORAGE_EMULATOR_HOST", e.storageEmulator, &opts.Storage, false},
		{"pubsub-endpoint", e.pubsub, "PUBSUB_EMULATOR_HOST", e.pubsubEmulator, &opts.PubSub, true},
		{"iam-endpoint", e.iam, "", "", &opts.IAM, true},
		{"resourcemanager-endpoint", e.resourceManager, "", "", &opts.ResourceManager, true},
	}
	for _, s := range services {
		var err error
		switch {
		case s.flagValue != "":
			*s.target, err = parseEndpoint("--"+s.flag, s.flagValue, e.insecure, s.rpc)
		case s.variableValue != "":
			*s.target, err = parseEndpoint("$"+s.variable, s.variableValue, true, s.rpc)
		case e.insecure:
			err = fmt.Errorf("--gcp-insecure: want --%s as well, because Google's own has TLS", s.flag)
		}
		if err != nil {
			return gcp.Options{}, err
		}
	}
	return opts, nil
}

func parseEndpoint(source, text string, insecure, rpc bool) (gcp.Endpoint, error) {
	endpoint, err := gcp.ParseEndpoint(text, insecure)
	switch {
	case err != nil && insecure:
		return endpoint, fmt.Errorf("invalid value %q for %s: %w; want HOST:PORT or http://HOST:PORT", text, flagOrVariable(source), err)
	case err != nil:
		return endpoint, fmt.Errorf("invalid value %q for %s: %w; want HOST:PORT or https://HOST:PORT, or add --gcp-insecure", text, flagOrVariable(source), err)
	case rpc && endpoint.Path != "":
		return endpoint, fmt.Errorf("invalid value %q for %s: gRPC has no path; want HOST:PORT", text, flagOrVariable(source))
	}
	return endpoint, nil
}

func flagOrVariable(source string) string {
	if source[0] == '$' {
		return "the environment's " + source
	}
	return "flag " + source
}
