"""Profiles, where files live, secrets."""
