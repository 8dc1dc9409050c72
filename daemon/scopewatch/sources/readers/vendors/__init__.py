"""Readers of vendor formats: CZI, ND2, LIF; they need the extra `vendors`."""
