"""Redis or Valkey: the mirror of hot state, and the bus between processes. Both optional."""

from cofounder.adapters.redis.bus import RedisBus
from cofounder.adapters.redis.connection import RedisConnection, reachable
from cofounder.adapters.redis.hot_state import RedisHotState

__all__ = ["RedisBus", "RedisConnection", "RedisHotState", "reachable"]
