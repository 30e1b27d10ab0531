"""HTTP outwards: the nginx front, its log, and the daemon's own listeners."""
