"""What `make site` is made of: stored notebooks and docs become pages that need no server."""
