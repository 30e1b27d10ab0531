"""Stories: what PutLive does, told with rules and ports only."""
