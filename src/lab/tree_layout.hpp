// Where the blocks of a fork tree stand in a picture: a column for each height, a lane for each
// branch. The longest branch goes straight on; what leaves it takes the nearest lane below that is
// free over its length. Threading: a pure function.
#pragma once

#include <cstddef>
#include <vector>

#include "block_book.hpp"

namespace ethnet::lab {

struct TreeLayout {
  struct Spot {
    std::size_t column = 0;
    std::size_t lane = 0;
  };
  std::vector<Spot> spots;           // by the block's index
  std::vector<std::size_t> parents;  // of genesis: itself
  std::size_t columns = 0;
  std::size_t lanes = 0;
};

[[nodiscard]] TreeLayout lay_out(const std::vector<LabBlock>& blocks);

}  // namespace ethnet::lab
