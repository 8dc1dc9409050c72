"""The microscope itself: cores of Micro-Manager, the bridge to one, and pycro-manager's engine."""
