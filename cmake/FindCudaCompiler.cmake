# Finds nvcc (13 or newer) and the CUDA headers in the places where tools/setup.sh looks, in the same order: PATH, the
# project's .venv (the compiler's PyPI wheels), /usr/local/cuda. -DCUDA_NVCC=... goes before all of them.
#   CUDA_NVCC               the compiler
#   CUDA_TOOLKIT            the toolkit's folder: bin/ptxas
#   CudaCompiler::headers   interface target with the include directory of cuda_runtime_api.h
# Nothing is cached: a toolkit that came or went is noticed at the next configuration.
file(GLOB _venv_nvcc ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/nvidia/cu13/bin/nvcc)
find_program(_path_nvcc nvcc NO_CACHE)
foreach(_nvcc IN ITEMS ${CUDA_NVCC} ${_path_nvcc} ${_venv_nvcc} /usr/local/cuda/bin/nvcc)
  if(NOT EXISTS ${_nvcc})
    continue()
  endif()
  execute_process(COMMAND ${_nvcc} --version OUTPUT_VARIABLE _nvcc_text ERROR_QUIET)
  if(_nvcc_text MATCHES "release ([0-9]+\\.[0-9]+)" AND CMAKE_MATCH_1 VERSION_GREATER_EQUAL 13)
    set(CUDA_NVCC ${_nvcc})
    set(CUDA_NVCC_VERSION ${CMAKE_MATCH_1})
    # nvcc itself says where its toolkit is; the one on PATH may be a wrapper that lies elsewhere.
    execute_process(COMMAND ${_nvcc} --dryrun -x cu -c /dev/null ERROR_VARIABLE _nvcc_text)
    string(REGEX MATCH "TOP=([^\n]*)" _nvcc_text "${_nvcc_text}")
    cmake_path(SET CUDA_TOOLKIT NORMALIZE "${CMAKE_MATCH_1}")
    find_path(CUDA_INCLUDE_DIR cuda_runtime_api.h NO_CACHE NO_DEFAULT_PATH
              HINTS ${CUDA_TOOLKIT}/include ${CUDA_TOOLKIT}/targets/${CMAKE_SYSTEM_PROCESSOR}-linux/include)
    break()
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CudaCompiler REQUIRED_VARS CUDA_NVCC_VERSION CUDA_NVCC CUDA_INCLUDE_DIR
                                  VERSION_VAR CUDA_NVCC_VERSION
                                  REASON_FAILURE_MESSAGE "no nvcc 13 or newer: run \"make setup\"")
if(CudaCompiler_FOUND AND NOT TARGET CudaCompiler::headers)
  add_library(CudaCompiler::headers INTERFACE IMPORTED)
  target_include_directories(CudaCompiler::headers SYSTEM INTERFACE ${CUDA_INCLUDE_DIR})
endif()
