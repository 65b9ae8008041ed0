"""What a sweep measures: shapes, the presets that repeat published ones, and what a shape means to an entry point."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from flashlab.errors import UsageError

KIB = 1024
KEYS_PER_PART = 64  # lab 2 merges what tiles of so many keys leave for each row


@dataclass(frozen=True)
class Shape:
    """One attention problem on [batch, heads, seq, head_dim], as many keys as queries."""

    batch: int
    heads: int
    seq: int
    head_dim: int
    causal: bool = False

    @property
    def work(self) -> int:
        """What the cost of measuring grows with: the elements of S times d."""
        return self.batch * self.heads * self.seq**2 * self.head_dim

    def operations(self, *, backward: bool) -> float:
        """Floating-point operations by the usual count (Dao 2023, section 4.1): 4 N^2 d per head, half of that
        causal, 2.5 times that backward, whatever a kernel really does.
        """
        return 4 * self.work / (2 if self.causal else 1) * (2.5 if backward else 1)

    def __str__(self) -> str:
        sizes = f"{self.batch}x{self.heads}x{self.seq}x{self.head_dim}"
        return f"{sizes} causal" if self.causal else sizes


@dataclass(frozen=True)
class Entry:
    """A function of a lab and the kind of its signature, as lab.toml names them."""

    name: str
    kind: str

    @property
    def takes_mask(self) -> bool:
        """Whether causal shapes mean anything to it."""
        return self.kind in ("attention_forward_lse", "attention_backward")

    @property
    def is_attention(self) -> bool:
        """Whether it computes attention or its gradient; lab 2's functions work on rows of scores."""
        return self.kind.startswith("attention")

    @property
    def backward(self) -> bool:
        """Whether it computes gradients."""
        return self.kind == "attention_backward"

    def request(self, shape: Shape) -> dict[str, Any]:
        """The shape as the measuring program reads it. Lab 2 gets the rows of S, or their parts, as rows."""
        if self.is_attention:
            sizes = {
                "batch": shape.batch,
                "heads": shape.heads,
                "seq_q": shape.seq,
                "seq_k": shape.seq,
                "head_dim": shape.head_dim,
            }
        else:
            merges = self.kind == "merge_states"
            sizes = {
                "batch": 1,
                "heads": 1,
                "seq_q": shape.batch * shape.heads * shape.seq,
                "seq_k": -(-shape.seq // KEYS_PER_PART) if merges else shape.seq,
                "head_dim": shape.head_dim if merges else 1,
            }
        mask = shape.causal and self.takes_mask
        return {"entry": self.name, **sizes, "causal": mask, "scale": None}


@dataclass(frozen=True)
class Preset:
    """Shapes under a name."""

    about: str
    shapes: tuple[Shape, ...]


def _tokens(head_dim: int, causal: bool) -> Iterable[Shape]:
    """16 Ki tokens and a hidden size of 2048, however long the sequences are."""
    for seq in (512, 1024, 2048, 4096, 8192, 16384):
        yield Shape(16384 // seq, 2048 // head_dim, seq, head_dim, causal)


PRESETS = {
    "quick": Preset(
        "one head, N = 128 to 1024: a minute on a laptop",
        tuple(Shape(1, 1, seq, 64) for seq in (128, 256, 512, 1024)),
    ),
    "seeds": Preset(
        "times at 1x256x64, 2x512x64 and 4x1024x64 (batch x N x d), memory at 1x512x64 and 2x1024x64,"
        " growth from N = 1K to 32K",
        (
            *(Shape(batch, 1, seq, 64) for batch, seq in ((1, 256), (2, 512), (4, 1024))),
            *(Shape(batch, 1, seq, 64) for batch, seq in ((1, 512), (2, 1024))),
            *(Shape(1, 1, kibi * KIB, 64) for kibi in (1, 2, 4, 8, 16, 32)),
        ),
    ),
    "paper": Preset(
        "Dao 2023, figures 4 and 5: 16K tokens, hidden size 2048, d = 64 and 128, N = 512 to 16K, with and"
        " without mask; and the shape of Dao et al. 2022, figure 2: 64x16x1024x64",
        (
            *(
                shape
                for d, causal in product((64, 128), (False, True))
                for shape in _tokens(d, causal)
            ),
            Shape(64, 16, 1024, 64),
        ),
    ),
}


def preset_shapes(name: str) -> tuple[Shape, ...]:
    """The shapes of a preset."""
    if name not in PRESETS:
        raise UsageError(f"unknown preset '{name}'; the presets are: {', '.join(PRESETS)}")
    return PRESETS[name].shapes


def numbers(text: str, option: str) -> tuple[int, ...]:
    """Positive numbers from "256,512,1K"; `option` names them in the error."""
    found = []
    for word in text.split(","):
        digits, factor = (word[:-1], KIB) if word[-1:] in ("k", "K") else (word, 1)
        if not digits.strip().isdecimal() or int(digits) == 0:
            raise UsageError(f"{option} {text}: '{word}' is no size; give sizes as in 256,512,1K")
        found.append(int(digits) * factor)
    return tuple(dict.fromkeys(found))


def grid(
    batch: str, heads: str, seq: str, head_dim: str, causal: tuple[bool, ...]
) -> tuple[Shape, ...]:
    """Every combination of the sizes that the command line lists."""
    axes = (
        numbers(batch, "--batch"),
        numbers(heads, "--heads"),
        numbers(seq, "--n"),
        numbers(head_dim, "--d"),
    )
    return tuple(Shape(*sizes, mask) for *sizes, mask in product(*axes, causal))
