"""Makes the guide's pictures anew: `.venv/bin/python docs/pictures.py` (about four minutes; it boots a virtual rack).

The pictures of the page are those of tests/rig/test_console.py, so each shows a state that a test has just found right;
those of the terminal are what the commands printed then. `--shots FOLDER` takes what such a run has left already.
`--print FILE.pdf` only lays out "What the lights and beeps mean" for a printer.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

import markdown  # type: ignore[import-untyped]  # comes with mkdocs
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

TOP = Path(__file__).resolve().parent.parent
GUIDE = TOP / "docs/guide"
PICTURES = GUIDE / "pictures"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LARGEST = 150_000
"""Bytes."""
SHOTS = (
    "first-login", "plan", "page", "live", "playback", "bay", "replace-1", "replace-3-wrong", "replace-4-foreign",
    "replace-5", "restore",
)
PAPER = """<!doctype html><meta charset="utf-8"><title>What the lights and beeps mean</title><style>
@page { size: A4; margin: 10mm 15mm; }
body { font: 10pt/1.25 "DejaVu Sans", sans-serif; } h1 { font-size: 17pt; margin: 0 0 2mm; }
h2 { font-size: 12pt; margin: 3.5mm 0 1.2mm; } p { margin: 1.5mm 0; } img { width: 100%; max-height: 38mm; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; }
th, td { border-bottom: .3mm solid #999; padding: .6mm 3mm .6mm 0; } code { font-size: 9.5pt; }
</style>"""


def printable() -> str:
    """The page for the door of the rack, as HTML for a printer."""
    text = (GUIDE / "lights-and-beeps.md").read_text()
    body = markdown.markdown(text, extensions=["tables"])
    return f'{PAPER}<base href="{GUIDE.as_uri()}/">{body}'


def print_page(file: Path) -> None:
    """Lays it out by Chromium."""
    with sync_playwright() as playwright, tempfile.NamedTemporaryFile(suffix=".html", dir=GUIDE) as page_file:
        Path(page_file.name).write_text(printable())
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = chromium.new_page()
        page.goto(Path(page_file.name).as_uri())
        page.pdf(path=file, prefer_css_page_size=True)
        chromium.close()


def take(folder: Path) -> None:
    """Plays the story on a rack, and keeps its pictures. Raises CalledProcessError when it does not hold."""
    story = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/rig/test_console.py"]
    subprocess.run(story, cwd=TOP, env={**os.environ, "RACKEYE_SHOTS": str(folder)}, check=True)


def terminal(folder: Path) -> None:
    """What the commands printed, as a terminal shows it: NAME.ansi becomes terminal-NAME.png."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = chromium.new_page(device_scale_factor=1)
        for said in sorted(folder.glob("*.ansi")):
            lines = said.read_text().rstrip().splitlines()
            width = max(len(Text.from_ansi(line).plain) for line in lines)
            screen = Console(record=True, width=width + 1, file=StringIO(), force_terminal=True)
            screen.print(Text.from_ansi("\n".join(lines)), soft_wrap=True)
            html = screen.export_html(theme=MONOKAI, inline_styles=True)
            page.set_content(html)
            page.add_style_tag(content="body { margin: 0 } pre { margin: 0; padding: 14px; display: inline-block; "
                               "font: 13px/1.25 'DejaVu Sans Mono', monospace !important; background: #0c0c0c; }")
            page.locator("pre").screenshot(path=folder / f"terminal-{said.stem}.png")
        chromium.close()


def keep(source: Path) -> None:
    """With 96 colours, and not too large for a page to load. Raises SystemExit when it is all the same."""
    target = PICTURES / source.name
    graph = "split[a][b];[a]palettegen=max_colors=96:stats_mode=full[p];[b][p]paletteuse=dither=none"
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), "-vf", graph, "-compression_level", "100",
               "-pred", "mixed", str(target)]
    subprocess.run(command, check=True)
    if target.stat().st_size > LARGEST:
        sys.exit(f"{target} has {target.stat().st_size} bytes; {LARGEST} are allowed.")
    print(f"{target.relative_to(TOP)}: {target.stat().st_size / 1000:.0f} kB")  # noqa: T201 -- a tool


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=Path, help="a folder that a run of the test has filled")
    parser.add_argument("--print", type=Path, metavar="FILE.pdf", dest="paper", help="only the page to print")
    args = parser.parse_args()
    if args.paper:
        print_page(args.paper)
        return
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = args.shots or Path(made)
        if not args.shots:
            take(folder)
        terminal(folder)
        for source in (*(folder / f"{name}.png" for name in SHOTS), *sorted(folder.glob("terminal-*.png"))):
            keep(source)


if __name__ == "__main__":
    main()
