package convert

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// File is a file of manifests, in YAML or JSON.
type File struct {
	Name string
	Text []byte
}

// connected is an object of Config Connector, or one that its objects depend on.
type connected struct {
	source           string
	apiVersion, kind string
	namespace, name  string
	id               string // spec.resourceID, or the name
	labels           map[string]any
	annotations      map[string]any
	spec, rest       map[string]any
	project          string
}

// connector is the conversion of manifests of Config Connector.
type connector struct {
	*conversion

	namespaceOf string // of objects that name none
	objects     []*connected
	named       map[string]*connected // by kind, namespace and name
	projects    map[string]string     // of Namespaces
}

// ConfigConnector converts manifests of Config Connector. Objects that name no namespace are in the one given.
func ConfigConnector(files []File, namespace string, o Options) (Result, error) {
	c := connector{conversion: newConversion(o), namespaceOf: namespace, named: map[string]*connected{}, projects: map[string]string{}}
	for _, file := range files {
		if err := c.read(file); err != nil {
			return Result{}, fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	for _, obj := range c.objects {
		obj.project = c.projectOf(obj)
		if project := c.projects[obj.namespace]; project != "" {
			c.bind(obj.namespace, project)
		}
	}
	for _, obj := range c.objects {
		c.convert(obj)
	}
	result := c.finish()
	result.Handover = c.handover(result, slices.DeleteFunc(c.objects, func(obj *connected) bool { return !c.carried[obj.source] }))
	return result, nil
}

// read reads the documents of a file.
func (c *connector) read(file File) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(file.Text)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var fields map[string]any
		if err := yaml.Unmarshal(document, &fields); err != nil {
			return fmt.Errorf("document %d: %w", n, err)
		}
		c.object(file.Name, fields)
	}
}

// object takes in an object, or those of a list.
func (c *connector) object(file string, fields map[string]any) {
	kind, _ := fields["kind"].(string)
	apiVersion, _ := fields["apiVersion"].(string)
	if items, ok := fields["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		for _, item := range items {
			c.object(file, asMap(item))
		}
		return
	}
	metadata := source{fields: asMap(fields["metadata"]), unset: isNil, silent: isNil, tell: func(string, string) {}}
	obj := &connected{
		apiVersion: apiVersion, kind: kind, name: metadata.text("name"), namespace: metadata.text("namespace"),
		labels: asMap(metadata.take("labels")), annotations: asMap(metadata.take("annotations")), spec: asMap(fields["spec"]), rest: metadata.fields,
	}
	if kind == "Namespace" && apiVersion == "v1" {
		project, _ := obj.annotations[projectAnnotation].(string)
		c.projects[obj.name] = project
		return
	}
	obj.namespace = cmp.Or(obj.namespace, c.namespaceOf)
	id, _ := obj.spec["resourceID"].(string)
	obj.id = cmp.Or(id, obj.name)
	obj.source = fmt.Sprintf("%s: %s %s/%s", file, kind, obj.namespace, obj.name)
	group, _, _ := strings.Cut(apiVersion, "/")
	if !strings.HasSuffix(group, connectorGroup) {
		if kind != "" && group != v1alpha1.GroupVersion.Group {
			c.note(obj.source, "", "is not Config Connector's, and stays as it is")
		}
		return
	}
	c.objects = append(c.objects, obj)
	c.named[key(kind, obj.namespace, obj.name)] = obj
}

