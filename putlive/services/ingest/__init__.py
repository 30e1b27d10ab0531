"""Who publishes: decisions, the table of inputs, keys, channels, keepers."""
