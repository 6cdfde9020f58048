# The operator as a static binary on distroless, for any platform from any other:
#   make docker-build
ARG GO_IMAGE=golang:1.26.11
ARG BASE_IMAGE=gcr.io/distroless/static:nonroot

# Compiled on the builder's own platform; Go crosses over to the target's.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY config/admission config/admission
COPY config/crd config/crd
COPY internal internal

ARG TARGETOS
ARG TARGETARCH
ARG VERSION=v0.0.0-dev
ARG COMMIT=unknown
ARG DATE=unknown
RUN package=github.com/holdfast-dev/holdfast/internal/version && \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -tags disable_grpc_modules \
      -ldflags "-s -w -X $package.Version=$VERSION -X $package.Commit=$COMMIT -X $package.Date=$DATE" \
      -o /manager ./cmd/manager

FROM ${BASE_IMAGE}
COPY --from=build /manager /manager
# distroless' nonroot, by number so that runAsNonRoot can be checked.
USER 65532:65532
ENTRYPOINT ["/manager"]
