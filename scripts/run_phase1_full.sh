#!/bin/sh
# All of phase 1; the arguments are those of manage.py run_phase1_full.
cd "$(dirname "$0")/.." && exec "${PYTHON:-.venv/bin/python}" manage.py run_phase1_full "$@"
