# Everything that people and CI do with this checkout. `make up` is the main one.
PYTHON ?= python3
STACK ?= local
RUN := .venv/bin/python
# Ansible's tools look for each other on PATH, and keep what they like to keep out of the home folder and the checkout.
ANSIBLE = PATH="$(realpath .venv)/bin:$$PATH" ANSIBLE_HOME="$${XDG_CACHE_HOME:-$$HOME/.cache}/ai-datacenter/ansible"
# Half of their time these tests wait: three at once on two cores.
REAL := $(RUN) -m pytest -q -rs -n 3 --dist loadfile --no-loadscope-reorder
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup setup-machines doctor up down check docs unit real hosts test bench molecule soak clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## make the environment, Go, etcd and Kubernetes, all under the cache; nothing is installed on this machine
	@$(PYTHON) -m setup

setup-machines:  ## the same, and as root what nodes need to be machines: Debian packages, which it installs, and images
	@$(PYTHON) -m setup --machines

doctor:  ## what this machine lacks, and how to get it; makes and installs nothing
	@if [ -x $(RUN) ]; then bin/aidc doctor; else $(PYTHON) -m setup --tell; fi

up: setup-machines  ## bring the data centre up on this machine and train a model on it
	@bin/aidc up --stack $(STACK)

down:  ## remove it: every process, machine, network, port and file outside the caches
	@if [ -x $(RUN) ]; then $(RUN) -m operations.down; else echo "Nothing is up: there is no environment."; fi

check: setup  ## lint, format and types: no finding
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m pyright
	@$(ANSIBLE) $(RUN) -m ansiblelint -q playbooks

docs: setup  ## write what is made from the code: the catalogue's page, the stack file's page and schema
	@$(RUN) -m reference

unit: setup  ## the fast tests: no root, no network, no built programs
	@$(RUN) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not real and not hosts and not cli and not soak"

real: setup  ## the tests that start what is real and takes its time, and those with the Pulumi CLI where it is on PATH
	@$(REAL) -m "(real or cli) and not hosts and not soak"

hosts: setup-machines  ## the tests that boot machines; they skip, with the reason, where machines cannot run
	@$(RUN) -m pytest -q -rs -m "hosts and not soak"

test: check unit setup-machines  ## everything that must hold before a change is taken; real and hosts side by side
	@$(REAL) -m "(real or cli or hosts) and not soak"

bench: setup-machines  ## measure, and write docs/benchmarks.md; ONLY=machines or ONLY=engine renews those alone
	@$(RUN) -m benchmarks $(ONLY)

molecule: setup  ## the playbooks on machines of their own (as root, after `make setup-machines`)
	@$(RUN) -m pytest -q -rs -p no:cacheprovider --timeout=1200 -m soak tests/playbooks/test_molecule.py

soak: setup  ## what takes long: kills at random moments (those of machines after `make setup-machines`)
	@$(RUN) -m pytest -q -rs -m soak -p no:cacheprovider --timeout=3600

clean: down  ## down, the images of machines, and what tools left in the checkout; the other caches stay
	@rm -rf .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
	@if [ -x $(RUN) ]; then $(RUN) -m operations.clean; fi
