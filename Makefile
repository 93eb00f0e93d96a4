# Everything that a contributor types; `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE ?= $(or $(POINTSMAN_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/pointsman)
VENV := $(CACHE)/venv
PYTHON := $(VENV)/bin/python

# Clients that want versions of their own, for Python and for Node.
CLIENTS := tests/e2e/clients
CLIENTS_VENV := $(CACHE)/venv-clients
CLIENTS_PACKAGES := $(CACHE)/node-clients

# What rustc writes, and what is shipped.
BUILT_WASM := target/wasm32-wasip1/release/pointsman_filter.wasm
WASM := target/pointsman.wasm
# Larger modules cost start-up time: V8 compiles all of it.
WASM_BUDGET_BYTES := 1516000

# More for the benchmark, such as BENCH=--quick.
BENCH :=

# More for the fault matrix, such as FAULTS="--ports 9201,9202,9203 --pause-ms 100".
FAULTS :=

# The Envoys that CI runs: per-attempt choice, and static chains.
ENVOY := 1.40.0
ENVOY_STATIC := 1.38.2
ENVOY_MATRIX := 1.40.0 1.39.3 1.38.2 1.37.0

E2E_BUILDS := POINTSMAN_BIN=target/cli/pointsman POINTSMAN_STANDIN=target/cli/pointsman-standin \
    POINTSMAN_WASM=$(CURDIR)/$(WASM)
E2E := $(E2E_BUILDS) $(PYTHON) -m pytest --quiet tests/e2e

ISTIO := $(E2E_BUILDS) $(PYTHON) -m pytest --quiet tests/istio

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT := $(SUDO) apt-get --quiet --quiet
# A machine that is fresh has no lists of packages yet.
apt_install = $(APT) install --yes --no-install-recommends $(1) || \
    { $(APT) update && $(APT) install --yes --no-install-recommends $(1); }

E2E_CLIENTS := $(E2E_BUILDS) CLIENTS_PACKAGES=$(CLIENTS_PACKAGES) \
    $(CLIENTS_VENV)/bin/python -m pytest --quiet --rootdir . $(CLIENTS)

CARGO_FILTER := cargo build --quiet --release --package pointsman-filter --target wasm32-wasip1
# Makes the module a tenth smaller, and starts and requests faster.
WASM_OPT := wasm-opt -O3 --enable-bulk-memory --enable-mutable-globals \
    --enable-nontrapping-float-to-int --enable-sign-ext

.PHONY: help
help: ## list these targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: wasm cli ## start a local gateway and show a request, a stream, a tool call, a failover
	@target/cli/pointsman run examples/quickstart/pointsman.yaml --demo --envoy "$$(envoy/fetch.sh $(ENVOY))"

.PHONY: test
test: lint unit size vendor e2e istio ## everything that CI runs
	@echo "all passed"

.PHONY: lint
lint: target-wasm ## formatting, clippy natively and for wasm
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- --deny warnings
	cargo clippy --quiet --package pointsman-filter --target wasm32-wasip1 -- --deny warnings

.PHONY: unit
unit: ## unit tests, fixtures, properties, architecture
	cargo test --quiet --workspace

.PHONY: bless
bless: ## rewrite the expectations of fixtures; read the diff
	BLESS=1 cargo test --quiet --workspace
	cargo test --quiet --workspace

.PHONY: target-wasm
target-wasm:
	@rustup target list --installed | grep -qx wasm32-wasip1 || rustup target add wasm32-wasip1

.PHONY: wasm
wasm: target-wasm binaryen ## build the filter
	$(CARGO_FILTER)
	@test $(WASM) -nt $(BUILT_WASM) || $(WASM_OPT) $(BUILT_WASM) --output $(WASM)

.PHONY: binaryen
binaryen:
	@command -v wasm-opt > /dev/null || { $(call apt_install,binaryen); }

.PHONY: cli
cli: ## build the command line and the stand-ins
	cargo build --quiet --profile cli --workspace --exclude pointsman-filter --exclude pointsman-noop --exclude pointsman-decide \
	    --exclude pointsman-ratelimit

.PHONY: ratelimit
ratelimit: ## build the rate limit service of the tests, and fetch Redis
	@command -v redis-server > /dev/null || { $(call apt_install,redis-server); }
	cargo build --quiet --package pointsman-ratelimit

.PHONY: size
size: wasm ## hold the filter to its budget
	@bytes=$$(stat -c %s $(WASM)); \
	echo "$(WASM): $$bytes bytes of $(WASM_BUDGET_BYTES)"; \
	test "$$bytes" -le $(WASM_BUDGET_BYTES)

