# Every module of the repository: the library, its examples, and whatever else
# has a go.mod.
MODULES := . $(filter-out .,$(patsubst %/,%,$(dir $(shell git ls-files '*go.mod'))))
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GREMLINS := github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
FUZZTIME ?= 100000x

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | LC_ALL=C sort | expand -t 16

# What is left out of make test, for make storms: tests of one goroutine that compute
# for long, in which the race detector finds nothing and takes ten times as long; tests
# that kill and restart servers and databases, or build everything again; and tests
# that write much to the disk, of what a shorter test beside them tests too.
COMPUTING := TruthTable|^Test(Attacker|Household)_|^TestMerg|^TestEveryHistory$$|^TestPeakMemory$$
KILLING := ^Test(KilledAndRunAgain|KilledAndContinued|ShortRun|FailOver\w*|Pair|MoveToAnotherPath|RestartKeeps\w*)$$
WRITING := ^Test(StoreKeepsTheContractOnRowsOfPlainSQL|RouterKeepsTheContract|ManyProcessesOn\w+)$$

# A test that waits for a busy machine is not yet one that hangs.
TIMEOUT := 20m

.PHONY: test
test: ## run every test of every module, but those of storms and engines, under the race detector
	@.ci/test "$(MODULES)" -timeout $(TIMEOUT) -skip '^TestEngine|$(COMPUTING)|$(KILLING)|$(WRITING)'
	@echo "== the truth tables of the operations, without it"
	@go test -run TruthTable ./devicetotp
	@.ci/skipped

.PHONY: storms
storms: ## run the tests that make test leaves out because they take long
	@echo "== attackers, households, the explorer's own tests and memory: computed, without the race detector"
	@go test -timeout $(TIMEOUT) -run '$(COMPUTING)' -skip '^TestEveryHistory$$' ./devicetotp/... ./verifier # make explore-shortly has that one
	@for m in $(MODULES); do \
		echo "== servers and databases of $$m that are killed, and many writers, under the race detector"; \
		go -C $$m test -race -timeout $(TIMEOUT) -run '$(KILLING)|$(WRITING)' ./... || exit 1; \
	done
	@.ci/skipped

.PHONY: engines
engines: ## run the stores in full behind PgBouncer, on MariaDB and on Galera, and processes and kills shortly
	@$(ENGINES)
	@$(HARNESSES) -short
	@.ci/skipped

.PHONY: engines-long
engines-long: ## the same, with everything in full (about half an hour)
	@$(ENGINES)
	@$(HARNESSES)
	@.ci/skipped

ENGINES = go -C credential/sqlstore/sqltest test -race -timeout 30m -run '^TestEngine' ./...
HARNESSES = go -C examples test -race -p 1 -timeout 60m -run '^TestEngine' ./internal/harness/processes ./internal/harness/chaos

.PHONY: lint
lint: ## gofmt, go vet (for 386 and arm too), go mod tidy and golangci-lint over every module
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
		if [ -n "$$unformatted" ]; then echo "not formatted:"; echo "$$unformatted"; exit 1; fi
	@for arch in 386 arm; do echo "vet for $$arch"; CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go vet ./... || exit 1; done
	@for m in $(MODULES); do \
		echo "lint $$m"; \
		go -C $$m mod tidy -diff && go -C $$m vet ./... && \
		(cd $$m && go run $(GOLANGCI_LINT) run --allow-parallel-runners --config $(CURDIR)/.golangci.yml ./...) || exit 1; \
	done

.PHONY: vulnerabilities
vulnerabilities: ## known vulnerabilities in what the code of each module calls
	@.ci/vulnerabilities $(MODULES)

.PHONY: fuzz
fuzz: ## run every fuzz target with FUZZTIME (100000x) inputs
	@.ci/fuzz $(FUZZTIME) $(MODULES)

.PHONY: cover
cover: ## statement coverage of the core packages, which must be 90%
	@.ci/coverage 90

.PHONY: bench
bench: ## compare with peers, call by call (DOC=1: into BENCHMARKS.md)
	go -C examples test -run TestAllocationsOfTheHotPaths ./internal/harness/bench
	@for run in 1 2 3 4 5 6; do \
		go test -run '^$$' -bench . -benchmem -benchtime 0.3s ./... ; \
	done | go -C examples run ./internal/harness/bench/ratios $(if $(DOC),-doc ../BENCHMARKS.md)

.PHONY: bench-load
bench-load: ## compare with bare loops, pgbench and floods (DOC=1: into BENCHMARKS.md)
	go -C examples run ./internal/harness/bench $(if $(DOC),-doc ../BENCHMARKS.md -results internal/harness/bench/RESULTS.md -plot internal/harness/bench/growth.svg)

.PHONY: bench-engines
bench-engines: ## compare Verify on every database (DOC=1: into BENCHMARKS.md)
	go -C examples run ./internal/harness/bench -only engines $(if $(DOC),-doc ../BENCHMARKS.md)

.PHONY: chaos
chaos: ## kill the server KILLS (100) times, and the database (ENGINE=mariadb) RESTARTS (10) times, under load
	go -C examples run ./internal/harness/chaos -kills $(or $(KILLS),100) -restarts $(or $(RESTARTS),10) -engine $(or $(ENGINE),postgres)

.PHONY: linear
linear: ## check what clients saw on every engine (ENGINE=etcd,...) for TIME (10s) with kills, and with planted faults
	go -C examples run ./internal/harness/linear -time $(or $(TIME),10s) $(if $(ENGINE),-engine $(ENGINE))

.PHONY: reseal-load
reseal-load: ## take an old key away from ACCOUNTS (100000) accounts while clients use them
	go -C examples run ./internal/harness/reseal -accounts $(or $(ACCOUNTS),100000)

# The test binary itself is run, so that its summary is the last line.
EXPLORE = bin=$$(mktemp -d) && go test -c -o $$bin/explore ./devicetotp/internal/explore && \
	cd devicetotp/internal/explore && $$bin/explore

.PHONY: explore
explore: ## run every history of two and three concurrent requests with faults (twenty minutes, 12 GB of memory)
	@$(EXPLORE) -test.run '^TestEveryHistoryAtLength$$' -test.timeout 180m -long

.PHONY: explore-shortly
explore-shortly: ## the same with one fault and every pair of operations (about a minute)
	@$(EXPLORE)

.PHONY: explore-planted
explore-planted: ## plant bugs in the library; the explorer must catch each, and prints how
	@$(EXPLORE) -test.run '^TestPlantedBugsAreCaught$$' -test.timeout 30m -test.v -planted

.PHONY: test-clients
test-clients: ## call the example server with JSON:API clients of npm
	examples/internal/harness/clients/npm/run

.PHONY: test-generated
test-generated: ## generate clients from the OpenAPI document, for Go and TypeScript, and call the example server with them
	examples/internal/harness/generated/run

.PHONY: test-browser
test-browser: ## try the demo page in headless Chromium; screenshots are in examples/internal/harness/browser/screenshots
	examples/internal/harness/browser/run

.PHONY: mutate
mutate: ## change the decisions in small ways; each change must fail a test, or be explained in .ci/survivors
	@.ci/mutate $(GREMLINS) devicetotp devicetotp/internal/rounds verifier credential
