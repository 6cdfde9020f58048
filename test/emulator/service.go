package emulator

import (
	"encoding/json"
	"net/http"

	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Service is one API of the emulated cloud. It keeps its own state, behind
// its own lock.
type Service interface {
	// Name is the short name, as in [traffic.Call]: "storage", "pubsub".
	Name() string

	// RegisterHTTP adds the service's REST routes, if it has any. The
	// service wraps its handlers with [traffic.Control.Middleware] itself,
	// since only it can name its calls.
	RegisterHTTP(mux *http.ServeMux)

	// RegisterGRPC adds the service's gRPC services, if it has any. The
	// server intercepts their unary calls, see ClassifyRPC.
	RegisterGRPC(server *grpc.Server)

	// ClassifyRPC names a gRPC call. It returns false for methods that are
	// not the service's own.
	ClassifyRPC(fullMethod string, req any) (traffic.Call, bool)

	// Console is the back door: what "someone in the console" does, neither
	// counted nor faulted. It is mounted at /emulator/NAME/ with that prefix
	// taken off, and answers GET, PATCH (a JSON merge patch) and DELETE, and
	// PUT or POST to create, of the service's resources at the paths that its
	// REST API uses.
	Console() http.Handler

	// Dump returns all state as a value that encodes as JSON.
	Dump() any

	// Load replaces all state by what Dump returned, encoded.
	Load(dump json.RawMessage) error
}
