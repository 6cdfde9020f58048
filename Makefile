# Holdfast. `make` on its own lists the targets.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c

VERSION ?= $(shell git describe --tags --match 'v*' --dirty 2>/dev/null || echo v0.0.0-dev)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DATE    ?= $(shell git show --no-patch --format=%cI HEAD 2>/dev/null || echo unknown)
EPOCH   ?= $(shell git show --no-patch --format=%ct HEAD 2>/dev/null || echo 0)
# Where images are pushed to, and which of them deploy installs.
REPOSITORY      ?= ghcr.io/holdfast-dev/holdfast
IMG             ?= $(REPOSITORY):$(VERSION)
IMAGE_PLATFORMS ?= linux/amd64,linux/arm64
# What deploy installs; use config/before-1.36 on a cluster without mutating admission policies.
OVERLAY ?= config/default
# Where install-manifests and charts write, and where charts are pushed to.
DIST    ?= dist
CHARTS  ?= oci://ghcr.io/holdfast-dev/charts

# How long each fuzz target runs, which benchmarks run, and extra flags for go test.
FUZZTIME  ?= 20s
BENCH     ?= .
OBJECTS   ?= 100000
DURATION  ?= 1h
FLOOD     ?= 800
RESTART   ?= 2200
RESOURCES ?= 50000
PLANNED   ?= 1000
IMPORTED  ?= 10000
FLEET     ?= 20000
PROJECTS  ?= 3000
TESTFLAGS ?=

# Cloud Storage is reached by its JSON API alone. What its client has for gRPC would be a sixth of the manager.
# `make verify` vets the code, so the tests need not do so with all that they depend on; what is built and run here is not debugged. With the same
# flags the tools and the control plane are built, so that both share what they have in common.
export GOFLAGS := $(strip $(GOFLAGS) -tags=disable_grpc_modules -vet=off -gcflags=all=-dwarf=false -ldflags=-w)

# As what is released is built. The race detector alone needs a C compiler.
export CGO_ENABLED := 0

