"""Takes a picture of a report: tools/screenshot_report.py build/report/index.html handouts/figures/report.png"""

import argparse
import io
import sys
from pathlib import Path

from devtools import Page, drivable_browser
from PIL import Image


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="the HTML report")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels")
    parser.add_argument("--height", type=int, help="of the picture; default: the whole page")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    options = parser.parse_args()
    browser = drivable_browser()
    if browser is None:
        print("no Chromium to take the picture with: apt-get install chromium", file=sys.stderr)
        return 2
    with Page(browser) as page:
        page.open(options.page, options.width, options.scheme)
        shot = page.screenshot(options.height)
    # A palette is a third of the size, and these pages have few colours.
    picture = Image.open(io.BytesIO(shot)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    picture.save(options.picture, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
