package topic

import "github.com/holdfast-dev/holdfast/internal/kind"

// methods are all that the kind calls. Pub/Sub counts calls by the project that the topic is in.
//
// https://cloud.google.com/pubsub/docs/access-control
// https://cloud.google.com/pubsub/quotas
var methods = []kind.Method{
	{Service: kind.ServicePubSub, Name: "Publisher.GetTopic", Step: kind.StepObserve, Scope: kind.ScopeProject, Permissions: []string{"pubsub.topics.get"}},
	{
		Service: kind.ServicePubSub, Name: "Publisher.CreateTopic", Step: kind.StepCreate, Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.create"}, OnProject: true,
	},
	{Service: kind.ServicePubSub, Name: "Publisher.UpdateTopic", Step: kind.StepUpdate, Scope: kind.ScopeProject, Permissions: []string{"pubsub.topics.update"}},
	{Service: kind.ServicePubSub, Name: "Publisher.DeleteTopic", Step: kind.StepDelete, Scope: kind.ScopeProject, Permissions: []string{"pubsub.topics.delete"}},
	{
		Service: kind.ServicePubSub, Name: "Publisher.CreateTopic", Step: kind.StepCreate, Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.schemas.attach"}, For: "spec.schemaSettings",
	},
	{
		Service: kind.ServicePubSub, Name: "Publisher.UpdateTopic", Step: kind.StepUpdate, Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.schemas.attach"}, For: "spec.schemaSettings",
	},
	{
		Service: kind.ServicePubSub, Name: "IAMPolicy.GetIamPolicy", Step: kind.StepGetPolicy, Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.getIamPolicy"}, For: "spec.iam",
	},
	{
		Service: kind.ServicePubSub, Name: "IAMPolicy.SetIamPolicy", Step: kind.StepSetPolicy, Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.setIamPolicy"}, For: "spec.iam",
	},
	{
		Service: kind.ServicePubSub, Name: "Publisher.ListTopics", Step: kind.StepList, Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.list"}, OnProject: true, For: kind.ForSweep,
	},
}
