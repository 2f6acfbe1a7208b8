"""Working days, durations, due dates and the rules that start instances by the calendar; all of it pure."""
