"""Everything on disk: mirror, search, queues, pairs, conflicts, audit, cache."""
