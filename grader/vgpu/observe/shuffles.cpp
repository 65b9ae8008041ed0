// Shuffles that take the value of a lane which their mask names and which has exited, or never
// existed: the value is undefined.
#include "machine/block.hpp"
#include "observe/checks.hpp"

namespace vgpu {
namespace {

class Shuffles final : public Observer {
 public:
  void reads_absent_lane(const Warp& warp, const Op* op, int lane, int source) override {
    warp.block->find({"shuffle", warp, op, lane}, "shuffle from a lane that is not there",
                     "lane " + std::to_string(lane) + " takes the value of lane " +
                         std::to_string(source) +
                         ", which the mask names: that lane has exited, or the block has no such "
                         "thread; the mask may name only lanes that take part");
  }
};

}  // namespace

std::unique_ptr<Observer> watch_shuffles(const Block&) {
  return std::make_unique<Shuffles>();
}

}  // namespace vgpu
