"""The demo's story: a founder's small project, as the scripted model builds it."""

from cofounder.testing.story.project import FILES
from cofounder.testing.story.script import IDEA, PLAN, QNA, story

__all__ = ["FILES", "IDEA", "PLAN", "QNA", "story"]
