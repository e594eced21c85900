"""Hold the prose of the Japanese lessons and of README.ja.md to textlint's technical preset.

    python tests/lint_japanese.py    needs npm, which fetches textlint once; findings name the cell

What exceptions there are, and why, says ``locale/ja/textlint.yml``.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from translate import FORMULA, HTML

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "textlint"
PACKAGES = ["textlint@15.8.0", "textlint-rule-preset-ja-technical-writing@12.0.2"]


def prose(text: str) -> str:
    """Return Markdown that textlint understands.

    Formulas are code, which it leaves alone; what one unfolds is a heading; a caption stands
    without the marks around it, which would make one sentence of it. Papers in a list, and links to
    the lessons before and after, are none.
    """
    text = re.sub(r"<summary>(.*?)</summary>", r"\n\n#### \1", FORMULA.sub("`x`", text))
    text = re.sub(r"^(- .*\(\d{4}\).*|.*\[[^]]*→\]\([^)]*\))$", "", text, flags=re.MULTILINE)
    return re.sub(r"^\*([^*].*)\*$", r"\1", HTML.sub("", text), flags=re.MULTILINE)


def pages() -> dict[str, str]:
    """Return the prose by name of the page, each cell below its name."""
    readme = (ROOT / "README.ja.md").read_text(encoding="utf-8")
    found = {"README.ja.md": prose(readme)}
    for path in sorted((ROOT / "notebooks" / "ja").glob("*.ipynb")):
        texts = [
            f"<!-- cell {cell.id} -->\n\n{prose(cell.source)}\n"
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "markdown"
        ]
        found[f"{path.stem}.md"] = "\n".join(texts)
    return found


def main() -> None:
    """Write the pages to build/textlint/, and let textlint read them."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("This needs npm, which comes with Node.js.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "package.json").write_text("{}")
    if not (FOLDER / "node_modules").exists():
        subprocess.run([npm, "install", "--silent", *PACKAGES], cwd=FOLDER, check=True)
    made = pages()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    config = ROOT / "locale" / "ja" / "textlint.yml"
    command = [npm, "exec", "--", "textlint", "--config", str(config), "--format", "unix", *made]
    sys.exit(subprocess.run(command, cwd=FOLDER).returncode)


if __name__ == "__main__":
    main()
