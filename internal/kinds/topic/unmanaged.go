package topic

import (
	"strings"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// renamed are the messages that the spec calls otherwise than Pub/Sub does: the sources of ingestion are a union of their own.
var renamed = strings.NewReplacer(
	"ingestionDataSourceSettings.#", "ingestion.#",
	"ingestionDataSourceSettings.platformLogsSettings.", "ingestion.platformLogs.",
	"ingestionDataSourceSettings.awsMsk.", "ingestion.source.awsMSK.",
	"ingestionDataSourceSettings.", "ingestion.source.",
	".javascriptUdf.", ".javaScriptUDF.",
)

// Unmanaged implements kind.Fielded: the fields that the client library does not know. The census holds that the spec, or the status,
// has all others.
func (*Kind) Unmanaged(live *pubsubpb.Topic) []diff.Unmanaged {
	out := gcp.Unknown(live)
	for i := range out {
		out[i].Path = "spec." + renamed.Replace(out[i].Path)
	}
	return out
}
