"""Look at a page, with a browser inside the sandbox."""

import base64
from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import (
    Replay,
    Snapshot,
    ToolContext,
    ToolInput,
    ToolOutcome,
)
from cofounder.domain.transcript import Image
from cofounder.ports.sandbox import Command, CommandResult

# The first browser that the sandbox has; the page comes from the workspace, never from a
# host, and the browser itself runs inside, where it can read nothing else.
_SCRIPT = """
browser=$(command -v chromium || command -v google-chrome) || exit 127
exec "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
  --hide-scrollbars --user-data-dir=/tmp/browser --window-size="$3" --screenshot="$2" \
  --virtual-time-budget=2000 "file://$PWD/$1"
"""


# Providers refuse pictures of more than 5 MB in base64, and refuse one that was cut off: it
# would stay in the conversation and spoil every later call.
_LIMIT_BYTES = 3_700_000
_PNG_END = b"IEND\xaeB`\x82"


class TakeScreenshotInput(ToolInput):
    """Size in pixels."""

    path: str = Field(description="HTML file to show, relative to the workspace.")
    width: int = Field(default=1280, ge=200, le=2000)
    height: int = Field(default=800, ge=200, le=2000)


class TakeScreenshot:
    """Keeps the picture in the workspace and shows it to the model."""

    name: ClassVar[str] = "take_screenshot"
    description: ClassVar[str] = "Take a picture of an HTML file in a browser, and look at it."
    replay: ClassVar[Replay] = Replay.RERUN
    Input: ClassVar[type[ToolInput]] = TakeScreenshotInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Take it, or say what is missing."""
        assert isinstance(raw, TakeScreenshotInput)
        label = f"Screenshot of {raw.path}"
        await context.workspace.read(raw.path, limit_bytes=1)
        shot = f".cofounder/screenshots/{context.use_id}.png"
        await context.workspace.write(shot, b"")
        size = f"{raw.width},{raw.height}"
        result = await context.workspace.run(
            Command(argv=("bash", "-c", _SCRIPT, "shot", raw.path, shot, size), timeout_s=60)
        )
        png = await context.workspace.read(shot)
        reason = _why_not(result, png)
        if reason is not None:
            return ToolOutcome(text=reason, label=label, summary="no picture", is_error=True)
        return ToolOutcome(
            text=f"The picture is kept in {shot}.",
            label=label,
            summary=f"{raw.width} x {raw.height}",
            image=Image(png_base64=base64.b64encode(png).decode()),
            effects=(Snapshot(path=shot),),
        )


def _why_not(result: CommandResult, png: bytes) -> str | None:
    """Why there is nothing to show; None when there is."""
    if result.exit_code == 127:
        return "There is no browser in the sandbox; check the page in another way."
    if len(png) > _LIMIT_BYTES:
        return "The picture is too large to be shown; take a smaller one."
    if not png.endswith(_PNG_END):
        return result.output.decode(errors="replace")[-2000:] or "The browser gave no picture."
    return None
