package flags

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// Endpoints are where Google Cloud's services are, according to flags and environment.
type Endpoints struct {
	Storage, PubSub, IAM, ResourceManager, Asset string

	// Insecure is without TLS and credentials.
	Insecure bool
	// StorageEmulator and PubSubEmulator are the variables that Google's own tools and libraries read. A flag wins over them.
	StorageEmulator, PubSubEmulator string
}

// EndpointsFrom returns what the environment says.
func EndpointsFrom(getenv func(string) string) Endpoints {
	return Endpoints{StorageEmulator: getenv("STORAGE_EMULATOR_HOST"), PubSubEmulator: getenv("PUBSUB_EMULATOR_HOST")}
}

// Define defines the flags, but that of Cloud Asset Inventory.
func (e *Endpoints) Define(fs *pflag.FlagSet) {
	BoolVar(fs, &e.Insecure, "gcp-insecure", false,
		"Connect to Google Cloud without TLS and credentials, as emulators require. Requires the endpoints of all services that are used.")
	fs.StringVar(&e.Storage, "storage-endpoint", "",
		"Endpoint of Cloud Storage, as `host:port` or URL. If unset: $STORAGE_EMULATOR_HOST (no TLS, no credentials), or else Google's own.")
	fs.StringVar(&e.PubSub, "pubsub-endpoint", "",
		"gRPC endpoint of Pub/Sub, as `host:port` or URL. If unset: $PUBSUB_EMULATOR_HOST (no TLS, no credentials), or else Google's own.")
	fs.StringVar(&e.IAM, "iam-endpoint", "", "gRPC endpoint of IAM, as `host:port` or URL. If unset: Google's own.")
	fs.StringVar(&e.ResourceManager, "resourcemanager-endpoint", "",
		"gRPC endpoint of Resource Manager, as `host:port` or URL. If unset: Google's own.")
}

// Options returns the endpoints in the form that Google's clients take. The one of Cloud Asset Inventory matters only if assets are listed.
func (e *Endpoints) Options(assets bool) (gcp.Options, error) {
	var opts gcp.Options
	services := []struct {
		flag, flagValue         string
		variable, variableValue string
		target                  *gcp.Endpoint
		rpc, unused             bool
	}{
		{"storage-endpoint", e.Storage, "STORAGE_EMULATOR_HOST", e.StorageEmulator, &opts.Storage, false, false},
		{"pubsub-endpoint", e.PubSub, "PUBSUB_EMULATOR_HOST", e.PubSubEmulator, &opts.PubSub, true, false},
		{"iam-endpoint", e.IAM, "", "", &opts.IAM, true, false},
		{"resourcemanager-endpoint", e.ResourceManager, "", "", &opts.ResourceManager, true, false},
		{"asset-endpoint", e.Asset, "", "", &opts.Asset, true, !assets},
	}
	for _, s := range services {
		var err error
		switch {
		case s.flagValue != "":
			*s.target, err = parseEndpoint("--"+s.flag, s.flagValue, e.Insecure, s.rpc)
		case s.variableValue != "":
			*s.target, err = parseEndpoint("$"+s.variable, s.variableValue, true, s.rpc)
		case e.Insecure && !s.unused:
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
