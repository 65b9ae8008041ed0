"""Packages: the tree that students get, and what the platforms that grade run."""
