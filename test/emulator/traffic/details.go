package traffic

import (
	"encoding/json"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/anypb"
)

// Details are what Google's errors say besides the message, for programs; over
// gRPC, and in the JSON of what is in front of all services.
type Details struct {
	// Info is the reason of a google.rpc.ErrorInfo, such as SERVICE_DISABLED, and
	// Metadata what it has besides.
	Info     string            `json:"info,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	// Violation is the type of a violated google.rpc.PreconditionFailure, such as
	// constraints/iam.disableServiceAccountCreation. A 400 with one is
	// FAILED_PRECONDITION.
	Violation string `json:"violation,omitempty"`
	// Description describes the violation.
	Description string `json:"description,omitempty"`
}

func (d *Details) messages() []protoadapt.MessageV1 {
	if d == nil {
		return nil
	}
	var details []protoadapt.MessageV1
	if d.Violation != "" {
		details = append(details, &errdetails.PreconditionFailure{
			Violations: []*errdetails.PreconditionFailure_Violation{{Type: d.Violation, Description: d.Description}},
		})
	}
	if d.Info != "" {
		details = append(details, &errdetails.ErrorInfo{Reason: d.Info, Domain: "googleapis.com", Metadata: d.Metadata})
	}
	return details
}

func (d *Details) json() []json.RawMessage {
	var details []json.RawMessage
	for _, message := range d.messages() {
		packed, err := anypb.New(protoadapt.MessageV2Of(message))
		if err != nil {
			continue
		}
		if raw, err := protojson.Marshal(packed); err == nil {
			details = append(details, raw)
		}
	}
	return details
}