$(VENV)/.installed: tests/requirements.txt
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(CLIENTS_VENV)/.installed: $(CLIENTS)/requirements.txt
	python3 -m venv $(CLIENTS_VENV)
	$(CLIENTS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	    --only-binary :all: --requirement $<
	touch $@

$(CLIENTS_PACKAGES)/.installed: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	command -v npm > /dev/null || { $(call apt_install,nodejs npm); }
	mkdir -p $(CLIENTS_PACKAGES)
	cp $^ $(CLIENTS_PACKAGES)
	cd $(CLIENTS_PACKAGES) && npm ci --silent --no-audit --no-fund
	touch $@

.PHONY: vendor
vendor: cli $(VENV)/.installed ## check translations against the vendors' own types
	POINTSMAN_BIN=target/cli/pointsman $(PYTHON) -m pytest --quiet tests/vendor

.PHONY: e2e
e2e: wasm cli ratelimit $(VENV)/.installed clients ## real Envoy, both topologies
	$(E2E) --envoy-version $(ENVOY)
	$(E2E) --envoy-version $(ENVOY_STATIC)
	$(E2E_CLIENTS) --envoy-version $(ENVOY)
	$(E2E_CLIENTS) --envoy-version $(ENVOY_STATIC)

.PHONY: istio
istio: wasm cli $(VENV)/.installed ## manifests against Istio's schemas, Envoy's types and real Envoy
	$(ISTIO)

.PHONY: clients
clients: $(CLIENTS_VENV)/.installed $(CLIENTS_PACKAGES)/.installed

.PHONY: e2e-matrix
e2e-matrix: wasm cli ratelimit $(VENV)/.installed ## real Envoy, every supported minor
	for version in $(ENVOY_MATRIX); do \
	    $(E2E) --envoy-version $$version; \
	done

.PHONY: faults
faults: wasm cli $(VENV)/.installed ## every declared fault, as clients see it; URL= asks another gateway
	PYTHONPATH=tests $(E2E_BUILDS) $(PYTHON) -m faults --envoy-version $(ENVOY) \
	    $(if $(URL),--url $(URL)) $(if $(MODEL),--model $(MODEL)) $(FAULTS)

$(CACHE)/venv-litellm/.installed: tests/faults/peers/requirements.txt
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(CACHE)/portkey/.installed: tests/faults/peers/package.json
	command -v npm > /dev/null || { $(call apt_install,nodejs npm); }
	mkdir -p $(@D)
	cp $< $(@D)
	cd $(@D) && npm install --silent --no-audit --no-fund --ignore-scripts
	touch $@

.PHONY: faults-peers
faults-peers: wasm cli $(VENV)/.installed $(CACHE)/venv-litellm/.installed $(CACHE)/portkey/.installed ## the same asked of LiteLLM and Portkey
	PYTHONPATH=tests $(E2E_BUILDS) $(PYTHON) -m faults.peers --own --litellm $(CACHE)/venv-litellm \
	    --portkey $(CACHE)/portkey --envoy-version $(ENVOY)

.PHONY: bench-decide
bench-decide: target-wasm ## what a decision costs, natively and in V8
	command -v node > /dev/null || { $(call apt_install,nodejs); }
	cargo run --quiet --profile cli --package pointsman-decide
	cargo build --quiet --release --package pointsman-decide --target wasm32-wasip1
	node --no-warnings tests/bench/decide/run.mjs target/wasm32-wasip1/release/pointsman-decide.wasm

.PHONY: bench-account
bench-account: target-wasm ## what accounting for a request costs, natively and in V8
	command -v node > /dev/null || { $(call apt_install,nodejs); }
	cargo run --quiet --profile cli --package pointsman-decide --bin pointsman-account
	cargo build --quiet --release --package pointsman-decide --bin pointsman-account --target wasm32-wasip1
	node --no-warnings tests/bench/decide/run.mjs target/wasm32-wasip1/release/pointsman-account.wasm

.PHONY: bench-exchange
bench-exchange: target-wasm ## what a request and a piece of a stream cost the core, natively and in V8
	command -v node > /dev/null || { $(call apt_install,nodejs); }
	cargo run --quiet --profile cli --package pointsman-decide --bin pointsman-exchange
	cargo build --quiet --release --package pointsman-decide --bin pointsman-exchange --target wasm32-wasip1
	node --no-warnings tests/bench/decide/run.mjs target/wasm32-wasip1/release/pointsman-exchange.wasm

.PHONY: chaos
chaos: wasm cli $(VENV)/.installed ## 20,000 requests to providers that each fail a fifth of the time
	for version in $(ENVOY) $(ENVOY_STATIC); do \
	    CHAOS=20000 $(E2E)/test_chaos.py -s --envoy-version $$version; \
	done

.PHONY: bench
bench: wasm ## what a request costs, against the same Envoy without the filter
	cargo build --quiet --release --package pointsman-noop --target wasm32-wasip1
	cargo bench --quiet --profile cli --bench gateway -- --envoy "$$(envoy/fetch.sh $(ENVOY))" $(BENCH)

.PHONY: examples
examples: cli ## write the reference, the JSON Schema and the rendered examples again
	target/cli/pointsman schema > examples/pointsman.schema.json
	target/cli/pointsman schema --format markdown > docs/configuration.md
	for example in examples/*/pointsman.yaml; do \
	    target/cli/pointsman render envoy $$example > $${example%/*}/envoy.yaml; \
	    target/cli/pointsman render envoy $$example --envoy 1.38 > $${example%/*}/envoy-1.38.yaml; \
	done
	cd examples/fleet && ../../target/cli/pointsman render limits pointsman.yaml > limits.yaml
	cd examples/fleet && ../../target/cli/pointsman render limits pointsman.yaml \
	    --format limitador > limits-limitador.yaml
	cd examples/istio && ../../target/cli/pointsman render istio pointsman.yaml \
	    --workload registry.example.com/pointsman:0.1.0 > gateway/manifests.yaml
	cd examples/istio && ../../target/cli/pointsman render istio pointsman.yaml \
	    --variant sidecar --namespace team-a > sidecar/manifests.yaml
	cd examples/istio && ../../target/cli/pointsman render istio pointsman.yaml \
	    --variant sidecar --namespace team-a --pods registry.example.com/pointsman:0.1.0 \
	    > sidecar/workload/pods.yaml
	mkdir -p examples/istio/helm/files
	cp examples/istio/sidecar/workload/pods.yaml examples/istio/helm/files/pods.yaml
	for variant in gateway sidecar; do \
	    cp examples/istio/$$variant/manifests.yaml examples/istio/helm/files/$$variant.yaml; \
	done

.PHONY: oci
oci: wasm ## the module as OCI images, with checksums, in target/oci
	python3 examples/istio/oci.py $(WASM) target/oci

.PHONY: clean
clean: ## remove what was built
	cargo clean