package := github.com/holdfast-dev/holdfast/internal/version
ldflags := -s -w -X $(package).Version=$(VERSION) -X $(package).Commit=$(COMMIT) -X $(package).Date=$(DATE)
modules := . hack/controlplane hack/controlplane/older hack/flux hack/argocd hack/licences hack/image $(patsubst %/go.mod,%,$(wildcard hack/tools/*/go.mod))

# What bench-fleet is told beside the size: each only if it is set.
fleet-flags = $(foreach name,PHASES QUOTAS IDENTITIES FLOOR LATENCY SWEEP SWEEPS EDITS DIR OUT PROFILES,$(if $($(name)),--$(shell echo $(name) | tr A-Z a-z) $($(name)))) $(if $(CHECK),--check)

# What is released.
programs := ./cmd/manager ./cmd/kubectl-holdfast

# Nothing of the folder that it is built in, or of that folder's git, goes into what is released: the same commit gives the same bytes.
reproducible := -trimpath -buildvcs=false
archive       = tar -c --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner --mode=go-w -C "$(1)" $(2) | gzip -n

# What the kubectl plugin is released for.
platforms := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

# Written by `make generate manifests`; not to be edited by hand.
generated := api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml config/gcp config/names config/chart

# Evaluated when a recipe runs, so that only the recipes that need them wait for a build. Tests compare what the pinned kubectl says;
# those of the admission policies run kube-controller-manager, too: it makes Kubernetes' own roles edit and admin.
with-assets    = assets=$$(hack/controlplane/assets.sh $(1)); KUBEBUILDER_ASSETS="$$assets"
controller-gen = "$$(hack/tools/tool.sh controller-gen)"
golangci-lint  = "$$(hack/tools/tool.sh golangci-lint)"
kustomize      = "$$(hack/tools/tool.sh kustomize)"
helm           = "$$(hack/tools/tool.sh helm)"

# The race detector is for packages in which something happens at the same time. What the tests of these do runs in the API server or as a command,
# where it does not see it.
concurrent := ^[[:space:]]*go [a-zA-Z.]+\(|\.Go\(|"sync"|"sync/atomic"|errgroup|t\.Parallel\(\)
unraced    := admission|api|config|install|plugin
raced       = grep -rlE --include='*.go' '$(concurrent)' cmd internal test hack/demo hack/tools | xargs -n1 dirname | sort -u | grep -vE '^test/($(unraced))$$' | sed 's|^|./|'
race        = $(call with-assets,--with kubectl --with kube-controller-manager) CGO_ENABLED=1 HOLDFAST_KINDS=one go test -race -timeout 30m $(TESTFLAGS) $$($(raced))

##@ Start here

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' ' \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 } \
	' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Show Holdfast at work, all on this machine; ONCE=1 plays a story, checks each step and exits.
	go build -o bin/demo ./hack/demo
	$(with-assets) exec bin/demo $(if $(ONCE),--once)

.PHONY: build
build: ## Build the operator, the kubectl plugin and the emulated Google Cloud into bin/.
	go build -ldflags '$(ldflags)' -o bin/manager ./cmd/manager
	go build -ldflags '$(ldflags)' -o bin/kubectl-holdfast ./cmd/kubectl-holdfast
	go build -ldflags '$(ldflags)' -o bin/gcp-emulator ./test/emulator/gcp-emulator

.PHONY: plugin-archives
plugin-archives: licences ## Build the kubectl plugin for each platform into dist/, as .krew.yaml names the archives, each with an SBOM beside it.
	@set -e; mkdir -p dist; cyclonedx=$$(hack/tools/tool.sh cyclonedx-gomod); for platform in $(platforms); do \
		os=$${platform%/*}; arch=$${platform#*/}; exe=kubectl-holdfast; test "$$os" != windows || exe=kubectl-holdfast.exe; \
		folder=$$(mktemp -d); archive="dist/kubectl-holdfast_$(VERSION)_$${os}_$$arch"; echo "$$archive.tar.gz"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build $(reproducible) -ldflags '$(ldflags)' -o "$$folder/$$exe" ./cmd/kubectl-holdfast; \
		"$$cyclonedx" bin -json -std -noserial -notimestamp -version $(VERSION) -output "$$archive.cdx.json" "$$folder/$$exe"; \
		cp LICENSE $(notices) "$$folder"; \
		$(call archive,$$folder,"$$exe" LICENSE LICENSES.txt) >"$$archive.tar.gz"; rm -r "$$folder"; \
	done

.PHONY: image
image: licences ## Build the operator's image with ko for IMAGE_PLATFORMS and push it, with an SBOM, to REPOSITORY; its digest goes to dist/image.
	@ko=$$(hack/tools/tool.sh ko); mkdir -p dist; \
	KO_DOCKER_REPO=$(REPOSITORY) LDFLAGS='$(ldflags)' SOURCE_DATE_EPOCH=$(EPOCH) KO_DATA_DATE_EPOCH=$(EPOCH) \
		"$$ko" build --bare --tags $(VERSION) --platform $(IMAGE_PLATFORMS) --sbom spdx --sbom-dir dist --image-user 65532:65532 \
		--image-label org.opencontainers.image.title=holdfast \
		--image-label org.opencontainers.image.source=https://github.com/holdfast-dev/holdfast \
		--image-label org.opencontainers.image.licenses=Apache-2.0 \
		--image-label org.opencontainers.image.version=$(VERSION) \
		--image-label org.opencontainers.image.revision=$(COMMIT) \
		--image-label org.opencontainers.image.created=$(DATE) \
		./cmd/manager | tee dist/image

.PHONY: schemas
schemas: ## Package the JSON schemas of the API, for editors and checkers of manifests, into dist/.
	@folder=$$(mktemp -d); mkdir -p dist; go run ./hack/crdschemas config/crd/bases "$$folder"; \
	$(call archive,$$folder,gcp.holdfast.dev) >dist/holdfast-schemas_$(VERSION).tar.gz; rm -r "$$folder"

.PHONY: run
run: build ## Run the operator on this machine against the current kubeconfig; ARGS="--help" lists its flags.
	exec bin/manager $(ARGS)

##@ Test

.PHONY: test
test: ## Run the unit tests and the tests against a real kube-apiserver; what is tested of each kind, of one of them; RACE=1 as test-race does.
	packages=$(if $(RACE),$$(comm -23 <(go list ./... | sort) <(go list $$($(raced)) | sort)),./...); failed=; \
	$(call with-assets,--with kubectl --with kube-controller-manager) HOLDFAST_KINDS=one go test -timeout 30m $(TESTFLAGS) $$packages || failed=1; \
	$(if $(RACE),$(race) || failed=1;) test -z "$$failed"

.PHONY: test-kinds
test-kinds: ## Run what is tested of each kind, of the others.
	$(call with-assets,--with kubectl) HOLDFAST_KINDS=others go test -timeout 30m $(TESTFLAGS) ./test/e2e

.PHONY: test-older
test-older: ## Run the tests of admission policies, break-glass and the lifecycle on the oldest Kubernetes that Holdfast is tested on.
	assets=$$(env -u KUBEBUILDER_ASSETS hack/controlplane/assets.sh --older --with kube-controller-manager); \
	KUBEBUILDER_ASSETS="$$assets" go test -count 1 -timeout 40m $(TESTFLAGS) ./test/api ./test/admission ./test/e2e

.PHONY: test-slow
test-slow: test-kinds test-race fuzz ## Run the slow tests: those of the other kinds, the race detector's, then each fuzz target.

.PHONY: test-race
test-race: ## Run under the race detector all tests in which something happens at the same time, each with one kind of those that it goes through.
	$(race)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (default 20s).
	@failed=; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' $(wildcard api cmd internal test hack/demo) | xargs -rn1 dirname | sort -u); do \
		go test -c -fuzz . -o "$$scratch/fuzz.test" "./$$dir"; \
		cached=$$(go env GOCACHE)/fuzz/$$(go list "./$$dir"); \
		for target in $$(cd "$$dir" && "$$scratch/fuzz.test" -test.list '^Fuzz' | grep '^Fuzz'); do \
			echo "$$dir: $$target for $(FUZZTIME)"; \
			(cd "$$dir" && "$$scratch/fuzz.test" -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) \
				-test.fuzzminimizetime 20x -test.fuzzcachedir "$$cached") || failed="$$failed $$dir:$$target"; \
		done; \
	done; \
	test -z "$$failed" || { echo "failed:$$failed; go test ./... reproduces what they found"; exit 1; }

.PHONY: monitoring
monitoring: ## Test the alerts and the dashboard with a real Prometheus (Debian's package) in a staged incident.
	$(with-assets) HOLDFAST_MONITORING=yes go test -count 1 -timeout 15m $(TESTFLAGS) ./test/monitoring

# Its build takes minutes the first time.
.PHONY: install-test
install-test: ## Test installing, upgrading and uninstalling with the real helm and kubectl, as the README says.
	@assets=$$(hack/controlplane/assets.sh --with kube-controller-manager); helm=$$(hack/tools/tool.sh helm); registry=$$(hack/tools/tool.sh registry); \
	KUBEBUILDER_ASSETS="$$assets" HOLDFAST_HELM="$$helm" HOLDFAST_REGISTRY="$$registry" HOLDFAST_KUSTOMIZE=$(kustomize) \
		go test -count 1 -timeout 20m $(TESTFLAGS) ./test/install

.PHONY: e2e
e2e: ## Test the operator with Flux and Argo CD; HOLDFAST_IDLE=10m watches the idle fleet for longer.
	go -C hack/argocd test ./...
	@assets=$$(hack/controlplane/assets.sh --with kubectl --with kube-controller-manager); flux=$$(hack/flux/assets.sh); argocd=$$(hack/argocd/assets.sh); \
	KUBEBUILDER_ASSETS="$$assets" HOLDFAST_KUSTOMIZE_CONTROLLER="$$flux" HOLDFAST_ARGOCD="$$argocd" \
		go test -count 1 -timeout 30m $(TESTFLAGS) ./test/gitops

.PHONY: soak
soak: ## Let people work and everything fail for DURATION (default 1h), and check each write to Google Cloud; SEED=N repeats a run, LOGS=folder keeps logs.
	go build -o bin/soak ./test/soak
	@$(call with-assets,--with kubectl) exec bin/soak --duration $(DURATION) $(if $(SEED),--seed $(SEED)) $(if $(LOGS),--logs $(LOGS))

.PHONY: image-test
image-test: ## Build the image twice onto an empty base in a registry on loopback, look at it and sign it; HOLDFAST_IMAGE_PLATFORMS=linux/amd64,linux/arm64 for both.
	go -C hack/licences test ./...
	@cosign=$$(hack/tools/tool.sh cosign); HOLDFAST_COSIGN="$$cosign" go -C hack/image test -count 1 -timeout 30m ./...

.PHONY: bench
bench: ## Run the benchmarks; BENCH=Diff selects those that match.
	$(with-assets) go test -run '^$$' -bench '$(BENCH)' -benchmem ./internal/...

.PHONY: emptying
emptying: ## Empty an emulated bucket of OBJECTS objects (default 100,000) at 50 ms a call; print the time and memory that it took.
	$(with-assets) HOLDFAST_OBJECTS=$(OBJECTS) go test -count 1 -timeout 1h -v -run '^TestEmptyingAtScale$$' ./test/e2e

.PHONY: fairness
fairness: ## Let one tenant apply FLOOD objects at once (default 800); print how long others wait, beside what they wait without.
	$(with-assets) HOLDFAST_FLOOD=$(FLOOD) go test -count 1 -timeout 1h -v -run '^TestAFloodDisturbsNobody$$' ./test/e2e

.PHONY: restart
restart: ## Restart the operator, with its default limits, over RESTART objects (default 2,200 in 100 projects); nothing may come of it.
	$(with-assets) HOLDFAST_RESTART=$(RESTART) go test -count 1 -timeout 1h -v -run '^TestARestartIsNoEvent$$' ./test/e2e

.PHONY: bench-plugin
bench-plugin: ## Have the plugin plan PLANNED manifests, import IMPORTED resources, read FLEET manifests; print calls, time, memory.
	$(call with-assets,--with kubectl) HOLDFAST_PLANNED=$(PLANNED) HOLDFAST_IMPORTED=$(IMPORTED) HOLDFAST_FLEET=$(FLEET) HOLDFAST_LATENCY=$(or $(LATENCY),20ms) \
		go test -count 1 -timeout 1h -v -run '^Test(Plan|Import|Status)OfAFleet$$' ./test/plugin

.PHONY: upgrade
upgrade: build ## Upgrade a fleet of RESOURCES in PROJECTS from the version FROM, a commit or tag, to this one; nothing may come of it.
	go build -o bin/fleet ./test/fleet
	@test -n "$(FROM)" || { echo 'say from which version: make upgrade FROM=v0.1.0 RESOURCES=400 PROJECTS=20'; exit 2; }
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; git archive $(FROM) | tar -x -C "$$folder"; go -C "$$folder" build -o bin/manager ./cmd/manager; \
	$(with-assets) bin/fleet --resources $(RESOURCES) --projects $(PROJECTS) $(fleet-flags) --phases create,upgrade --from "$$folder" --check

.PHONY: bench-fleet
bench-fleet: build ## Measure a fleet of RESOURCES in PROJECTS (default 50,000 in 3,000); PHASES, QUOTAS, IDENTITIES, SWEEP, SWEEPS, DIR, OUT: see test/fleet.
	go build -ldflags '$(ldflags)' -o bin/fleet ./test/fleet
	@$(with-assets) exec bin/fleet --resources $(RESOURCES) --projects $(PROJECTS) $(fleet-flags)

.PHONY: control-plane
control-plane: ## Download or build kube-apiserver, etcd, kubectl and kube-controller-manager; print their folder.
	@hack/controlplane/assets.sh --with kubectl --with kube-controller-manager

##@ Change

.PHONY: generate
generate: ## Generate the deep-copy functions of the API types.
	$(controller-gen) object paths=./api/...

.PHONY: manifests
manifests: ## Generate the CRDs and roles from the code, and the charts from config/.
	$(controller-gen) crd paths=./api/... output:crd:dir=config/crd/bases
	go run ./hack/crdversions v1beta1 config/crd/bases
	$(controller-gen) rbac:roleName=holdfast-manager 'paths={./internal/...,./cmd/...}' output:rbac:dir=config/rbac
	go run ./hack/roles config/gcp
	go run ./hack/charts $(kustomize) config

.PHONY: vulnerabilities
vulnerabilities: ## Look the modules of the operator and the plugin up in the Go vulnerability database that hack/tools/indexdb pins.
	@database=$$(hack/vulnerabilities/database.sh); govulncheck=$$(hack/tools/tool.sh govulncheck); \
	scratch=$$(mktemp -d); trap 'rm -r "$$scratch"' EXIT; go build -o "$$scratch/" $(programs); \
	for program in "$$scratch"/*; do "$$govulncheck" -db "$$database" -mode binary -format json "$$program"; done | \
		go run ./hack/vulnerabilities "$$(cat .go-version)" hack/vulnerabilities/accepted.yaml

# Where the image has what it is built from, and under which licences: ko puts the folder into it.
notices := cmd/manager/kodata/LICENSES.txt
comma := ,
empty :=

.PHONY: licences
licences: ## Write the licences of all that is in the operator and the plugin, on any platform; fail on one that is not accepted.
	go -C hack/licences build -o "$(CURDIR)/bin/licences" .
	bin/licences $(notices) $(subst $(empty) $(empty),$(comma),$(platforms)) $(programs)

.PHONY: fmt
fmt: ## Format the Go code.
	$(golangci-lint) fmt

.PHONY: lint
lint: ## Run the linters, including the import boundaries.
	$(golangci-lint) config verify
	$(golangci-lint) run

.PHONY: tidy
tidy: ## Tidy every module's go.mod.
	@for module in $(modules); do echo "go -C $$module mod tidy"; go -C "$$module" mod tidy; done

.PHONY: verify
verify: verify-generated verify-modules verify-format verify-manifests verify-compatible lint ## Check what no reviewer should have to: generated files, modules, format, manifests, lint.
	go vet ./...

.PHONY: verify-generated
verify-generated: generate manifests
	@git diff --exit-code -- $(generated) && \
	test -z "$$(git ls-files --others --exclude-standard -- $(generated) | tee /dev/stderr)" || \
	{ echo "generated files are out of date; run 'make generate manifests' and commit them"; exit 1; }

.PHONY: verify-compatible
verify-compatible: ## Compare the definitions with those of the version FROM, by default the last release: what that accepts stays as it is.
	@from='$(or $(FROM),$(shell git describe --tags --abbrev=0 --match 'v*' HEAD^ 2>/dev/null))'; \
	if [ -z "$$from" ]; then echo 'definitions: there is no release yet to compare them with'; exit; fi; \
	folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; git archive "$$from" config/crd/bases | tar -x -C "$$folder"; \
	go run ./hack/crdcompatible "$$folder/config/crd/bases" config/crd/bases

.PHONY: verify-modules
verify-modules:
	@for module in $(modules); do \
		go -C "$$module" mod tidy -diff >/dev/null || { echo "$$module/go.mod is not tidy; run 'make tidy' and commit it"; exit 1; }; \
	done

.PHONY: verify-format
verify-format:
	@unformatted=$$(gofmt -l .); \
	test -z "$$unformatted" || { echo "not formatted: $$unformatted; run 'make fmt' and commit them"; exit 1; }

.PHONY: verify-manifests
verify-manifests:
	$(kustomize) build config/default >/dev/null
	$(kustomize) build config/before-1.36 >/dev/null
	$(kustomize) build config/shard >/dev/null
	$(kustomize) build config/prometheus >/dev/null

.PHONY: clean
clean: ## Remove bin/, dist/ and test binaries; caches outside the tree stay.
	rm -rf bin dist
	find . -name '*.test' -type f -delete

##@ Install into the current kubeconfig's cluster

.PHONY: install
install: ## Install only the CRDs.
	$(kustomize) build config/crd | kubectl apply --server-side -f -

.PHONY: uninstall
uninstall: ## Remove the CRDs; deletes nothing in Google Cloud.
	$(kustomize) build config/crd | kubectl delete --ignore-not-found -f -

.PHONY: deploy
deploy: ## Install CRDs, roles, policies and the operator (image IMG); OVERLAY=config/before-1.36 for Kubernetes 1.34 and 1.35.
	$(kustomize) build $(OVERLAY) | sed 's|image: holdfast:latest|image: $(IMG)|' | kubectl apply --server-side -f -

# The CRDs go first: the operator must still be running to remove its finalizers.
.PHONY: undeploy
undeploy: uninstall ## Remove everything that deploy installed, with the same OVERLAY; deletes nothing in Google Cloud.
	$(kustomize) build $(OVERLAY) | kubectl delete --ignore-not-found -f -

.PHONY: install-manifests
install-manifests: ## Write all that deploy installs, with the image IMG, into dist/install.yaml, for kubectl alone.
	@mkdir -p $(DIST)
	$(kustomize) build $(OVERLAY) | sed 's|image: holdfast:latest|image: $(IMG)|' > $(DIST)/install.yaml

.PHONY: charts
charts: ## Package the Helm charts into dist/ as VERSION; PUSH=1 pushes them to CHARTS.
	@mkdir -p $(DIST)
	for chart in holdfast-cluster holdfast; do \
		$(helm) package config/chart/$$chart --version $(VERSION:v%=%) --app-version $(VERSION) --destination $(DIST); \
		$(if $(PUSH),$(helm) push $(DIST)/$$chart-$(VERSION:v%=%).tgz $(CHARTS);) \
	done

.PHONY: docker-build
docker-build: ## Build the image IMG for linux/amd64 and linux/arm64; PUSH=1 pushes it.
	docker buildx build --platform linux/amd64,linux/arm64 --build-arg GO_IMAGE=golang:$$(cat .go-version) \
		--build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --build-arg DATE=$(DATE) \
		$(if $(PUSH),--push) --tag $(IMG) .
