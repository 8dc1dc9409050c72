"""How the operator hears of an alert: channels and the delivery that never gives up early."""
