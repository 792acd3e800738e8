"""Measured claims about speed and memory; ``make bench`` runs them all.

Each case builds its own data, runs ours and the peer in the same run, every side in a fresh
process, the rounds shuffled after a warm-up, and prints the ratios, the losing ones too. What is
measured depends on the machine and on what else it does; nothing here is a timed test.
"""
