// Lab 1's staff kernels at sixteen shapes: odd sizes, one row, many heads, Nq != Nk.
#include "../../../solutions/lab1_naive/naive_attention.cu"
#include "lab_launches.cuh"

namespace {

const std::vector<lab_launches::Problem> kProblems = {
    {1, 1, 64, 64, 64},   {1, 1, 1, 1, 8},      {1, 1, 33, 33, 20},    {1, 1, 100, 100, 1},
    {1, 1, 130, 130, 64}, {1, 1, 65, 65, 127},  {1, 1, 257, 257, 128}, {1, 4, 64, 64, 32},
    {3, 2, 48, 48, 40},   {2, 1, 40, 150, 32},  {1, 2, 150, 40, 32},   {1, 1, 1, 200, 64},
    {1, 1, 72, 72, 64},   {1, 1, 256, 256, 64}, {2, 3, 31, 97, 17},    {1, 1, 512, 512, 64},
};

}  // namespace

int main(int argc, char** argv) {
  for (const auto& problem : lab_launches::problems(argc, argv, kProblems)) {
    lab_launches::run_forward(
        problem, false, [](auto* Q, auto* K, auto* V, auto* O, auto*, auto shape, auto& workspace) {
          return lab1_naive_attention(Q, K, V, O, shape, workspace, nullptr);
        });
  }
  return verdict();
}
