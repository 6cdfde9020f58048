package main

import (
	"errors"
	"fmt"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// endpoints are where Google Cloud's services are, according to flags and environment.
type endpoints struct {
	storage, pubsub, iam, resourceManager, asset string

	insecure bool
	// The variables that Google's own tools and libraries read. A flag wins over them.
	storageEmulator, pubsubEmulator string
}

// options returns the endpoints in the form that Google's clients take. The one of Cloud Asset Inventory matters only if assets are listed.
func (e endpoints) options(assets bool) (gcp.Options, error) {
	var opts gcp.Options
	services := []struct {
		flag, flagValue         string
		variable, variableValue string
		target                  *gcp.Endpoint
		rpc, unused             bool
	}{
		{"storage-endpoint", e.storage, "STORAGE_EMULATOR_HOST", e.storageEmulator, &opts.Storage, false, false},
		{"pubsub-endpoint", e.pubsub, "PUBSUB_EMULATOR_HOST", e.pubsubEmulator, &opts.PubSub, true, false},
		{"iam-endpoint", e.iam, "", "", &opts.IAM, true, false},
		{"resourcemanager-endpoint", e.resourceManager, "", "", &opts.ResourceManager, true, false},
		{"asset-endpoint", e.asset, "", "", &opts.Asset, true, !assets},
	}
	for _, s := range services {
		var err error
		switch {
		case s.flagValue != "":
			*s.target, err = parseEndpoint("--"+s.flag, s.flagValue, e.insecure, s.rpc)
		case s.variableValue != "":
			*s.target, err = parseEndpoint("$"+s.variable, s.variableValue, true, s.rpc)
		case e.insecure && !s.unused:
			err = fmt.Errorf("--gcp-insecure requires --%s, because Google's own endpoint has TLS", s.flag)
		}
		if err != nil {
			return gcp.Options{}, err
		}
	}
	return opts, nil
}

// parseEndpoint reads the endpoint of a source, which is a flag with its dashes or a variable with its dollar.
func parseEndpoint(source, text string, insecure, rpc bool) (gcp.Endpoint, error) {
	endpoint, err := gcp.ParseEndpoint(text, insecure)
	switch {
	case err != nil && insecure:
		err = fmt.Errorf("%w; must be HOST:PORT or http://HOST:PORT", err)
	case err != nil:
		err = fmt.Errorf("%w; must be HOST:PORT or https://HOST:PORT, unless --gcp-insecure is set", err)
	case rpc && endpoint.Path != "":
		err = errors.New("gRPC has no path; must be HOST:PORT")
	}
	if err != nil {
		return gcp.Endpoint{}, fmt.Errorf("invalid value %q for %s: %w", text, source, err)
	}
	return endpoint, nil
}
