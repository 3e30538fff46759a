#include "tree_layout.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace ethnet::lab {
namespace {

class Layouter {
 public:
  explicit Layouter(const std::vector<LabBlock>& blocks) {
    std::map<std::string, std::size_t> index;
    out_.spots.resize(blocks.size());
    out_.parents.resize(blocks.size());
    children_.resize(blocks.size());
    tips_.resize(blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      index[blocks[i].spec.name] = i;
      out_.spots[i].column = static_cast<std::size_t>(blocks[i].number);
      out_.parents[i] = i == 0 ? 0 : index.at(blocks[i].spec.parent);
      if (i > 0) children_[out_.parents[i]].push_back(i);
    }
    // A parent stands before its children.
    for (std::size_t i = blocks.size(); i-- > 0;) {
      tips_[i] = std::max(tips_[i], out_.spots[i].column);
      std::size_t& below = tips_[out_.parents[i]];
      below = std::max(below, tips_[i]);
    }
  }

  TreeLayout run() {
    std::vector<std::pair<std::size_t, std::size_t>> branches{{0, 0}};  // first block, lane wanted
    while (!branches.empty()) {
      const auto [first, wanted] = branches.back();
      branches.pop_back();
      place(first, wanted, branches);
    }
    out_.columns = tips_[0] + 1;
    out_.lanes = taken_.size();
    return std::move(out_);
  }

 private:
  // A branch up to its tip; what leaves it waits, the first to leave goes last: it has the longest
  // way, and takes the outermost lane.
  void place(std::size_t first, std::size_t wanted,
             std::vector<std::pair<std::size_t, std::size_t>>& branches) {
    std::vector<std::size_t> line{first};
    for (;;) {
      const auto& children = children_[line.back()];
      if (children.empty()) break;
      line.push_back(
          *std::ranges::max_element(children, {}, [&](std::size_t i) { return tips_[i]; }));
    }
    // The column of the fork is taken too: the edge turns there.
    const std::size_t from = out_.spots[first].column - (first == 0 ? 0 : 1);
    const std::size_t lane = free_lane(wanted, from, out_.spots[line.back()].column);
    for (const std::size_t block : line) out_.spots[block].lane = lane;
    for (std::size_t at = 0; at + 1 < line.size(); ++at) {
      const auto& children = children_[line[at]];
      for (std::size_t i = children.size(); i-- > 0;) {
        if (children[i] != line[at + 1]) branches.emplace_back(children[i], lane + 1);
      }
    }
  }

  std::size_t free_lane(std::size_t wanted, std::size_t from, std::size_t to) {
    for (std::size_t lane = wanted;; ++lane) {
      if (lane >= taken_.size()) taken_.resize(lane + 1);
      const bool free = std::ranges::none_of(
          taken_[lane], [&](const auto& span) { return from <= span.second && span.first <= to; });
      if (!free) continue;
      taken_[lane].emplace_back(from, to);
      return lane;
    }
  }

  TreeLayout out_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<std::size_t> tips_;  // the column of the highest block above
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> taken_;  // by lane: columns
};

}  // namespace

TreeLayout lay_out(const std::vector<LabBlock>& blocks) { return Layouter{blocks}.run(); }

}  // namespace ethnet::lab
