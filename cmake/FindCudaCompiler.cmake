# Finds nvcc (13 or newer) and the CUDA headers, on PATH or in the project's .venv (the compiler's PyPI wheels).
#   CUDA_NVCC          the compiler
#   CudaCompiler::headers   interface target with the include directory of cuda_runtime_api.h
file(GLOB _venv_nvcc ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/nvidia/cu13/bin)
find_program(CUDA_NVCC nvcc HINTS ${_venv_nvcc} PATHS /usr/local/cuda/bin)
if(CUDA_NVCC)
  execute_process(COMMAND ${CUDA_NVCC} --version OUTPUT_VARIABLE _nvcc_text)
  if(_nvcc_text MATCHES "release ([0-9]+\\.[0-9]+)")
    set(CUDA_NVCC_VERSION ${CMAKE_MATCH_1})
  endif()
  file(REAL_PATH ${CUDA_NVCC} _nvcc_real)
  cmake_path(GET _nvcc_real PARENT_PATH _bin)
  cmake_path(GET _bin PARENT_PATH _root)
  find_path(CUDA_INCLUDE_DIR cuda_runtime_api.h
            HINTS ${_root}/include ${_root}/targets/x86_64-linux/include NO_DEFAULT_PATH)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CudaCompiler REQUIRED_VARS CUDA_NVCC CUDA_INCLUDE_DIR
                                  VERSION_VAR CUDA_NVCC_VERSION)
if(CudaCompiler_FOUND AND NOT TARGET CudaCompiler::headers)
  add_library(CudaCompiler::headers INTERFACE IMPORTED)
  target_include_directories(CudaCompiler::headers SYSTEM INTERFACE ${CUDA_INCLUDE_DIR})
endif()
