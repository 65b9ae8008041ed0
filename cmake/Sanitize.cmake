# -DFLASHLAB_SANITIZE=address,undefined | thread instruments everything that is compiled here (tools/sanitize.sh); fuzzer
# prepares the targets of tests/vgpu/fuzz for libFuzzer and needs clang (tools/fuzz.sh). A finding ends the program.
set(FLASHLAB_SANITIZE "" CACHE STRING "address,undefined, thread or fuzzer; empty: none")
if(FLASHLAB_SANITIZE STREQUAL "fuzzer")
  set(_sanitizers address,undefined,fuzzer-no-link)
else()
  set(_sanitizers ${FLASHLAB_SANITIZE})
endif()
if(_sanitizers)
  set(CMAKE_CXX_FLAGS_RELEASE "-O1")
  # Programs may pass any number where the CUDA runtime takes an enum, and are told so by an error code.
  add_compile_options(-fsanitize=${_sanitizers} -fno-sanitize=enum -fno-sanitize-recover=all)
  add_compile_options(-fno-omit-frame-pointer -g1)
  # Instrumented loops need not vectorise.
  add_compile_options($<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>)
  # GCC 12 with instruments takes parts of std::regex for uninitialised. It also warns of every fence, which the thread
  # sanitizer does not know: what ours order are atomic variables, which never count as a race.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  add_link_options(-fsanitize=${_sanitizers})
endif()
