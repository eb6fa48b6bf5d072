"""Custom models and front ends. Experiments name them as "module:name"."""
