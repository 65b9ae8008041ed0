"""Chinese texts use the punctuation of Chinese: no ASCII comma, colon or parenthesis beside a Chinese character."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHINESE = "[\u4e00-\u9fff\u3001\u3002\uff08-\uff1f\u201c\u201d]"
WRONG = re.compile(rf"{CHINESE}[,;:?!()]|[,;:?!()]{CHINESE}")
NOT_PROSE = re.compile(
    r"```.*?```|<!--.*?-->|`[^`\n]+`|<[^>\n]+>|\]\([^)]*\)|\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL
)
FILES = [
    *sorted((ROOT / "handouts/zh").glob("*.md")),
    *sorted(
        path
        for part in ("handouts/quiz", "solutions/quiz", "solutions/rubrics")
        for path in (ROOT / part).glob("*.toml")
    ),
    ROOT / "labs/AGENTS.md",
]


def wrong(text: str, toml: bool = False) -> list[str]:
    """The places with a few characters around each; of TOML only the strings called zh count."""
    if toml:
        text = "\n".join(re.findall(r'\bzh = "((?:[^"\\]|\\.)*)"', text))
    prose = NOT_PROSE.sub("~", text)
    return [prose[max(0, m.start() - 8) : m.end() + 8] for m in WRONG.finditer(prose)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_punctuation(path):
    text = path.read_text(encoding="utf-8")
    assert re.search("[\u4e00-\u9fff]", text)
    assert wrong(text, path.suffix == ".toml") == []


def test_what_is_wrong_is_seen():
    assert len(wrong("\u5757,\u884c (tile)\u7684 `a,\u884c` $x$, y")) == 2
    assert len(wrong('en = "a"\nzh = "\u5757:\u884c"\n# \u5757,\u884c', toml=True)) == 1
