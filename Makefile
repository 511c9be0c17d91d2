# Two commands are enough: `make run` (and `make demo` beside it) and `make test`.
# Everything a target needs beyond Go it installs, at a pinned version, into .bin.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := $(CURDIR)/.bin
SQLC := $(BIN)/sqlc
OAPI_CODEGEN := $(BIN)/oapi-codegen
GOLANGCI_LINT := $(BIN)/golangci-lint
WORKFLOWCHECK := $(BIN)/workflowcheck

SQLC_VERSION := v1.31.1
OAPI_CODEGEN_VERSION := v2.8.2
GOLANGCI_LINT_VERSION := v2.15.0
WORKFLOWCHECK_VERSION := v0.6.0

# Set to keep the machine responsive or to run one package: make test PKG=./ledger/...
PKG ?= ./... ./devstack/...
TESTFLAGS ?=
BENCH ?= all
ROWS ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X main.version=$(VERSION)

.PHONY: help
help: ## show this
	@grep -hE '^[a-z/]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## compile the product and the development stack into .bin
	@echo "recourse: compiling the product"
	@go build -ldflags '$(LDFLAGS)' -o $(BIN)/recourse ./cmd/recourse
	@echo "recourse: compiling the development stack (the first time this includes the Temporal server: about six minutes on two cores)"
	@go build -o $(BIN)/devstack ./devstack/cmd/devstack

.PHONY: run
run: build postgres ## start everything on loopback, with seed data; Ctrl-C stops it
	@exec $(BIN)/devstack up

.PHONY: demo
demo: build postgres ## show the main jobs step by step, on the running stack or on one of its own
	@go build -o $(BIN)/demo ./devstack/cmd/demo
	@exec $(BIN)/demo

.PHONY: postgres
postgres: # find Postgres 15 or later, or install it
	@go run ./devstack/cmd/ensurepg >/dev/null

.PHONY: test
test: postgres ## run all tests; starts its own Postgres, Temporal and simulators
	@echo "recourse: running the tests (the first time compiles the Temporal server: about six minutes on two cores)"
	go test $(TESTFLAGS) $(PKG)

.PHONY: test/race
test/race: postgres ## the product's tests under the race detector
	go test -race -short $(TESTFLAGS) ./...

.PHONY: bench
bench: build postgres ## measure; JSON lines with the baseline of the same run (BENCH=booking, ledger or dscsa for one family)
	@go build -o $(BIN)/bench ./devstack/cmd/bench
	@exec $(BIN)/bench -bench $(BENCH)

.PHONY: faults
faults: build postgres ## break real processes under load; writes faults/report.json
	@go build -o $(BIN)/faults ./devstack/cmd/faults
	@exec $(BIN)/faults -rows "$(ROWS)"

.PHONY: generate
generate: $(SQLC) $(OAPI_CODEGEN) ## regenerate the code made from SQL and OpenAPI
	$(SQLC) generate
	cd api && $(OAPI_CODEGEN) -config oapi-codegen.yaml openapi.yaml
	gofmt -l . | grep -v '^\.bin' || true

.PHONY: verify
verify: $(SQLC) $(OAPI_CODEGEN) $(WORKFLOWCHECK) ## check that generated code is current, modules are tidy and workflows deterministic
	@bash .ci/verify

.PHONY: mutants
mutants: ## plant mistakes and check that the tests find them
	@bash .ci/mutants

.PHONY: lint
lint: $(GOLANGCI_LINT) ## lint both modules
	$(GOLANGCI_LINT) run ./...
	cd devstack && $(GOLANGCI_LINT) run --config ../.golangci.yml ./...

$(SQLC):
	@echo "recourse: installing sqlc $(SQLC_VERSION) into .bin (a few minutes, once)"
	@GOBIN=$(BIN) GOWORK=off go install github.com/sqlc-dev/sqlc/cmd/sqlc@$(SQLC_VERSION)

$(OAPI_CODEGEN):
	@GOBIN=$(BIN) GOWORK=off go install github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@$(OAPI_CODEGEN_VERSION)

$(GOLANGCI_LINT):
	@echo "recourse: installing golangci-lint $(GOLANGCI_LINT_VERSION) into .bin (a few minutes, once)"
	@GOBIN=$(BIN) GOWORK=off go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(WORKFLOWCHECK):
	@GOBIN=$(BIN) GOWORK=off go install go.temporal.io/sdk/contrib/tools/workflowcheck@$(WORKFLOWCHECK_VERSION)
