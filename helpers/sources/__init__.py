"""What real sources need beyond the bridge: handles, tables, texts, live streams, bad items."""
