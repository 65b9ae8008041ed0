// Lab 5's tuned kernels at eighteen shapes, a third of them with the mask.
#include "../../../solutions/lab5_backward/tuned/flash_attention_backward.cu"
#include "lab_launches.cuh"

int main(int argc, char** argv) {
  for (const auto& problem :
       lab_launches::problems(argc, argv, lab_launches::kTiled + lab_launches::kCausal)) {
    lab_launches::run_backward(
        problem, [](auto* Q, auto* K, auto* V, auto* O, auto* L, auto* dO, auto* dQ, auto* dK,
                    auto* dV, auto shape, auto& workspace) {
          return lab5_flash_attention_backward(Q, K, V, O, L, dO, dQ, dK, dV, shape, workspace,
                                               nullptr);
        });
  }
  return verdict();
}
