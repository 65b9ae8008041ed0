// A fuzz target: one function that takes any bytes. libFuzzer calls it with inputs of its own
// (FLASHLAB_SANITIZE=fuzzer), replay.cpp with those of corpus/.
#pragma once

#include <cstddef>
#include <cstdint>

/// Returns 0. What it must not do with any input: crash, hang, throw, touch memory that is not its
/// own.
// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
