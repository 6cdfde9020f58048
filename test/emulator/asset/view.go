package asset

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	pb "cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// view is what the inventory knows at some time, ordered by name.
type view struct {
	taken  time.Time
	assets []entry
}

// entry is an asset in a view.
type entry struct {
	kind, name string
	project    projects.Project
	// show returns the asset with its data and its policy; nil if it is gone.
	show func() *pb.Asset
}

// Freeze keeps what there is now: all listings show it, until Refresh or Thaw.
func (s *Service) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen, s.kept = true, s.look().rendered()
}

// Refresh lets the inventory see what there is now, frozen or not.
func (s *Service) Refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = s.look().rendered()
}

// Thaw ends what Freeze began.
func (s *Service) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen, s.kept = false, nil
}

// SetStaleness sets how old what is listed may be: what was seen once is
// listed again until it is older. 0 lists what is there.
func (s *Service) SetStaleness(staleness time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.staleness = staleness
}

// view returns what a call sees.
func (s *Service) view() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.staleness == 0 && !s.frozen {
		return s.look()
	}
	if s.kept == nil || !s.frozen && s.now().Sub(s.kept.taken) >= s.staleness {
		s.kept = s.look().rendered()
	}
	return *s.kept
}

// look returns what is there. The assets are rendered when they are shown: a
// page is a small part of a fleet.
func (s *Service) look() view {
	known := map[string]projects.Project{}
	for _, project := range s.projects.List() {
		if !project.Foreign {
			known[project.ID] = project
		}
	}
	v := view{taken: s.now()}
	for _, resource := range s.cloud.Resources() {
		if project, ok := known[resource.Project]; ok {
			v.assets = append(v.assets, entry{resource.Type, resource.Name, project, func() *pb.Asset { return describe(resource, project) }})
		}
	}
	slices.SortFunc(v.assets, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return v
}

// rendered is the view as it stays, whatever becomes of the resources. Encoded
// it takes a fraction of the space.
func (v view) rendered() *view {
	kept := view{taken: v.taken}
	for _, e := range v.assets {
		shown := e.show()
		if shown == nil {
			continue
		}
		encoded, err := proto.Marshal(shown)
		if err != nil {
			panic("asset: encoding " + e.name + ": " + err.Error()) // it was made here
		}
		e.show = func() *pb.Asset {
			decoded := &pb.Asset{}
			if err := proto.Unmarshal(encoded, decoded); err != nil {
				panic("asset: decoding " + e.name + ": " + err.Error())
			}
			return decoded
		}
		kept.assets = append(kept.assets, e)
	}
	return &kept
}

// describe is a resource as an asset.
func describe(r Resource, project projects.Project) *pb.Asset {
	data := r.Data()
	if data == nil {
		return nil
	}
	_, discovered, _ := cutLast(r.Type)
	return &pb.Asset{
		Name: r.Name, AssetType: r.Type, Ancestors: ancestors(project), IamPolicy: r.Policy(),
		Resource: &pb.Resource{Version: "v1", DiscoveryName: discovered, Parent: parentOf(r, project), Data: structOf(data)},
	}
}

// structOf writes what a REST API shows as a Struct.
func structOf(data map[string]any) *structpb.Struct {
	encoded, err := json.Marshal(data)
	out := &structpb.Struct{}
	if err == nil {
		err = protojson.Unmarshal(encoded, out)
	}
	if err != nil {
		panic("asset: " + err.Error()) // the service wrote it as JSON before
	}
	return out
}
