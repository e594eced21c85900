"""Take the README's figure out of lesson 3: ``python docs/make_figures.py``."""

import base64
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def recall_figure() -> bytes:
    """Return the PNG that lesson 3's cell ``memory-figure`` shows."""
    lesson = json.loads((ROOT / "notebooks" / "03_bptt.ipynb").read_text(encoding="utf-8"))
    (cell,) = (cell for cell in lesson["cells"] if cell["id"] == "memory-figure")
    (image,) = (o["data"]["image/png"] for o in cell["outputs"] if "image/png" in o.get("data", {}))
    return base64.b64decode("".join(image))


if __name__ == "__main__":
    (ROOT / "docs" / "recall.png").write_bytes(recall_figure())
