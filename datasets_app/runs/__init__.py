"""Runs of phase 1 in a worker: started, watched, cancelled and resumed by people."""
