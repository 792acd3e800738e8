"""Take docs/images/asset-graph.png again, from a `dp ui` that is running.

    make ui  # in another terminal, after make demo
    .venv/bin/python docs/images/make.py --url http://127.0.0.1:3000

Needs Debian's chromium (or --chromium PATH); nothing is downloaded.
"""

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

from playwright.sync_api import FloatRect, Page, sync_playwright

PICTURE = Path(__file__).with_name("asset-graph.png")
# The tables that the inventory discovered are one node per table in any lakehouse.
SELECTION = 'not group:"tables"'
GROUPS = "{ assetNodes { groupName } }"
# The page draws every asset and every frame of a group into a foreignObject.
BOUNDS = """
() => [...document.querySelectorAll("svg foreignObject")]
  .map(e => e.getBoundingClientRect()).filter(r => r.width > 0)
  .map(r => [r.left, r.top, r.right, r.bottom])
"""
# Everything beside the graph: menus, search, zoom.
ALONE = """
() => {
  const graph = document.querySelector("svg:has(foreignObject)");
  for (let e = graph; e.parentElement; e = e.parentElement)
    for (const other of e.parentElement.children)
      if (other !== e && other.style) other.style.visibility = "hidden";
}
"""
MARGIN_PX = 20


def main() -> None:
    """Read the command line, take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1800, "height": 1700}, device_scale_factor=2)
        page.goto(graph_url(asked.url))
        page.wait_for_load_state("networkidle")
        page.wait_for_function("() => !document.body.innerText.includes('Loading')")
        page.evaluate(ALONE)
        page.screenshot(path=PICTURE, clip=bounds(page))
        browser.close()
    sys.stdout.write(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes\n")


def graph_url(base: str) -> str:
    """The page of the asset graph with every group open."""
    request = Request(  # noqa: S310 - an address that the caller typed
        f"{base}/graphql",
        data=json.dumps({"query": GROUPS}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request) as answer:  # noqa: S310
        nodes = json.load(answer)["data"]["assetNodes"]
    groups = sorted({node["groupName"] for node in nodes})
    opened = ",".join(f"global@global:{group}" for group in groups)
    return f"{base}/asset-groups~{quote(SELECTION, safe='')}?expanded={quote(opened)}"


def bounds(page: Page) -> FloatRect:
    """The rectangle that holds the whole graph, with a margin."""
    boxes = page.evaluate(BOUNDS)
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    left, top = min(lefts) - MARGIN_PX, min(tops) - MARGIN_PX
    return {
        "x": left,
        "y": top,
        "width": max(rights) + MARGIN_PX - left,
        "height": max(bottoms) + MARGIN_PX - top,
    }


if __name__ == "__main__":
    main()
