"""What viewers get: the source measured, rungs, preview, viewers, history."""
