"""Forecasts: time-lapses, the forecast table, the early-warning study, recalibration."""
