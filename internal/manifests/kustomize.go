package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// rendered is a manifest as a kustomization renders it.
type rendered struct {
	document
	origin Origin
}

// roots are the kustomizations to render: those that no other one refers to. Where they refer to each other in a circle, the first of it is
// one, and says so. Components cannot be rendered by themselves.
func roots(fsys filesys.FileSystem, all []file) []file {
	refers := map[string][]string{}
	referred := map[string]bool{}
	for _, k := range all {
		refers[k.path] = bases(fsys, k.path)
		for _, base := range refers[k.path] {
			referred[base] = true
		}
	}
	reached := map[string]bool{}
	var reach func(path string)
	reach = func(path string) {
		if reached[path] {
			return
		}
		reached[path] = true
		for _, base := range refers[path] {
			reach(base)
		}
	}
	var out []file
	for _, circular := range []bool{false, true} {
		for _, k := range all {
			if referred[k.path] == circular && !reached[k.path] && !isComponent(fsys, k.path) {
				reach(k.path)
				out = append(out, k)
			}
		}
	}
	return out
}

// bases are the folders that a kustomization refers to.
func bases(fsys filesys.FileSystem, dir string) []string {
	k := kustomization(fsys, dir)
	var out []string
	for _, path := range slices.Concat(k.Resources, k.Bases, k.Components) { //nolint:staticcheck // Bases are deprecated, and still rendered
		if path := filepath.Join(dir, path); fsys.IsDir(path) {
			out = append(out, path)
		}
	}
	return out
}

func isComponent(fsys filesys.FileSystem, dir string) bool {
	return kustomization(fsys, dir).Kind == types.ComponentKind
}

// kustomization is that of a folder; empty where it cannot be read, which rendering it will say.
func kustomization(fsys filesys.FileSystem, dir string) types.Kustomization {
	var k types.Kustomization
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if text, err := fsys.ReadFile(filepath.Join(dir, name)); err == nil {
			_ = k.Unmarshal(text)
		}
	}
	return k
}

// rendering is held by who renders: kustomize keeps the schemas of a kustomization in variables of the process.
var rendering sync.Mutex

// render renders a kustomization, without plugins and without the network.
func render(fsys filesys.FileSystem, k file) (out []rendered, err error) {
	rendering.Lock()
	defer rendering.Unlock()
	defer func() {
		if reason := recover(); reason != nil { // kustomize gives up on some files so
			err = fmt.Errorf("kustomize panics: %v", reason)
		}
	}()
	local := &local{FileSystem: fsys, root: k.path}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(local, k.path)
	if local.refused != nil {
		return nil, local.refused
	}
	if err != nil && strings.Contains(err.Error(), "--enable-helm") {
		return nil, errors.New("it inflates Helm charts, which is left to helm: pipe the output of `kustomize build --enable-helm` to -f -")
	}
	if err != nil {
		return nil, err
	}
	for _, r := range resources.Resources() {
		from, err := originOf(r, k, local.traced)
		if err != nil {
			return nil, err
		}
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		out = append(out, rendered{yamlDocument(part{text: text}), from})
	}
	return out, nil
}

// originOf is where a resource comes from. The annotation that says so stays only where the kustomization asks for it.
func originOf(r *resource.Resource, k file, traced bool) (Origin, error) {
	out := Origin{File: k.kustomization(), Kustomization: k.name}
	from, err := r.GetOrigin()
	if err != nil || from == nil {
		return out, err
	}
	if path := from.Path + from.ConfiguredIn; path != "" {
		out.File = filepath.Join(k.name, path)
	}
	if !traced {
		err = r.SetOrigin(nil)
	}
	return out, err
}

// local is a file system through which a kustomization sees no more than files: what would be fetched from elsewhere is refused as soon
// as a file names it. The kustomization to be rendered is asked to say where its resources come from.
type local struct {
	filesys.FileSystem

	root    string
	traced  bool
	refused error
}

// ReadFile implements filesys.FileSystem.
func (l *local) ReadFile(path string) ([]byte, error) {
	text, err := l.FileSystem.ReadFile(path)
	if err != nil {
		return nil, err
	}
	kustomization := slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path))
	if found := remoteInText(text, kustomization); found != "" {
		l.refused = fmt.Errorf("it refers to %s, and nothing is fetched from elsewhere: keep a copy beside it, or pipe the output of `kustomize build` to -f -", found)
		return nil, l.refused
	}
	if kustomization && l.isRoot(filepath.Dir(path)) {
		return l.trace(text)
	}
	return text, nil
}

// isRoot says whether a folder, whose path kustomize has cleaned, is the one of the kustomization to be rendered.
func (l *local) isRoot(dir string) bool {
	root, _, err := l.CleanedAbs(l.root)
	return err == nil && root.String() == dir
}

// trace makes a kustomization say where its resources come from.
func (l *local) trace(text []byte) ([]byte, error) {
	var fields map[string]any
	if err := yaml.Unmarshal(text, &fields); err != nil || fields == nil {
		return text, nil //nolint:nilerr // kustomize says it better
	}
	said, _ := fields["buildMetadata"].([]any)
	l.traced = slices.Contains(said, any(types.OriginAnnotations))
	if l.traced {
		return text, nil
	}
	fields["buildMetadata"] = append(said, types.OriginAnnotations)
	return yaml.Marshal(fields)
}

// naming are the fields of kustomizations, and of the configuration of kustomize's own plugins, that name files or folders, in lower case:
// kustomize does not mind the letter case.
var naming = []string{
	"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators", "patchesstrategicmerge",
	"path", "paths", "files", "env", "envs", "repo",
}

// free are those that have texts of people's own in them.
var free = []string{"metadata", "commonlabels", "commonannotations", "labels", "options", "generatoroptions", "literals"}

// remote is what kustomize would fetch, with git or HTTP; after a name, too, as generators have it.
var remote = regexp.MustCompile(`(?i)^([^=\s]*=)?(git::|https?:|ssh:|file:|oci:|github\.com[/:]|[a-z][a-z0-9-]*@)`)

// remoteIn is the first thing that fields name and that is not here; empty if there is none.
func remoteIn(fields map[string]any) string {
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		name := strings.ToLower(key)
		if slices.Contains(free, name) {
			continue
		}
		if found := remoteValue(fields[key], slices.Contains(naming, name)); found != "" {
			return found
		}
	}
	return ""
}

func remoteValue(value any, names bool) string {
	switch value := value.(type) {
	case string:
		return remoteText(value, names)
	case map[string]any:
		return remoteIn(value)
	case []any:
		for _, item := range value {
			if found := remoteValue(item, names); found != "" {
				return found
			}
		}
	}
	return ""
}

// remoteText looks at a path, or at the configuration of a plugin that is written where a path may be.
func remoteText(text string, names bool) string {
	switch {
	case !names:
	case remote.MatchString(text):
		return text
	case strings.Contains(text, "\n"):
		return remoteInText([]byte(text), false)
	}
	return ""
}

// remoteInText is the first thing that a text names and that is not here, if it is a kustomization or the configuration of one of kustomize's
// own plugins.
func remoteInText(text []byte, kustomization bool) string {
	if !kustomization && !bytes.Contains(text, []byte(konfig.BuiltinPluginApiVersion)) {
		return ""
	}
	for _, doc := range documents(text) {
		fields, _ := doc.value.(map[string]any)
		if !kustomization && fields["apiVersion"] != konfig.BuiltinPluginApiVersion {
			continue
		}
		if found := remoteIn(fields); found != "" {
			return found
		}
	}
	return ""
}
