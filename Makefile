# The menu. What a target does stands in scripts/ and xtask/, so that it can be run without make.
.DEFAULT_GOAL := help
.PHONY: help setup demo workbench test bench assure docs package vectors fix clean

help: ## show this menu
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

setup: ## install what is missing, or say what is and how to get it
	@scripts/bootstrap.sh

demo: ## real rows, sealed in Python and Node, rotated and resealed
	@scripts/demo.sh

workbench: ## the page to inspect values, make keys and count an export, on this machine only
	@scripts/workbench.sh

test: ## everything that has to pass before a commit; ONLY="rust py" runs some suites
	@scripts/test.sh $(ONLY)

bench: ## the speed table, with its peers in the same run; ONLY="jobs" runs some programs
	@scripts/bench.sh $(ONLY)

assure: ## the long checks: fuzzing for minutes, a million iterations; ONLY="memory" runs some
	@scripts/assure.sh $(ONLY)

docs: ## build the documentation and run its code blocks
	@scripts/docs.sh

package: ## wheel, sdist, npm tarball, crates and the folder of the workbench, in dist/
	@scripts/package.sh

vectors: ## run spec/vectors in every language; FILES="a.json b.json" runs others
	@scripts/vectors.sh $(FILES)

fix: ## format, and mend what the linters can mend
	@scripts/fix.sh

clean: ## remove everything that was built or installed here
	@rm -rf target dist .venv wasm/dist wasm/pkg wasm/pkg-slim wasm/pkg-cli wasm/node_modules wasm/README.md wasm/LICENSE-* js-tests/node_modules js-tests/consumers/*/node_modules examples/demo/node_modules
