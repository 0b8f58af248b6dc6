"""The blinded reader study: protocol, stimuli, schedule, session, store, bundles, statistics and report."""
