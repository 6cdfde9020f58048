package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	admin "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/option"
	storage "google.golang.org/api/storage/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/test/rig"
)

// workersPerKind are as many as the operator has by default.
const workersPerKind = 10

// floorSize is how many objects the floor is measured by.
func (b *bench) floorSize() int { return min(b.resources, max(b.settings.floor, 4*b.projects)) }

// floorPhase measures what nobody can be faster than who reads and writes the same, in a world of its own: a manifest is applied; one call
// creates the resource, and two more each policy; the manifest, its Namespace and the record of broken glasses, of which there is none, are read
// before, as the gate does; and the status is written, once, or twice where something is recorded before the write. As many manifests are at work
// as the operator has workers, and a watch is open.
func (b *bench) floorPhase(ctx context.Context) (err error) {
	free := b.settings
	free.quotas, free.resources = false, b.floorSize()
	w, err := open(ctx, free, b.show, "")
	defer func() { err = errors.Join(err, w.Undo.All()) }()
	if err != nil {
		return err
	}
	if err := w.makeNamespaces(ctx); err != nil {
		return err
	}
	plain, err := newPlain(ctx, w)
	if err != nil {
		return err
	}
	var took time.Duration
	cost, err := w.measure(ctx, "floor", func() error {
		began := time.Now()
		if err := plain.hold(ctx); err != nil {
			return err
		}
		return w.until(ctx, func() (bool, string, error) {
			_, ready, last := w.tracker.counts()
			took = last.Sub(began)
			return ready >= w.resources, fmt.Sprintf("%d of %d Ready", ready, w.resources), nil
		})
	})
	if err != nil {
		return err
	}
	cost.Seconds = took.Seconds()
	b.found.Phases["floor"] = cost
	b.found.add(duration, "floor", "from apply to all Ready", took.Seconds(), "s", fmt.Sprintf("%d objects", w.resources))
	b.found.add(processor, "floor", "kube-apiserver and etcd per 1,000 objects", cost.ControlPlaneCPU*1000/float64(w.resources), "s")
	return nil
}

// plain is the client that does only what has to be done.
type plain struct {
	*world

	operator client.Client
	buckets  *storage.Service
	topics   *pubsub.TopicAdminClient
	accounts *admin.IamClient
	projects *resourcemanager.ProjectsClient
}

