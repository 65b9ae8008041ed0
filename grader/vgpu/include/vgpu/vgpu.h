/* What libcudart.so.13 of the virtual GPU offers beyond the CUDA runtime API. A harness looks these
 * up with dlsym: when they are absent, the library that is loaded is NVIDIA's and the device is
 * real. */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface: 1. */
int vgpuVersion(void);

/* Forgets all launch records, and sets the peaks of memory to what is allocated now. A fault
 * stays in the report: it has ended the process's use of the device. */
void vgpuReset(void);

/* The launches and errors since the last vgpuReset as JSON text:
 *   {"launches": [ {kernel, grid, block, global_load_requests, ...} ], "findings": [ {"kind":
 * "race", "report": "..."} ], "fault": null | {"code": "...", "report": "..."},
 *    "peak_device_bytes": n, "device_bytes": n, "peak_host_mapped_bytes": n, "module_bytes": n,
 *    "host_copy_bytes": n, "resets": n}
 * README.md, "Counts", says what is counted; `resets` are the calls of vgpuReset in this process,
 * so that a harness sees when somebody else has made one. Registers and occupancy come from ptxas,
 * which the first report of a module's launches runs; they are null when there is none, and with
 * VGPU_PTXAS=none in the environment. Copies at most `capacity` bytes with a final NUL and returns
 * the full length without the NUL. */
size_t vgpuReport(char* buffer, size_t capacity);

/* Names the allocation that starts at `pointer`, for error reports ("`O`"). Returns 0, or 1 when
 * there is none. */
int vgpuNameBuffer(const void* pointer, const char* name);

/* Takes `bytes` of device memory at `pointer` for never written, whatever they hold: the check
 * `uninitialised` then reports kernels that read them, as after cudaMalloc. A harness that fills
 * memory with a pattern calls it afterwards. */
void vgpuForgetWrites(const void* pointer, size_t bytes);

/* Limits each later launch to `seconds` of wall time (0: none); a launch beyond it ends with
 * cudaErrorLaunchTimeout and a report that names the source line it was at. */
void vgpuSetLaunchTimeout(double seconds);

#ifdef __cplusplus
}
#endif
