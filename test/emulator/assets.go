package emulator

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/test/emulator/asset"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// assets are the resources that Cloud Asset Inventory knows. What they are
// called, and what their data looks like, is from its documentation and from
// exports that others have published.
//
// https://cloud.google.com/asset-inventory/docs/asset-names
type assets struct{ *Emulator }

// Resources implements [asset.Cloud].
func (e assets) Resources() []asset.Resource {
	var all []asset.Resource
	for _, project := range e.Projects.List() {
		all = append(all, e.project(project))
	}
	for name, project := range e.Storage.BucketProjects() {
		all = append(all, e.bucket(name, project))
	}
	for _, name := range e.PubSub.TopicNames() {
		all = append(all, e.topic(name))
	}
	for _, account := range e.IAM.Accounts() {
		all = append(all, e.account(account))
	}
	return all
}

// project goes by its number. Its data is that of version 1 of its API.
func (e assets) project(p projects.Project) asset.Resource {
	number := strconv.FormatInt(p.Number, 10)
	return asset.Resource{
		Type: "cloudresourcemanager.googleapis.com/Project", Name: "//cloudresourcemanager.googleapis.com/projects/" + number, Project: p.ID,
		Data: func() map[string]any {
			current, ok := e.Projects.Known(p.ID)
			if !ok {
				return nil
			}
			state := "ACTIVE"
			if current.Deleted {
				state = "DELETE_REQUESTED"
			}
			return map[string]any{"projectId": p.ID, "projectNumber": number, "name": current.Name, "labels": current.Labels, "lifecycleState": state}
		},
		Policy: func() *iampb.Policy { return e.ResourceManager.Policy(p.ID) },
	}
}

// bucket has numbers where the JSON API has them as strings.
func (e assets) bucket(name, project string) asset.Resource {
	return asset.Resource{
		Type: "storage.googleapis.com/Bucket", Name: "//storage.googleapis.com/" + name, Project: project,
		Data: func() map[string]any {
			data, ok := e.Storage.Bucket(name)
			if !ok {
				return nil
			}
			for _, field := range []string{"projectNumber", "metageneration"} {
				data[field] = json.Number(fmt.Sprint(data[field]))
			}
			return data
		},
		Policy: func() *iampb.Policy {
			found, err := e.Storage.Policy(name)
			if err != nil {
				return nil
			}
			return found
		},
	}
}

// topic goes by the name that Pub/Sub has for it.
func (e assets) topic(name string) asset.Resource {
	return asset.Resource{
		Type: "pubsub.googleapis.com/Topic", Name: "//pubsub.googleapis.com/" + name, Project: strings.Split(name, "/")[1],
		Data: func() map[string]any {
			topic, ok := e.PubSub.Topic(name)
			if !ok {
				return nil
			}
			return documentOf(topic)
		},
		Policy: func() *iampb.Policy {
			found, err := e.PubSub.Policy(name)
			if err != nil {
				return nil
			}
			return found
		},
	}
}

// account goes by its unique ID, and shows its e-mail address in the data.
func (e assets) account(a *adminpb.ServiceAccount) asset.Resource {
	return asset.Resource{
		Type: "iam.googleapis.com/ServiceAccount", Project: a.GetProjectId(),
		Name: "//iam.googleapis.com/projects/" + a.GetProjectId() + "/serviceAccounts/" + a.GetUniqueId(),
		Data: func() map[string]any {
			current, ok := e.IAM.Account(a.GetUniqueId())
			if !ok {
				return nil
			}
			data := documentOf(current)
			delete(data, "etag")
			return data
		},
		Policy: func() *iampb.Policy {
			found, _ := e.IAM.Policy(a.GetUniqueId())
			return found
		},
	}
}

// documentOf is a message in the JSON form of a REST API.
func documentOf(message proto.Message) map[string]any {
	var document map[string]any
	encoded, err := protojson.Marshal(message)
	if err == nil {
		err = json.Unmarshal(encoded, &document)
	}
	if err != nil {
		panic("emulator: " + err.Error()) // the service has sent it as JSON before
	}
	return document
}