func key(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

func isNil(value any) bool { return value == nil }

// projectOf is the project of an object: its own annotation, its Namespace's, or else the Namespace's name.
func (c *connector) projectOf(obj *connected) string {
	own, _ := obj.annotations[projectAnnotation].(string)
	return cmp.Or(own, c.projects[obj.namespace], c.Project, obj.namespace)
}

// convert converts an object.
func (c *connector) convert(obj *connected) {
	s := source{
		fields: map[string]any{"spec": any(obj.spec)}, unset: isNil, silent: isNil,
		tell: func(field, message string) { c.note(obj.source, field, message) },
	}
	k, isResource := connectorKinds[obj.kind]
	owns, isPiece := connectorPolicies[obj.kind]
	switch {
	case isResource:
		c.resource(obj, s, k.kind, k.rules)
	case isPiece:
		c.policy(obj, s, owns)
	case obj.kind == "KMSCryptoKey", obj.kind == "KMSKeyRing", obj.kind == "PubSubSchema":
		c.note(obj.source, "", "there is no kind for it: it stays with Config Connector, and manifests name it in full")
	default:
		c.note(obj.source, "", "there is no kind for "+obj.kind)
	}
}

func (c *connector) resource(obj *connected, s source, kindName string, rules []rule) {
	s.take("spec.resourceID")
	r := &resource{
		kind: c.kind(kindName), project: obj.project, id: obj.id, source: obj.source, namespace: obj.namespace, name: layout.Name(obj.name),
		spec: map[string]any{}, explicitDefaults: true, carries: []string{obj.source},
	}
	c.deletion(obj)
	r.annotations = c.metadata(obj)
	below := s.below(obj.spec)
	below.tell = func(field, message string) { s.tell("spec."+field, message) }
	c.resolve(obj, below)
	below.apply(rules, r.spec, "")
	below.rest("")
	if len(obj.labels) > 0 && r.kind.Labels {
		r.spec["labels"] = plain(obj.labels)
	} else {
		for _, label := range slices.Sorted(maps.Keys(obj.labels)) {
			c.note(obj.source, "metadata.labels."+label, "a "+r.kind.Name+" has no labels in Google Cloud")
		}
	}
	c.resources = append(c.resources, r)
}

// deletion tells what deleting the object did and deleting the manifest does not.
func (c *connector) deletion(obj *connected) {
	at := func(annotation string) string { return "metadata.annotations[" + annotation + "]" }
	switch {
	case obj.annotations[deletionAnnotation] == "abandon":
	case obj.annotations[forceDestroyAnnotation] == "true":
		c.note(obj.source, at(forceDestroyAnnotation), "deleting the object deleted the bucket with its objects; here deletionPolicy is Orphan: set "+
			"DeleteWithContents if that should stay so")
	default:
		c.note(obj.source, at(deletionAnnotation), "deleting the object deleted the resource; here deletionPolicy is Orphan: set Delete if that should stay so")
	}
}

// metadata is what becomes of an object's metadata: its annotations that are not Config Connector's.
func (c *connector) metadata(obj *connected) map[string]string {
	kept := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(obj.annotations)) {
		value, _ := obj.annotations[name].(string)
		said, known := connectorAnnotations[name]
		field := "metadata.annotations[" + name + "]"
		switch {
		case name == projectAnnotation, name == deletionAnnotation, name == forceDestroyAnnotation: // each is looked at for itself
		case known && said != "":
			c.note(obj.source, field, said)
		case known:
		case strings.HasPrefix(name, connectorPrefix):
			c.note(obj.source, field, unknown+": "+short(value))
		default:
			kept[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(obj.rest)) {
		if !outputs[name] {
			c.note(obj.source, "metadata."+name, unknown+": "+short(obj.rest[name]))
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// outputs are what the API server sets in metadata, or Config Connector for itself.
var outputs = map[string]bool{
	"uid": true, "resourceVersion": true, "generation": true, "creationTimestamp": true, "managedFields": true, "selfLink": true, "finalizers": true,
}

// resolve writes references to other objects as the full names that they stand for.
func (c *connector) resolve(obj *connected, s source) {
	for path, kind := range map[string]string{
		"encryption.kmsKeyRef": "KMSCryptoKey", "kmsKeyRef": "KMSCryptoKey", "schemaSettings.schemaRef": "PubSubSchema",
	} {
		parent, _ := lookup(s.fields, strings.Split(path, ".")).(map[string]any)
		ref := source{fields: parent, unset: isNil, silent: isNil}
		name := ref.text("name")
		namespace := cmp.Or(ref.text("namespace"), obj.namespace)
		if name == "" {
			continue
		}
		full := c.fullName(kind, namespace, name)
		if full == "" {
			s.tell(path, fmt.Sprintf("the %s %s/%s is not among the manifests, so that its full name is not known: set it by hand", kind, namespace, name))
			continue
		}
		parent["external"] = full
	}
}

func lookup(value any, path []string) any {
	for _, step := range path {
		value = asMap(value)[step]
	}
	return value
}

// fullName is what Google calls the resource of an object that others refer to; empty if that is not known.
func (c *connector) fullName(kind, namespace, name string) string {
	obj := c.named[key(kind, namespace, name)]
	if obj == nil {
		return ""
	}
	text := func(path ...string) string {
		text, _ := lookup(obj.spec, path).(string)
		return text
	}
	switch kind {
	case "PubSubSchema":
		return "projects/" + obj.project + "/schemas/" + obj.id
	case "KMSKeyRing":
		if location := text("location"); location != "" {
			return "projects/" + obj.project + "/locations/" + location + "/keyRings/" + obj.id
		}
		return ""
	}
	ring := text("keyRingRef", "external")
	if ring == "" {
		ring = c.fullName("KMSKeyRing", cmp.Or(text("keyRingRef", "namespace"), namespace), text("keyRingRef", "name"))
	}
	if ring == "" {
		return ""
	}
	return ring + "/cryptoKeys/" + obj.id
}

// policy takes in a piece of a policy.
func (c *connector) policy(obj *connected, s source, owns owning) {
	t, why := c.target(obj, s)
	if why != "" {
		c.note(obj.source, "spec.resourceRef", "left out: "+why)
		return
	}
	c.metadataOfPiece(obj)
	s.take("spec.resourceID")
	p := piece{target: t, source: obj.source, owns: owns}
	list, _ := s.take("spec.bindings").([]any)
	p.bindings = c.bindings(list, "spec.bindings", s)
	if obj.kind == "IAMPolicyMember" {
		one := v1alpha1.IAMBinding{Role: s.text("spec.role"), Condition: conditionOf(s.below(map[string]any{"condition": s.take("spec.condition")}))}
		c.member(&one, map[string]any{"member": s.take("spec.member"), "memberFrom": s.take("spec.memberFrom")}, "spec", s)
		if len(one.Members)+len(one.ServiceAccountRefs) > 0 {
			p.bindings = []v1alpha1.IAMBinding{one}
		}
	}
	p.audit = auditConfigs(s)
	s.rest("")
	c.pieces = append(c.pieces, p)
}

// bindings reads bindings, whose members are texts or objects.
func (c *connector) bindings(list []any, at string, s source) []v1alpha1.IAMBinding {
	var out []v1alpha1.IAMBinding
	for i, item := range list {
		below := s.below(item)
		binding := v1alpha1.IAMBinding{Role: below.text("role"), Condition: conditionOf(below)}
		where := fmt.Sprintf("%s[%d]", at, i)
		members, _ := below.take("members").([]any)
		for j, member := range members {
			c.member(&binding, member, fmt.Sprintf("%s.members[%d]", where, j), s)
		}
		below.rest(where)
		if len(binding.Members)+len(binding.ServiceAccountRefs) > 0 {
			out = append(out, binding)
		}
	}
	return out
}

// member adds a member to a binding.
func (c *connector) member(binding *v1alpha1.IAMBinding, member any, at string, s source) {
	if text, ok := member.(string); ok {
		binding.Members = append(binding.Members, v1alpha1.IAMMember(text))
		return
	}
	below := s.below(member)
	if text := below.text("member"); text != "" {
		binding.Members = append(binding.Members, v1alpha1.IAMMember(text))
	}
	ref := v1alpha1.ServiceAccountRef{
		Name: below.text("memberFrom.serviceAccountRef.name"), Namespace: below.text("memberFrom.serviceAccountRef.namespace"),
		External: below.text("memberFrom.serviceAccountRef.external"),
	}
	if ref.Name != "" {
		ref.Name = layout.Name(ref.Name)
	}
	if ref != (v1alpha1.ServiceAccountRef{}) {
		binding.ServiceAccountRefs = append(binding.ServiceAccountRefs, ref)
	}
	below.rest(at)
}

// auditConfigs reads the audit configs of an IAMPolicy, or the one of an IAMAuditConfig.
func auditConfigs(s source) []v1alpha1.AuditConfig {
	var out []v1alpha1.AuditConfig
	add := func(below source, at string) {
		config := v1alpha1.AuditConfig{Service: below.text("service"), AuditLogConfigs: []v1alpha1.AuditLogConfig{}}
		logs, _ := below.take("auditLogConfigs").([]any)
		for i, item := range logs {
			log := s.below(item)
			config.AuditLogConfigs = append(config.AuditLogConfigs, v1alpha1.AuditLogConfig{
				LogType: v1alpha1.AuditLogType(log.text("logType")), ExemptedMembers: members(log.take("exemptedMembers")),
			})
			log.rest(fmt.Sprintf("%s.auditLogConfigs[%d]", at, i))
		}
		if config.Service != "" {
			out = append(out, config)
		}
	}
	add(s.below(map[string]any{"service": s.take("spec.service"), "auditLogConfigs": s.take("spec.auditLogConfigs")}), "spec")
	list, _ := s.take("spec.auditConfigs").([]any)
	for i, item := range list {
		at := fmt.Sprintf("spec.auditConfigs[%d]", i)
		below := s.below(item)
		add(below, at)
		below.rest(at)
	}
	return out
}

// metadataOfPiece tells of what is in the metadata of a piece and goes nowhere, since its manifest is another one's.
func (c *connector) metadataOfPiece(obj *connected) {
	for name, value := range c.metadata(obj) {
		c.note(obj.source, "metadata.annotations["+name+"]", "is not taken over to the manifest of the resource: "+short(value))
	}
	for _, name := range slices.Sorted(maps.Keys(obj.labels)) {
		c.note(obj.source, "metadata.labels."+name, "is not taken over to the manifest of the resource")
	}
}

// target is the resource that a piece is about, or why there is none.
func (c *connector) target(obj *connected, s source) (t target, why string) {
	kind, name, external := s.text("spec.resourceRef.kind"), s.text("spec.resourceRef.name"), s.text("spec.resourceRef.external")
	namespace := cmp.Or(s.text("spec.resourceRef.namespace"), obj.namespace)
	s.take("spec.resourceRef.apiVersion")
	kindName, ok := connectorTargets[kind]
	if !ok {
		return t, "there is no kind for " + cmp.Or(kind, "what it is about")
	}
	k := c.kind(kindName)
	if external != "" {
		t = c.targetOf(k, external, obj.project)
		t.namespace, t.otherwise = obj.namespace, obj.project
		return t, ""
	}
	t = target{kind: k, project: obj.project, id: name, namespace: namespace}
	if referred := c.named[key(kind, namespace, name)]; referred != nil {
		t.project, t.id = referred.project, referred.id
	}
	if k.Shared() {
		t.project, t.id, t.namespace = cmp.Or(t.id, t.project), "", obj.namespace
	}
	return t, ""
}

// handover says how Config Connector lets go while the manifests take over.
func (c *connector) handover(result Result, objects []*connected) Handover {
	if len(objects) == 0 {
		return Handover{}
	}
	abandon := Step{Why: "Config Connector makes no periodic change any more, and leaves everything where it is when its objects are deleted. Where git applies " +
		"them, set both annotations there, too"}
	release := Step{Why: "Config Connector lets go. Where git applies the objects, remove them there first"}
	for _, obj := range objects {
		group, _, _ := strings.Cut(obj.apiVersion, "/")
		arguments := word(obj.namespace) + " " + word(fmt.Sprintf("%s.%s/%s", strings.ToLower(obj.kind), group, obj.name))
		abandon.Commands = append(abandon.Commands, "abandon "+arguments)
		release.Commands = append(release.Commands, "release "+arguments)
	}
	return Handover{Steps: []Step{preview, abandon, c.adopt(result), release}, functions: connectorFunctions}
}
