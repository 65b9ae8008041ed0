// Sparse matrix times vector: CSR with a thread and with a warp per row, ELLPACK, COO with atomics;
// whole numbers in double.
#include "field.cuh"

__global__ void csr_scalar(const int* start, const int* col, const double* value, const double* x,
                           double* y, int rows) {
  const int r = blockIdx.x * blockDim.x + threadIdx.x;
  if (r >= rows) return;
  double sum = 0;
  for (int k = start[r]; k < start[r + 1]; ++k) sum += value[k] * x[col[k]];
  y[r] = sum;
}

__global__ void csr_vector(const int* start, const int* col, const double* value, const double* x,
                           double* y, int rows) {
  const int r = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (r >= rows) return;
  double sum = 0;
  for (int k = start[r] + lane; k < start[r + 1]; k += 32) sum += value[k] * __ldg(&x[col[k]]);
  for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);
  if (lane == 0) y[r] = sum;
}

__global__ void ell(const int* col, const double* value, const double* x, double* y, int rows,
                    int width) {
  const int r = blockIdx.x * blockDim.x + threadIdx.x;
  if (r >= rows) return;
  double sum = 0;
  for (int k = 0; k < width; ++k) {
    const int c = col[k * rows + r];
    if (c >= 0) sum += value[k * rows + r] * x[c];
  }
  y[r] = sum;
}

__global__ void coo(const int* row, const int* col, const double* value, const double* x, double* y,
                    int count) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k < count) atomicAdd(&y[row[k]], value[k] * x[col[k]]);
}

int main() {
  const int rows = 1500, width = 40;
  const std::vector<int> lengths = random_ints(rows, 0, width, 221);
  std::vector<int> start{0}, col, row, ell_col(rows * width, -1);
  std::vector<double> value, ell_value(rows * width);
  const std::vector<int> random = random_ints(rows * width * 2, 0, 1 << 20, 222);
  for (int r = 0; r < rows; ++r) {
    for (int k = 0; k < lengths[r]; ++k) {
      col.push_back(random[r * width + k] % rows);
      value.push_back(random[rows * width + r * width + k] % 19 - 9);
      row.push_back(r);
      ell_col[k * rows + r] = col.back();
      ell_value[k * rows + r] = value.back();
    }
    start.push_back(static_cast<int>(col.size()));
  }
  const int count = static_cast<int>(col.size());
  int *d_start = to_device(start), *d_col = to_device(col), *d_row = to_device(row),
      *d_ell_col = to_device(ell_col);
  double *d_value = to_device(value), *d_ell = to_device(ell_value),
         *x = to_device(random_whole<double>(rows, -9, 9, 223));
  double* y = device_array<double>(rows);
  csr_scalar<<<(rows + 127) / 128, 128>>>(d_start, d_col, d_value, x, y, rows);
  show("CSR, a thread per row", y, rows);
  csr_vector<<<(rows + 3) / 4, 128>>>(d_start, d_col, d_value, x, y, rows);
  show("CSR, a warp per row", y, rows);
  ell<<<(rows + 127) / 128, 128>>>(d_ell_col, d_ell, x, y, rows, width);
  show("ELLPACK", y, rows);
  CHECK(cudaMemset(y, 0, rows * sizeof(double)));
  coo<<<(count + 255) / 256, 256>>>(d_row, d_col, d_value, x, y, count);
  show("COO", y, rows);
}
