package topic

import (
	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Names are the bucket that messages are imported from, and the service accounts that import or transform them.
func (*Kind) Names(obj *v1alpha1.Topic) []kind.Name {
	var out []kind.Name
	if ingestion := obj.Spec.Ingestion; ingestion != nil && ingestion.Source != nil {
		out = sourceNames(*ingestion.Source)
	}
	for _, transform := range obj.Spec.MessageTransforms {
		if inference := transform.AIInference; inference != nil {
			out = append(out, kind.AccountNames(string(inference.ServiceAccountEmail))...)
		}
	}
	return out
}

func sourceNames(source v1alpha1.TopicIngestionSource) []kind.Name {
	switch {
	case source.CloudStorage != nil:
		return []kind.Name{{Kind: "Bucket", Referent: source.CloudStorage.Bucket}}
	case source.AWSKinesis != nil:
		return kind.AccountNames(string(source.AWSKinesis.GCPServiceAccount))
	case source.AzureEventHubs != nil:
		return kind.AccountNames(string(source.AzureEventHubs.GCPServiceAccount))
	case source.AWSMSK != nil:
		return kind.AccountNames(string(source.AWSMSK.GCPServiceAccount))
	case source.ConfluentCloud != nil:
		return kind.AccountNames(string(source.ConfluentCloud.GCPServiceAccount))
	default:
		return nil
	}
}
