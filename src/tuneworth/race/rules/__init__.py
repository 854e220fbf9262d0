"""What the schedule of a race decides by; `tuneworth.race.schedule` has the rules in short."""
