"""The Anthropic Messages API behind `ports.model.Model`."""

from cofounder.adapters.anthropic.model import AnthropicModel

__all__ = ["AnthropicModel"]
