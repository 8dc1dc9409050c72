"""Files in the formats of microscope makers: CZI, ND2, LIF; needs the extra `vendors`."""
