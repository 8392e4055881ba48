"""The guard in front of every route, and the room's own routes."""
