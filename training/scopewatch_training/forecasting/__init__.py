"""What comes of a well later on: time-lapses, the forecast table, the early warning."""
