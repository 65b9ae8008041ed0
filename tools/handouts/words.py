"""The words inside the pictures, in every language."""

Words = dict[str, str]

WORDS: dict[str, Words] = {
    "en": {
        "naive": "naive attention",
        "tiled": "tiled attention",
        "flash": "flash, tensors once",
        "device_memory": "device memory",
        "chip": "on the chip",
        "tiles": "tiles",
        "keys": "keys",
        "queries": "queries",
        "step": "step {}",
        "fa1_walk": "FlashAttention-1: the tile of keys stays, the queries pass by; then the next keys",
        "fa2_walk": "FlashAttention-2: the tile of queries stays, the keys pass by; rows of tiles run side by side",
        "maximum": "m, the maximum so far",
        "scores": "scores",
        "sum_l": "ℓ, with the maximum taken off",
        "raw_sum": "Σ exp(s), without",
        "tile": "tile",
        "rows_of_tile": "rows of the tile (N = 4096, d = 64)",
        "mb_per_head": "MB per head",
        "bytes_per_head": "memory per head",
        "intensity": "operations per byte of device memory",
        "again": "computed again, tile by tile",
        "results": "results",
    },
    "zh": {
        "naive": "朴素注意力",
        "tiled": "分块注意力",
        "flash": "flash，各张量一次",
        "device_memory": "设备内存",
        "chip": "芯片上",
        "tiles": "块",
        "keys": "键",
        "queries": "查询",
        "step": "第 {} 步",
        "fa1_walk": "FlashAttention-1：键块留住，查询逐块经过；然后换下一块键",
        "fa2_walk": "FlashAttention-2：查询块留住，键逐块经过；各行并行进行",
        "maximum": "m，当前最大值",
        "scores": "分数",
        "sum_l": "ℓ，减去最大值",
        "raw_sum": "Σ exp(s)，不减",
        "tile": "块",
        "rows_of_tile": "块的行数（N = 4096，d = 64）",
        "mb_per_head": "每个头的 MB",
        "bytes_per_head": "每个头的内存",
        "intensity": "每字节设备内存的运算次数",
        "again": "逐块重新计算",
        "results": "结果",
    },
}


def words_of(language: str) -> Words:
    """The words of one language."""
    return WORDS[language]
