# The two commands to begin with are demo and test. Every step of CI has a
# name here; nothing is hidden in CI.
GO      ?= go
TOOLS   := $(CURDIR)/.tools
BIN     := $(CURDIR)/bin/hermes-gateway
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PKGS    := ./...

STATICCHECK_VERSION := v0.8.2
GOLANGCI_VERSION    := v2.15.0

export CGO_ENABLED ?= 0

.PHONY: build demo test bench lint vet fmt staticcheck golangci tidy cross unit race own fuzz repeat chaos deps tools clean image

build:
	$(GO) build -trimpath -ldflags "-s -w -X github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/cli.linkedVersion=$(VERSION)" -o $(BIN) ./cmd/hermes-gateway

# The main job end to end, as an unprivileged user, on our own tree; needs Go alone.
demo: build
	timeout 120 .ci/demo.sh $(BIN)

# Everything, on real parts; installs what is missing where it may.
test: deps lint cross unit race own repeat fuzz

# A container image by docker, from this tree and Debian's busybox-static alone:
# docs/image.md.
image:
	VERSION=$(VERSION) image/build.sh $(or $(IMAGE),hermes-gateway)

# Beside the real peers, as ratios with their spread; on a tmpfs, as scan
# directories are.
bench: deps build
	TMPDIR=$(or $(BENCH_DIR),/dev/shm) CI_REQUIRE_REAL=1 HERMES_GATEWAY_BIN=$(BIN) $(GO) test -run '^$$' -bench '$(or $(BENCH),.)' -benchtime 1x -timeout 20m ./internal/peerbench

lint: vet fmt staticcheck golangci tidy

vet:
	$(GO) vet $(PKGS)

fmt:
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not gofmt-ed: $$out"; exit 1; }

staticcheck: $(TOOLS)/staticcheck-$(STATICCHECK_VERSION)
	$< $(PKGS)

golangci: $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
	$< run $(PKGS)

tidy:
	$(GO) mod tidy -diff

# Builds and vets, with all tests, for every system we build for.
cross:
	for os in linux darwin windows; do GOOS=$$os $(GO) vet $(PKGS) || exit 1; done
	GOOS=linux GOARCH=arm64 $(GO) build $(PKGS)
	GOOS=darwin GOARCH=arm64 $(GO) build $(PKGS)

# As on a machine without s6 and without root: nothing real is required. What is
# tried many times is tried more often under race.
unit:
	.ci/unprivileged.sh test -short $(PKGS)

# As root where this is root, and once more as an unprivileged user.
race:
	CGO_ENABLED=1 CI_REQUIRE_REAL=1 $(GO) test -race -count=1 $(PKGS)

# The suite of the contract, ten times in a row: on the fake and on real s6; on our
# own tree it is part of race.
repeat:
	CGO_ENABLED=1 CI_REQUIRE_REAL=1 $(GO) test -race -count=10 -timeout 30m -run Conformance -skip TestConformance/own ./servicemanager/smtest ./backends/s6

# The client's tests once more, on our own tree.
own:
	S6_TREE=own CGO_ENABLED=1 CI_REQUIRE_REAL=1 $(GO) test -race -count=1 ./backends/s6

# Each target for FUZZTIME: a number of runs, as the end of a time limit can be
# taken for a failure by the Go command.
fuzz:
	.ci/fuzz.sh $(or $(FUZZTIME),20000x)

# A tree of 200 services to which everything happens at once, as each user for
# CHAOS_TIME. It prints its seed; CHAOS_SEED repeats it.
chaos:
	CGO_ENABLED=1 CI_REQUIRE_REAL=1 CHAOS_TIME=$(or $(CHAOS_TIME),5m) $(GO) test -race -count=1 -v -timeout 60m -run Chaos ./internal/chaos

deps:
	.ci/deps.sh

tools: $(TOOLS)/staticcheck-$(STATICCHECK_VERSION) $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)

$(TOOLS)/staticcheck-%:
	.ci/tool.sh $@ honnef.co/go/tools/cmd/staticcheck@$*

$(TOOLS)/golangci-lint-%:
	.ci/tool.sh $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*

clean:
	rm -rf bin dist bench.out
