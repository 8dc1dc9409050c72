"""Alert rules: one state machine, and observations of wells, plates and the monitor."""
