"""A user's own models and front ends, which experiments name as "module:name"."""
