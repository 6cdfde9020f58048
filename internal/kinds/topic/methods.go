package topic

import "github.com/holdfast-dev/holdfast/internal/kind"

// methods are all that the kind calls. Pub/Sub counts calls by the project that the topic is in.
//
// https://cloud.google.com/pubsub/docs/access-control
// https://cloud.google.com/pubsub/quotas
var methods = []kind.Method{
	{Service: kind.ServicePubSub, Name: "Publisher.GetTopic", Scope: kind.ScopeProject, Permissions: []string{"pubsub.topics.get"}},
	{
		Service: kind.ServicePubSub, Name: "Publisher.CreateTopic", Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.create"}, OnProject: true,
	},
	{Service: kind.ServicePubSub, Name: "Publisher.UpdateTopic", Scope: kind.ScopeProject, Permissions: []string{"pubsub.topics.update"}},
	{Service: kind.ServicePubSub, Name: "Publisher.DeleteTopic", Scope: kind.ScopeProject, Permissions: []string{"pubsub.topics.delete"}},
	{
		Service: kind.ServicePubSub, Name: "Publisher.CreateTopic", Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.schemas.attach"}, For: "spec.schemaSettings",
	},
	{
		Service: kind.ServicePubSub, Name: "Publisher.UpdateTopic", Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.schemas.attach"}, For: "spec.schemaSettings",
	},
	{
		Service: kind.ServicePubSub, Name: "IAMPolicy.GetIamPolicy", Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.getIamPolicy"}, For: "spec.iam",
	},
	{
		Service: kind.ServicePubSub, Name: "IAMPolicy.SetIamPolicy", Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.setIamPolicy"}, For: "spec.iam",
	},
	{
		Service: kind.ServicePubSub, Name: "Publisher.ListTopics", Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.list"}, OnProject: true, For: kind.ForCount,
	},
}