func newPlain(ctx context.Context, w *world) (*plain, error) {
	p := &plain{world: w}
	conn, err := grpc.NewClient(w.cloud.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	w.Later(conn.Close)
	rpc := []option.ClientOption{option.WithGRPCConn(conn), option.WithoutAuthentication()}
	var errs [5]error
	p.operator, errs[0] = w.operatorKube(ctx)
	p.buckets, errs[1] = storage.NewService(ctx, option.WithEndpoint(w.cloud.StorageEndpoint()), option.WithoutAuthentication())
	p.topics, errs[2] = pubsub.NewTopicAdminClient(ctx, rpc...)
	p.accounts, errs[3] = admin.NewIamClient(ctx, rpc...)
	p.projects, errs[4] = resourcemanager.NewProjectsClient(ctx, rpc...)
	return p, errors.Join(errs[:]...)
}

// hold applies all manifests and makes them Ready.
func (p *plain) hold(ctx context.Context) error {
	both, ctx := errgroup.WithContext(ctx)
	var queues [4]chan int
	for kind := range queues {
		queues[kind] = make(chan int, p.resources)
		for range workersPerKind {
			both.Go(func() error {
				for i := range queues[kind] {
					if err := errors.Join(context.Cause(ctx), p.settle(ctx, i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	both.Go(func() error {
		var applied atomic.Int64
		err := p.eachManifest(ctx, func(i int) error {
			if err := p.kube.Create(ctx, p.object(i)); err != nil {
				return err
			}
			kind := 3
			if i < p.listed() {
				kind = p.kindOf(i)
			}
			queues[kind] <- i
			p.show.statef("%d of %d applied", applied.Add(1), p.resources)
			return nil
		})
		for _, queue := range queues {
			close(queue)
		}
		return err
	})
	return both.Wait()
}

// settle creates a resource, and says so.
func (p *plain) settle(ctx context.Context, i int) error {
	obj, project := p.object(i), projectID(i%p.model.projects)
	if i >= p.listed() {
		project = projectID(i - p.listed())
	}
	if err := p.operator.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		return err
	}
	if err := p.operator.Get(ctx, client.ObjectKey{Name: obj.GetNamespace()}, &corev1.Namespace{}); err != nil {
		return err
	}
	record := client.ObjectKey{Namespace: rig.OperatorNamespace, Name: breakglass.RecordName(externalName(obj), project)}
	if err := p.operator.Get(ctx, record, &v1alpha1.BreakGlassRecord{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading the record of broken glasses, of which there should be none: %w", err)
	}
	if p.recordedFirst(i) {
		if err := p.store(ctx, obj, map[string]any{"project": project, "externalName": externalName(obj)}); err != nil {
			return err
		}
	}
	if err := p.create(ctx, obj, project); err != nil {
		return fmt.Errorf("creating what %s %s is for: %w", obj.GetNamespace(), obj.GetName(), err)
	}
	return p.store(ctx, obj, statusOf(obj, project))
}

// store writes the status, unless the object has changed.
func (p *plain) store(ctx context.Context, obj client.Object, status map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": obj.GetResourceVersion()}, "status": status})
	if err != nil {
		return err
	}
	return p.operator.Status().Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch))
}

func externalName(obj client.Object) string { return "//storage.googleapis.com/" + obj.GetName() }

// statusOf is as much as the operator says of a new object.
func statusOf(obj v1alpha1.Object, project string) map[string]any {
	condition := func(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: obj.GetGeneration(), LastTransitionTime: metav1.Now(),
		}
	}
	return map[string]any{
		"observedGeneration": obj.GetGeneration(),
		"conditions": []metav1.Condition{
			condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonUpToDate, "Google Cloud matches the manifest"),
			condition(v1alpha1.ConditionDrifted, metav1.ConditionFalse, v1alpha1.ReasonUpToDate, "Google Cloud matches the manifest"),
			condition(v1alpha1.ConditionBreakGlass, metav1.ConditionFalse, v1alpha1.ReasonClosed, "break-glass is not active"),
		},
		"project": project, "externalName": externalName(obj),
		"appliedFields": []string{"spec.labels[team]", "spec.labels[wave]", "spec.location", "spec.storageClass", "spec.versioning.enabled"},
		"observed":      map[string]any{"labels": plainLabels, "location": "EUROPE-WEST1", "storageClass": "STANDARD"},
	}
}

// plainLabels are those of the model's manifests.
var plainLabels = map[string]string{"team": "shop", "wave": "0"}

// create makes the calls that a new resource takes.
func (p *plain) create(ctx context.Context, obj v1alpha1.Object, project string) error {
	switch obj := obj.(type) {
	case *v1alpha1.Bucket:
		_, err := p.buckets.Buckets.Insert(project, &storage.Bucket{
			Name: obj.Name, Location: "EUROPE-WEST1", StorageClass: "STANDARD", Labels: plainLabels,
			Versioning: &storage.BucketVersioning{Enabled: true},
			IamConfiguration: &storage.BucketIamConfiguration{
				UniformBucketLevelAccess: &storage.BucketIamConfigurationUniformBucketLevelAccess{Enabled: true},
				PublicAccessPrevention:   "enforced",
			},
		}).Context(ctx).Do()
		if err != nil || obj.Spec.IAM == nil {
			return err
		}
		policy, err := p.buckets.Buckets.GetIamPolicy(obj.Name).OptionsRequestedPolicyVersion(3).Context(ctx).Do()
		if err != nil {
			return err
		}
		policy.Bindings = append(policy.Bindings, &storage.PolicyBindings{
			Role: "roles/storage.objectViewer", Members: []string{"group:readers@example.com"},
		})
		_, err = p.buckets.Buckets.SetIamPolicy(obj.Name, policy).Context(ctx).Do()
		return err
	case *v1alpha1.Topic:
		name := "projects/" + project + "/topics/" + obj.Name
		_, err := p.topics.CreateTopic(ctx, &pubsubpb.Topic{
			Name: name, Labels: plainLabels, MessageRetentionDuration: durationpb.New(24 * time.Hour),
		})
		if err != nil || obj.Spec.IAM == nil {
			return err
		}
		return grant(ctx, name, "roles/pubsub.publisher", p.topics.GetIamPolicy, p.topics.SetIamPolicy)
	case *v1alpha1.ServiceAccount:
		_, err := p.accounts.CreateServiceAccount(ctx, &adminpb.CreateServiceAccountRequest{
			Name: "projects/" + project, AccountId: obj.Name,
			ServiceAccount: &adminpb.ServiceAccount{DisplayName: *obj.Spec.DisplayName, Description: *obj.Spec.Description},
		})
		return err
	default:
		return grant(ctx, "projects/"+project, "roles/viewer", p.projects.GetIamPolicy, p.projects.SetIamPolicy)
	}
}

// grant reads a policy and writes it with one more member.
func grant[O any](
	ctx context.Context, resource, role string,
	get func(context.Context, *iampb.GetIamPolicyRequest, ...O) (*iampb.Policy, error),
	set func(context.Context, *iampb.SetIamPolicyRequest, ...O) (*iampb.Policy, error),
) error {
	policy, err := get(ctx, &iampb.GetIamPolicyRequest{Resource: resource, Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: 3}})
	if err != nil {
		return err
	}
	policy.Version = 3
	policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: role, Members: []string{"group:readers@example.com"}})
	_, err = set(ctx, &iampb.SetIamPolicyRequest{Resource: resource, Policy: policy})
	return err
}
